"""Random legal command lists over all verbs, not made by the compiler.

A list is made of jobs. A movement is one LOAD, WEIGHTS or STORE. A computation is one ACTIVATE and the COMPUTEs whose
tiles it drains, in any order, with movements between them that wait for neither. What overlaps in a memory becomes
tokens, and so do random pairs of commands, so that queues run ahead of each other or wait.
"""

import random
from dataclasses import dataclass, field, replace
from fractions import Fraction

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Region
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.placement import MEMORY_SPAN_BYTES
from celosia.generators.chassis.schedule import Command, Span, encode_commands, ring_spans
from celosia.generators.chassis.tiles.commands import BRICK_CHANNELS, Destination
from celosia.generators.chassis.tiles.tile_config import StoredWeightsConfig
from celosia.generators.families import family_of
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.weight_code import LIVE_LANES, WeightCode, encode
from tests.random_computation import TABLE_SPANS, overlap, random_computation, random_map

__all__ = ["LISTS", "REGION_BYTES", "CommandList", "random_command_list", "random_memory"]

LISTS = range(100)
"""Seeds of the lists that every engine is tested with."""

REGION_BYTES = 1 << 14
"""Of regions INPUT, OUTPUT and SCRATCH each."""

_TABLES = {
    Destination.OPERAND_TABLE: (TABLE_SPANS["operand"], 256),
    Destination.ACTIVATION_TABLE: (TABLE_SPANS["activation"], 32),
    Destination.EXPONENTIAL_TABLE: (TABLE_SPANS["exponential"], 128),
}
_LARGEST_TRANSFER = 600
"""Bricks."""

_MIXED = ("load", "load", "store", "raw", "raw", "coded", "coded")
_TRANSFERS = ("load", "load", "store")
"""Long ones of a brick a cycle, which end last, so that every access to their bank that holds them up shows."""
_WEIGHTS = ("raw", "coded")
"""One after the other, so that each finds the one before it at every stage."""


@dataclass(frozen=True)
class CommandList:
    """What lies in region PROGRAM: `constants`, then the commands in `words`."""

    constants: bytes
    words: bytes

    @property
    def commands(self) -> int:
        """Of the list, BEGIN and HALT included."""
        return len(self.words) // COMMAND_BYTES


def random_memory(seed: int) -> MemoryModel:
    """A memory without pauses, whose cycles can be predicted."""
    draw = random.Random(seed)
    return MemoryModel(
        latency=draw.choice([1, 2, 7, 32, 32, 100]),
        bytes_per_cycle=Fraction(draw.choice(["8", "8", "4", "2", "7/3", "16"])),
        outstanding_reads=draw.choice([1, 2, 8]),
        outstanding_writes=draw.choice([1, 2, 8]),
    )


def random_command_list(config: StoredWeightsConfig, seed: int) -> CommandList:
    """The list of `seed`, for an engine of `config`."""
    draw = random.Random(seed)
    movements = draw.choice([_MIXED, _TRANSFERS, _WEIGHTS])
    return _Writer(config, draw, movements, decodes=isinstance(config, MacEngineConfig)).write()


@dataclass
class _Writer:
    config: StoredWeightsConfig
    draw: random.Random
    movements: tuple[str, ...]
    decodes: bool
    """Whether the family has a decoder of weights."""
    constants: bytearray = field(default_factory=bytearray)
    commands: list[Command] = field(default_factory=list)

    def write(self) -> CommandList:
        """Up to 24 jobs."""
        for _ in range(self.draw.randint(1, 24)):
            if self.draw.random() < (0.5 if self.movements is _MIXED else 0.8):
                self.commands.append(self._movement())
            else:
                self._computation()
        commands = self._with_random_tokens()
        self.constants += bytes(-len(self.constants) % COMMAND_BYTES)
        return CommandList(
            bytes(self.constants), encode_commands(commands, family_of(self.config).layouts, self.config.hash)
        )

    def _with_random_tokens(self) -> list[Command]:
        """Random pairs of commands share a mark that the first writes and the second reads."""
        reads: list[tuple[Span, ...]] = [command.reads for command in self.commands]
        writes: list[tuple[Span, ...]] = [command.writes for command in self.commands]
        for pair in range(self.draw.choice([0, 1, len(self.commands) // 2])):
            if len(self.commands) < 2:
                break
            first, second = sorted(self.draw.sample(range(len(self.commands)), 2))
            # A computation's commands finish together, so nothing inside it may wait for one of them.
            if self.commands[first].layer != self.commands[second].layer:
                mark = Span(f"mark {pair}", 0, 1)
                writes[first] += (mark,)
                reads[second] += (mark,)
        return [
            replace(command, reads=read, writes=written)
            for command, read, written in zip(self.commands, reads, writes, strict=True)
        ]

    # Movements

    def _movement(self) -> Command:
        match self.draw.choice([kind for kind in self.movements if self.decodes or kind != "coded"]):
            case "load":
                return self._transfer(Opcode.LOAD, self.draw.choice([Region.INPUT, Region.SCRATCH]))
            case "store":
                return self._transfer(Opcode.STORE, self.draw.choice([Region.OUTPUT, Region.SCRATCH]))
            case "raw":
                return self._raw_weights()
            case _:
                return self._coded_weights()

    def _transfer(self, opcode: Opcode, region: Region) -> Command:
        draw = self.draw
        channels = draw.choice([draw.randint(1, 8), draw.randint(1, 40), 8 * draw.randint(1, 5)])
        width, rows = draw.randint(1, 24), draw.randint(1, 8)
        if self.movements is _TRANSFERS:
            channels, width, rows = draw.randint(1, 2), draw.randint(20, 40), draw.randint(8, 16)
        bricks = -(-channels // self.config.brick_channels)
        rows = max(1, min(rows, _LARGEST_TRANSFER // (width * bricks)))
        place = random_map(self.config, draw, rows, width, bricks)
        size = rows * width * channels
        offset = draw.randrange(REGION_BYTES - size + 1)
        memory = Span(region.name, offset // MEMORY_SPAN_BYTES, -(-(offset + size) // MEMORY_SPAN_BYTES))
        reads, writes = ((memory,), (place.span,)) if opcode is Opcode.LOAD else ((place.span,), (memory,))
        return self._command(
            opcode,
            {
                "region": region,
                "offset": offset,
                "rows": rows,
                "width": width,
                "channels": channels,
                **place.fields("", draw.randrange(place.rows) if place.is_ring else 0),
            },
            reads,
            writes,
        )

    def _raw_weights(self) -> Command:
        draw, config = self.draw, self.config
        destination = draw.choice(
            [kind for kind in Destination if config.has_softmax or kind is not Destination.EXPONENTIAL_TABLE]
        )
        if destination in _TABLES:
            span, depth = _TABLES[destination]
            beats = draw.randint(1, depth)
            address, spans = draw.randint(0, depth - beats), (span,)
        elif destination is Destination.PARAMETER_STORE:
            beats, address = draw.randint(1, 90), draw.randrange(config.parameter_beats)
            spans = ring_spans("parameter store", address, beats, config.parameter_beats)
        else:
            words, word = (
                draw.choice([draw.randint(1, 8), draw.randint(1, 300)]),
                draw.randrange(config.weight_words),
            )
            word_beats = config.weight_word_bytes // config.weights_beat_bytes
            beats, address = word_beats * words, word_beats * word
            spans = ring_spans("weight store", word, words, config.weight_words)
        # Small values: as parameters they are legal shifts.
        content = bytes(draw.choices(range(8), k=config.weights_beat_bytes * beats))
        fields = {"beats": beats, "destination": destination, "address": address}
        return self._weights(content, fields, spans)

    def _coded_weights(self) -> Command:
        draw = self.draw
        live_lanes = draw.choice(LIVE_LANES)
        words = draw.choice([draw.randint(1, 8), draw.randint(1, 400)])
        spread, zeros = draw.choice([1, 4, 12, 60]), draw.choice([0.0, 0.3, 0.9])
        content = bytearray(words * 16)
        for place in range(len(content)):
            if place % BRICK_CHANNELS < live_lanes and draw.random() >= zeros:
                content[place] = max(-128, min(127, round(draw.gauss(0, spread)))) & 0xFF
        code = None
        if draw.random() < 0.6:  # otherwise the best one
            planes = draw.randint(1, 3)
            code = WeightCode(live_lanes, draw.randrange(min(8, 10 - planes)), planes, draw.random() < 0.5)
        coded = encode(bytes(content), code)
        word = draw.randrange(self.config.weight_words)
        fields = {
            "beats": len(coded.content) // 8,
            "destination": Destination.WEIGHT_STORE,
            "address": 2 * word,
            **coded.fields,
        }
        return self._weights(
            coded.content, fields, ring_spans("weight store", word, words, self.config.weight_words)
        )

    def _weights(self, content: bytes, fields: dict[str, int], writes: tuple[Span, ...]) -> Command:
        self.constants += bytes(self.config.weights_beat_bytes * self.draw.randrange(8))
        offset = len(self.constants)
        self.constants += content
        return self._command(
            Opcode.WEIGHTS, {"region": Region.PROGRAM, "offset": offset, **fields}, (), writes
        )

    def _command(
        self, opcode: Opcode, fields: dict[str, int], reads: tuple[Span, ...], writes: tuple[Span, ...]
    ) -> Command:
        return Command(opcode, fields, reads, writes, layer=len(self.commands))

    # Computations

    def _computation(self) -> None:
        """An ACTIVATE, its COMPUTEs, and movements in between that touch nothing of theirs."""
        draw, job = self.draw, len(self.commands)
        activate, computes = random_computation(self.config, draw, job)
        first = draw.randrange(2)
        ordered = [*computes[:first], activate, *computes[first:]]
        used = [span for command in ordered for span in (*command.reads, *command.writes)]
        for command in ordered:
            self.commands.append(command)
            if draw.random() < 0.3:
                movement = replace(self._movement(), layer=job)
                touched = (*movement.reads, *movement.writes)
                if not any(overlap(a, b) for a in touched for b in used):
                    self.commands.append(movement)
