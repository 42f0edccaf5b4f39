"""The cycle model of an engine: the chassis' parts put together the way `shell.py` puts the gateware together.

What differs from family to family comes in as values: the commands, the model of the core, the decoder of weights.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from ..command import OPCODE_OF_VERB, CommandLayout, Opcode, Verb
from ..configuration import EngineConfig
from ..memory import MemoryModel
from ..prediction import Prediction, TimingError
from ..run_control import START_CYCLES
from ..schedule import decode_commands
from .clock import Clock
from .command_flow import Fetch, QueuedCommand, Tokens, VerbQueue
from .load_unit import LoadUnit
from .memory_port import MemoryPort
from .read_arbiter import ReadArbiter
from .store_unit import StoreUnit
from .weights_unit import StreamDecoder, WeightsUnit

_REGION_BITS = 40
"""Regions lie at distinct multiples of 4 KiB; only that matters for the bursts."""


class CoreTiming(Protocol):
    """When COMPUTE and ACTIVATE complete, and what they keep LOAD and STORE from meanwhile."""

    snapshots: list[int]
    """Cycles, from the fetch's start on, in which a snapshot of the counters is taken, in order."""

    def written_bank(self, cycle: int) -> int:
        """The bank of the unified buffer that ACTIVATE writes in `cycle`, -1 for none; cycles do not fall."""
        ...

    def bank_taken(self, cycle: int, bank: int) -> bool:
        """Whether COMPUTE reads `bank` of the unified buffer in `cycle`; cycles do not fall."""
        ...


def _leave(weights: WeightsUnit) -> None:
    pass


class EngineTiming:
    """All models, connected; for one run.

    Args:
        config: of the engine.
        layouts: the family's commands.
        memory: behind its port; its `seed` is ignored.
        core: from the queues of COMPUTE and ACTIVATE, whose `start` it sets, to the core's model.
        decoder: of coded weights.
        decoder_beats: places of the decoder's queue.
        connect: gets the model of WEIGHTS, for a core that itself takes beats from the decoder's queue.
    """

    def __init__(
        self,
        config: EngineConfig,
        layouts: Mapping[Opcode, CommandLayout],
        memory: MemoryModel,
        core: Callable[[VerbQueue, VerbQueue], CoreTiming],
        decoder: StreamDecoder,
        decoder_beats: int,
        connect: Callable[[WeightsUnit], None] = _leave,
    ) -> None:
        self._layouts = layouts
        clock = self._clock = Clock()
        port = MemoryPort(clock, memory, config.data_bits // 8)
        self._arbiter = arbiter = ReadArbiter(clock, port, config.outstanding_reads)
        tokens = Tokens(clock)
        of_verb = {verb: layouts[opcode] for verb, opcode in OPCODE_OF_VERB.items()}
        self._queues = {
            verb: VerbQueue(clock, verb, layout, config.queue_depth, tokens)
            for verb, layout in of_verb.items()
        }
        self._core = core(self._queues[Verb.COMPUTE], self._queues[Verb.ACTIVATE])
        beat_bytes = config.data_bits // 8
        self._fetch = Fetch(clock, arbiter, self._queues, of_verb, config.burst_beats, beat_bytes)
        pieces = config.brick_bytes // beat_bytes
        load = LoadUnit(
            clock,
            arbiter,
            self._queues[Verb.LOAD],
            config.burst_beats,
            config.outstanding_reads,
            _address_of,
            self._core.written_bank,
            pieces,
            beat_bytes,
        )
        self._weights_arbiter = weights_arbiter = arbiter
        weight_bytes = config.weights_port_bits // 8
        if weight_bytes:
            weights_port = MemoryPort(clock, memory.of_weights(weight_bytes), weight_bytes)
            self._weights_arbiter = weights_arbiter = ReadArbiter(
                clock, weights_port, config.outstanding_reads
            )
        weights = WeightsUnit(
            clock,
            weights_arbiter,
            self._queues[Verb.WEIGHTS],
            config.burst_beats,
            _address_of,
            decoder,
            decoder_beats,
            config.weights_beat_bytes,
        )
        connect(weights)
        StoreUnit(
            clock,
            port,
            self._queues[Verb.STORE],
            config.burst_beats,
            _address_of,
            self._core.bank_taken,
            pieces,
            beat_bytes,
        )
        for client in (self._fetch, load):
            arbiter.add_client(client)
        weights_arbiter.add_client(weights)

    def run(self, words: bytes, queue_offset: int) -> Prediction:
        """The cycles of a legal command list, BEGIN to HALT, that lies `queue_offset` bytes into region PROGRAM.

        Raises:
            TimingError: it never ends.
        """
        self._fetch.start(decode_commands(words, self._layouts), queue_offset)
        self._clock.run()
        halted = self._fetch.halted_from
        if halted is None or not all(queue.is_idle(1 << 62) for queue in self._queues.values()):
            stuck = [verb.name for verb, queue in self._queues.items() if not queue.is_idle(1 << 62)]
            raise TimingError(
                f"the command list never ends: {', '.join(stuck) or 'the fetch'} waits for ever"
            )
        idle_from = max(self._arbiter.idle_from, self._weights_arbiter.idle_from)
        last = max(halted, idle_from, *(queue.idle_from for queue in self._queues.values()))
        return Prediction(
            cycles=START_CYCLES + last + 1,
            snapshots=tuple(START_CYCLES + cycle for cycle in self._core.snapshots),
        )


def _address_of(command: QueuedCommand) -> int:
    return (command.fields["region"] << _REGION_BITS) + command.fields["offset"]
