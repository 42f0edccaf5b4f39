"""WeightsUnit: beats of memory land in their destination, one a cycle, in a ring."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from celosia.generators.chassis.command import LOAD, CommandLayout, Field, Opcode
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.chassis.weights import WeightsUnit
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
    """Executes commands and keeps what was seen."""

    def __init__(self, commands: list[dict[str, int]], bus: AxiMemory, malformed: bool = False) -> None:
        self.written: list[tuple[int, int, int]] = []
        self.write_cycles: list[int] = []
        self.cycles: list[int] = []
        self.errors: list[dict[str, int]] = []
        self.bus = bus
        bench = Bench()
        unit = bench.unit

        async def serve(ctx: Any) -> None:
            await bus.serve_reads(ctx, bench.arbiter.bus)

        async def watch(ctx: Any) -> None:
            cycle = 0
            while True:
                _, _, valid, beat, error = await ctx.tick().sample(
                    unit.write.valid, unit.write.payload, unit.error
                )
                if valid:
                    self.written.append((beat.destination, beat.address, beat.data))
                    self.write_cycles.append(cycle)
                if error.valid:
                    self.errors.append({"code": error.code, "index": error.index, "address": error.address})
                    ctx.set(unit.stop, 1)
                cycle += 1

        async def control(ctx: Any) -> None:
            ctx.set(unit.decoder.malformed, malformed)
            for region in range(4):
                ctx.set(unit.regions[region].base, BASE)
                ctx.set(unit.regions[region].limit, LIMIT)
            for command in commands:
                ctx.set(unit.command.payload, command)
                ctx.set(unit.command.valid, 1)
                self.cycles.append(0)
                while not ctx.get(unit.command.ready):
                    await ctx.tick()
                    self.cycles[-1] += 1
                    if self.errors:
                        await ctx.tick().repeat(200)
                        assert ctx.get(bench.arbiter.idle)
                        return
                await ctx.tick()
                ctx.set(unit.command.valid, 0)
                assert not ctx.get(unit.busy)

        simulate(bench, serve, watch, testbenches=[control])


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
def test_beats_land_in_their_destination(seed: int, pause: float) -> None:
    generator = random.Random(seed)
    commands = []
    for _ in range(6):
        beats = generator.randrange(1, 150)
        destination = generator.randrange(4)
        commands.append(
            {
                "region": generator.randrange(4),
                "offset": 8 * generator.randrange(LIMIT // 8 - beats + 1),
                "beats": beats,
                "destination": destination,
                "address": generator.randrange(DEPTHS[destination]),
            }
        )
    run = Run(commands, memory(latency=9, pause=pause, seed=seed))
    assert not run.errors
    assert run.written == [write for command in commands for write in expected_writes(command, run.bus.data)]


def test_one_beat_a_cycle_behind_a_slow_memory() -> None:
    run = Run([{"offset": 8, "beats": 500, "address": 250}], memory(latency=32))
    assert run.bus.read_cycles[0] == 5 + 1
    first = run.bus.read_cycles[0] + 32 + 1
    assert run.write_cycles == list(range(first, first + 500))
    assert run.cycles == [first + 500]


def test_a_command_of_no_beats_ends_at_once() -> None:
    run = Run([{"offset": 0, "beats": 0}], memory())
    assert run.cycles == [3]
    assert not run.written


@pytest.mark.parametrize("seed", range(3))
def test_a_coded_command_asks_for_no_more_than_the_decoder_can_queue(seed: int) -> None:
    generator = random.Random(seed)
    bus = memory(latency=9)
    bench = Bench()
    unit = bench.unit
    beats = [
        word
        for _, _, word in expected_writes(
            {"offset": 8, "beats": 400, "address": 0, "destination": 0}, bus.data
        )
    ]
    taken: list[int] = []
    queued = [0]

    async def serve(ctx: Any) -> None:
        await bus.serve_reads(ctx, bench.arbiter.bus)

    async def decode(ctx: Any) -> None:
        finished = False
        while True:
            freed = queued[0] > 0 and generator.random() < 0.3
            ctx.set(unit.decoder.freed, freed)
            finished = len(taken) == len(beats) and not queued[0] and not finished
            ctx.set(unit.decoder.finished, finished)
            _, _, valid, beat = await ctx.tick().sample(unit.decoder.beats.valid, unit.decoder.beats.payload)
            if valid:
                taken.append(beat)
            queued[0] += valid - freed
            assert queued[0] <= DECODER_BEATS

    async def control(ctx: Any) -> None:
        ctx.set(unit.regions[0].base, BASE)
        ctx.set(unit.regions[0].limit, LIMIT)
        ctx.set(unit.command.payload, {"offset": 8, "beats": 400, "words": 300})
        ctx.set(unit.command.valid, 1)
        while not ctx.get(unit.command.ready):
            assert not ctx.get(unit.write.valid)
            await ctx.tick()

    simulate(bench, serve, decode, testbenches=[control])
    assert taken == beats


def test_a_malformed_stream_is_reported() -> None:
    run = Run([{"offset": 64, "beats": 5, "words": 1, "index": 9}], memory(), malformed=True)
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


def test_converts() -> None:
    assert "module" in convert(weights_unit())


def test_refuses_a_bad_layout_or_depth() -> None:
    with pytest.raises(ValueError, match="layout must be WEIGHTS with the fields"):
        WeightsUnit(LOAD, DEPTHS, address_bits=32, burst_beats=16, decoder_beats=64)
    with pytest.raises(ValueError, match=r"depths must be 1..8 numbers in 1..65536, not \[1, 0\]"):
        WeightsUnit(LAYOUT, (1, 0), address_bits=32, burst_beats=16, decoder_beats=64)
    with pytest.raises(ValueError, match="decoder_beats must hold a burst of 16, not 8"):
        WeightsUnit(LAYOUT, DEPTHS, address_bits=32, burst_beats=16, decoder_beats=8)
