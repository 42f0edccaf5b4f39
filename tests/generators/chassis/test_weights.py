"""WeightsUnit: beats of memory land in their destination, one a cycle, in a ring; commands overlap."""

import itertools
import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from celosia.generators.chassis.command import LOAD, CommandLayout, Field, Opcode
from celosia.generators.chassis.decoder_port import DecoderPort
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.chassis.weights import ACCEPTED_COMMANDS, WeightsUnit
from celosia.hdl.axi import AxiReadSignature, Response
from celosia.hdl.axi_read_arbiter import AxiReadArbiter
from tests.axi_memory import AxiMemory
from tests.gateware import convert, simulate

LAYOUT = CommandLayout(
    Opcode.WEIGHTS,
    (
        Field("region", 2, "memory region"),
        Field("offset", 32, "first byte"),
        Field("beats", 20, "beats to move"),
        Field("destination", 2, "which memory"),
        Field("address", 16, "first beat in it"),
        Field("words", 14, "what it decodes to"),
    ),
)
DEPTHS = (300, 64, 256, 32)
BASE = 0x1000
LIMIT = 0x2000
BURST_BEATS = 16
DECODER_BEATS = 64
OUTSTANDING = 4


def weights_unit() -> WeightsUnit:
    return WeightsUnit(LAYOUT, DEPTHS, address_bits=32, burst_beats=BURST_BEATS, decoder_beats=DECODER_BEATS)


class Bench(wiring.Component):
    """A unit behind the read arbiter, as in an engine."""

    def __init__(self) -> None:
        self.unit = weights_unit()
        self.arbiter = AxiReadArbiter(clients=1, address_bits=32, data_bits=64, outstanding=OUTSTANDING)
        super().__init__({"bus": wiring.Out(AxiReadSignature(32, 64))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = self.unit
        m.submodules.arbiter = self.arbiter
        wiring.connect(m, self.unit.read, self.arbiter.clients[0])
        return m


class Run:
    """Executes commands and keeps what was seen; each gives a token to the verb of its place in the list."""

    def __init__(self, commands: list[dict[str, int]], bus: AxiMemory, decoder: Any = None) -> None:
        self.written: list[tuple[int, int, int]] = []
        self.write_cycles: list[int] = []
        self.taken: list[int] = []
        self.completed: list[int] = []
        self.given: list[int] = []
        self.errors: list[dict[str, int]] = []
        self.bus = bus
        bench = Bench()
        unit = bench.unit

        async def serve(ctx: Any) -> None:
            await bus.serve_reads(ctx, bench.arbiter.bus)

        async def watch(ctx: Any) -> None:
            for cycle in itertools.count():
                _, _, valid, beat, given, taken, error = await ctx.tick().sample(
                    unit.write.valid,
                    unit.write.payload,
                    unit.given,
                    unit.command.valid & unit.command.ready,
                    unit.error,
                )
                if valid:
                    self.written.append((beat.destination, beat.address, beat.data))
                    self.write_cycles.append(cycle)
                if taken:
                    self.taken.append(cycle)
                if given:
                    self.completed.append(cycle)
                    self.given.append(given)
                if error.valid:
                    self.errors.append({"code": error.code, "index": error.index, "address": error.address})
                    ctx.set(unit.stop, 1)

        async def control(ctx: Any) -> None:
            for region in range(4):
                ctx.set(unit.regions[region].base, BASE)
                ctx.set(unit.regions[region].limit, LIMIT)
            for place, command in enumerate(commands):
                ctx.set(unit.command.payload, {"signal": 1 << place % 5, **command})
                ctx.set(unit.command.valid, 1)
                while not ctx.get(unit.command.ready) and not self.errors:
                    await ctx.tick()
                await ctx.tick()
                ctx.set(unit.command.valid, 0)
                await ctx.tick()
            while ctx.get(unit.busy) and not self.errors:
                await ctx.tick()
            if self.errors:
                await ctx.tick().repeat(200)
                assert ctx.get(bench.arbiter.idle)

        async def decode(ctx: Any) -> None:
            if decoder is not None:
                await decoder(ctx, unit.decoder)

        simulate(bench, serve, watch, decode, testbenches=[control])


class Decoder:
    """Takes its time with every beat, and knows from `words` how many of them a command has."""

    def __init__(self, seed: int, pace: float) -> None:
        self.generator = random.Random(seed)
        self.pace = pace
        self.decoded: list[int] = []
        self.finished: list[int] = []

    async def __call__(self, ctx: Any, port: DecoderPort) -> None:
        queued: list[int] = []
        left: int | None = None
        for cycle in itertools.count():
            freed = bool(left) and bool(queued) and self.generator.random() < self.pace
            finished = left == 0
            ctx.set(port.freed, freed)
            ctx.set(port.finished, finished)
            if left is not None and freed:
                self.decoded.append(queued.pop(0))
                left -= 1
            if finished:
                left = None
                self.finished.append(cycle)
            _, _, start, words, valid, beat = await ctx.tick().sample(
                port.start, port.command.words, port.beats.valid, port.beats.payload
            )
            if valid:
                queued.append(beat)
            assert len(queued) <= DECODER_BEATS
            if start:
                assert left is None
                left = words


def memory(**settings: Any) -> AxiMemory:
    return AxiMemory(bytearray(random.Random(61).randbytes(0x4000)), **settings)


def expected_writes(command: dict[str, int], content: bytearray) -> list[tuple[int, int, int]]:
    writes = []
    for beat in range(command["beats"]):
        place = BASE + command["offset"] + 8 * beat
        word = int.from_bytes(content[place : place + 8], "little")
        depth = DEPTHS[command["destination"]]
        writes.append((command["destination"], (command["address"] + beat) % depth, word))
    return writes


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pause", [0.0, 0.4])
def test_beats_land_in_their_destination_and_commands_complete_in_order(seed: int, pause: float) -> None:
    generator = random.Random(seed)
    commands = []
    for _ in range(12):
        beats = generator.choice([0, 1, 2, generator.randrange(1, 150)])
        destination = generator.randrange(4)
        is_coded = beats and generator.random() < 0.4
        commands.append(
            {
                "region": generator.randrange(4),
                "offset": 8 * generator.randrange(LIMIT // 8 - beats + 1),
                "beats": beats,
                "destination": destination,
                "address": generator.randrange(DEPTHS[destination]),
                "words": beats if is_coded else 0,
            }
        )
    decoder = Decoder(seed, generator.choice([0.3, 1.0]))
    run = Run(commands, memory(latency=9, pause=pause, seed=seed), decoder)
    raw, coded = (
        [
            write
            for command in commands
            if bool(command["words"]) is is_coded
            for write in expected_writes(command, run.bus.data)
        ]
        for is_coded in (False, True)
    )
    assert not run.errors
    assert run.written == raw
    assert decoder.decoded == [word for _, _, word in coded]
    assert run.given == [1 << place % 5 for place in range(len(commands))]


def test_one_beat_a_cycle_behind_a_slow_memory() -> None:
    run = Run([{"offset": 8, "beats": 500, "address": 250}], memory(latency=32))
    assert run.taken == [2]
    assert run.bus.read_cycles[0] == 5 + 1
    first = run.bus.read_cycles[0] + 32 + 1
    assert run.write_cycles == list(range(first, first + 500))
    assert run.completed == [first + 500]


def test_one_beat_a_cycle_over_commands_that_hide_the_latency_together() -> None:
    commands = [{"offset": 8 * 48 * place, "beats": 48} for place in range(8)]
    run = Run(commands, memory(latency=32))
    first = run.write_cycles[0]
    assert run.write_cycles == list(range(first, first + 8 * 48))
    assert run.completed == [first + 48 * (place + 1) for place in range(8)]


def test_no_more_commands_are_taken_than_may_wait_behind_the_oldest() -> None:
    run = Run([{"offset": 0, "beats": 1}] * 8, memory(latency=100))
    assert sum(cycle < run.completed[0] for cycle in run.taken) == 1 + ACCEPTED_COMMANDS


def test_commands_of_no_beats_complete_at_once() -> None:
    run = Run([{"offset": 0, "beats": 0}] * 2, memory())
    assert run.taken == [2, 6]
    assert run.completed == [4, 8]
    assert not run.written


def test_a_coded_command_completes_in_the_cycle_after_the_decoder_finished() -> None:
    decoder = Decoder(1, 0.5)
    run = Run(
        [{"offset": 0, "beats": 40, "words": 40}, {"offset": 0, "beats": 9, "destination": 1}],
        memory(),
        decoder,
    )
    assert run.completed == [decoder.finished[0] + 1, decoder.finished[0] + 2]


@pytest.mark.parametrize("destination", [0, 1])
def test_beats_for_the_memory_that_the_decoder_writes_wait_for_it(destination: int) -> None:
    decoder = Decoder(1, 0.1)
    run = Run(
        [{"offset": 0, "beats": 40, "words": 40}, {"offset": 0, "beats": 9, "destination": destination}],
        memory(),
        decoder,
    )
    assert (run.write_cycles[0] > decoder.finished[0]) == (destination == 0)


@pytest.mark.parametrize("seed", range(3))
def test_coded_commands_ask_for_no_more_than_the_decoder_can_queue(seed: int) -> None:
    bus = memory(latency=9)
    decoder = Decoder(seed, 0.3)
    commands = [{"offset": 8, "beats": 400, "words": 400}, {"offset": 0, "beats": 100, "words": 100}]
    run = Run(commands, bus, decoder)
    assert not run.written
    assert decoder.decoded == [
        word
        for command in commands
        for _, _, word in expected_writes({"address": 0, "destination": 0, **command}, bus.data)
    ]


def test_a_malformed_stream_is_reported_once() -> None:
    async def refuse(ctx: Any, port: DecoderPort) -> None:
        await ctx.tick().until(port.start)
        ctx.set(port.malformed, 1)

    commands = [{"offset": 64, "beats": 5, "words": 1, "index": 9}, {"offset": 0, "beats": 1, "index": 10}]
    run = Run(commands, memory(), refuse)
    assert run.errors == [{"code": ErrorCode.MALFORMED_WEIGHTS, "index": 9, "address": BASE + 64}]


@pytest.mark.parametrize(
    ("offset", "beats"), [(LIMIT, 1), (LIMIT - 8, 2), (0xFFFF_FFF8, 1), (0, (1 << 20) - 1)]
)
def test_beyond_the_region_nothing_reaches_the_bus(offset: int, beats: int) -> None:
    run = Run([{"offset": offset, "beats": beats, "index": 12}], memory())
    address = (BASE + offset) % (1 << 32)
    assert run.errors == [{"code": ErrorCode.OUT_OF_REGION, "index": 12, "address": address}]
    assert not run.bus.reads


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (Response.SLAVE_ERROR, ErrorCode.BUS_SLAVE_ERROR),
        (Response.DECODE_ERROR, ErrorCode.BUS_DECODE_ERROR),
    ],
)
def test_an_error_response_is_reported_and_stops_further_bursts(response: Response, code: ErrorCode) -> None:
    bus = memory(latency=20, responses={BASE + 8 * BURST_BEATS: response})
    run = Run([{"offset": 0, "beats": 1000, "index": 4}], bus)
    assert run.errors[0] == {"code": code, "index": 4, "address": BASE}
    assert len(run.bus.reads) <= OUTSTANDING + 2


def test_an_error_response_belongs_to_the_command_whose_beat_it_came_with() -> None:
    bus = memory(latency=20, responses={BASE + 80: Response.SLAVE_ERROR})
    run = Run([{"offset": 16 * place, "beats": 2, "index": place} for place in range(8)], bus)
    assert run.errors[0] == {"code": ErrorCode.BUS_SLAVE_ERROR, "index": 5, "address": BASE + 80}
    assert len(run.completed) >= 5


def test_converts() -> None:
    assert "module" in convert(weights_unit())


def test_refuses_a_bad_layout_or_depth() -> None:
    with pytest.raises(ValueError, match="layout must be WEIGHTS with the fields"):
        WeightsUnit(LOAD, DEPTHS, address_bits=32, burst_beats=16, decoder_beats=64)
    with pytest.raises(ValueError, match=r"depths must be 1..8 numbers in 1..65536, not \[1, 0\]"):
        WeightsUnit(LAYOUT, (1, 0), address_bits=32, burst_beats=16, decoder_beats=64)
    with pytest.raises(ValueError, match="decoder_beats must hold a burst of 16, not 8"):
        WeightsUnit(LAYOUT, DEPTHS, address_bits=32, burst_beats=16, decoder_beats=8)
