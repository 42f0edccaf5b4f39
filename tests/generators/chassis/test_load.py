"""LoadUnit: packed NHWC bytes become bricks, whatever the alignment and the bus."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from celosia.generators.chassis.brick_walk import walk
from celosia.generators.chassis.load import LoadUnit
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.chassis.transfer_plan import plan_cycles
from celosia.hdl.axi import AxiReadSignature, Response
from celosia.hdl.axi_read_arbiter import AxiReadArbiter
from tests.axi_memory import AxiMemory
from tests.gateware import convert, simulate
from tests.generators.chassis.transfers import (
    MEMORY_BYTES,
    REGION_BASES,
    REGION_LIMIT,
    random_transfer,
    set_regions,
)

BURST_BEATS = 16
OUTSTANDING = 4


def load_unit() -> LoadUnit:
    return LoadUnit(address_bits=32, burst_beats=BURST_BEATS, outstanding=OUTSTANDING)


class Bench(wiring.Component):
    """A unit behind the read arbiter, as in an engine."""

    def __init__(self) -> None:
        self.unit = load_unit()
        self.arbiter = AxiReadArbiter(clients=1, address_bits=32, data_bits=64, outstanding=OUTSTANDING)
        super().__init__({"bus": wiring.Out(AxiReadSignature(32, 64))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = self.unit
        m.submodules.arbiter = self.arbiter
        wiring.connect(m, self.unit.read, self.arbiter.clients[0])
        return m


def run(
    commands: list[dict[str, int]], bus: AxiMemory, buffer_pause: float, seed: int
) -> tuple[list[tuple[int, int]], list[int], list[dict[str, int]], list[int]]:
    """Bricks written, cycles a command, errors and the cycles of the writes."""
    bench = Bench()
    unit = bench.unit
    generator = random.Random(seed)
    written: list[tuple[int, int]] = []
    cycles: list[int] = []
    errors: list[dict[str, int]] = []
    write_cycles: list[int] = []

    async def serve(ctx: Any) -> None:
        await bus.serve_reads(ctx, bench.arbiter.bus)

    async def buffer(ctx: Any) -> None:
        while True:
            ready = generator.random() >= buffer_pause
            ctx.set(unit.bricks.ready, ready)
            _, _, valid, brick = await ctx.tick().sample(unit.bricks.valid, unit.bricks.payload)
            if ready and valid:
                written.append((brick.address, brick.data))
                write_cycles.append(bus.cycle - 1)  # the memory has counted this cycle already

    async def watch(ctx: Any) -> None:
        while True:
            _, _, error = await ctx.tick().sample(unit.error)
            if error.valid:
                errors.append({"code": error.code, "index": error.index, "address": error.address})
                ctx.set(unit.stop, 1)

    async def control(ctx: Any) -> None:
        set_regions(ctx, unit.regions)
        for command in commands:
            ctx.set(unit.command.payload, command)
            ctx.set(unit.command.valid, 1)
            cycles.append(0)
            while not ctx.get(unit.command.ready):
                await ctx.tick()
                cycles[-1] += 1
                if errors and ctx.get(bench.arbiter.idle):
                    await ctx.tick().repeat(30)
                    assert ctx.get(bench.arbiter.idle)
                    return
            await ctx.tick()
            ctx.set(unit.command.valid, 0)
            assert not ctx.get(unit.busy)

    simulate(bench, serve, buffer, watch, testbenches=[control])
    return written, cycles, errors, write_cycles


def memory(**settings: Any) -> AxiMemory:
    return AxiMemory(bytearray(random.Random(41).randbytes(MEMORY_BYTES)), **settings)


def expected_bricks(command: dict[str, int], content: bytearray) -> list[tuple[int, int]]:
    place = REGION_BASES[command["region"]] + command["offset"]
    bricks = []
    for address, count in walk(command):
        bricks.append((address, int.from_bytes(content[place : place + count], "little")))
        place += count
    return bricks


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("bus_pause", "buffer_pause"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.5), (0.3, 0.3)])
def test_bricks_equal_the_bytes_in_memory(seed: int, bus_pause: float, buffer_pause: float) -> None:
    generator = random.Random(seed)
    commands = [random_transfer(generator) for _ in range(3)]
    bus = memory(latency=7, pause=bus_pause, seed=seed)
    written, _, errors, _ = run(commands, bus, buffer_pause, seed)
    assert not errors
    assert written == [brick for command in commands for brick in expected_bricks(command, bus.data)]


@pytest.mark.parametrize("offset", [0, 1, 7])
def test_one_brick_a_cycle_behind_a_slow_memory(offset: int) -> None:
    command = {"region": 1, "offset": offset, "rows": 5, "width": 20, "channels": 32, "row": 0}
    command |= {"row_pitch": 80, "channel_pitch": 20, "ring_end": 0x1FFFF}
    bus = memory(latency=32)
    written, cycles, _, write_cycles = run([command], bus, 0.0, 0)
    bricks = 5 * 20 * 4
    assert len(written) == bricks
    planned = plan_cycles(5, 32)
    request = planned + 3
    assert bus.read_cycles[0] == request + 1
    first = write_cycles[0]
    assert first == bus.read_cycles[0] + 32 + 1 + 6
    assert write_cycles[-1] - first == bricks - 1
    assert cycles == [write_cycles[-1] + 1]


def test_a_command_without_bytes_ends_at_once() -> None:
    empty = {"region": 0, "rows": 0, "width": 3, "channels": 8}
    written, cycles, errors, _ = run([empty, empty], memory(), 0.0, 0)
    assert not written
    assert not errors
    assert cycles == [plan_cycles(0, 8) + 1] * 2


@pytest.mark.parametrize(
    "fields", [{"offset": REGION_LIMIT - 23}, {"rows": 65535, "width": 65535, "channels": 65535}]
)
def test_beyond_the_region_nothing_reaches_the_bus(fields: dict[str, int]) -> None:
    command = {"region": 2, "offset": 8, "rows": 1, "width": 3, "channels": 8, "index": 77} | fields
    bus = memory()
    written, _, errors, _ = run([command], bus, 0.0, 0)
    address = REGION_BASES[2] + command["offset"]
    assert errors == [{"code": ErrorCode.OUT_OF_REGION, "index": 77, "address": address}]
    assert not bus.reads
    assert not written


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (Response.SLAVE_ERROR, ErrorCode.BUS_SLAVE_ERROR),
        (Response.DECODE_ERROR, ErrorCode.BUS_DECODE_ERROR),
    ],
)
def test_an_error_response_is_reported_and_stops_further_bursts(response: Response, code: ErrorCode) -> None:
    command = {"region": 1, "offset": 0, "rows": 8, "width": 20, "channels": 32, "row": 0, "index": 3}
    bus = memory(latency=20, responses={REGION_BASES[1] + 8 * BURST_BEATS: response})
    _, _, errors, _ = run([command], bus, 0.0, 0)
    assert errors[0] == {"code": code, "index": 3, "address": REGION_BASES[1]}
    assert len(bus.reads) <= OUTSTANDING + 2


def test_converts() -> None:
    assert "module" in convert(load_unit())


def test_refuses_a_burst_length() -> None:
    with pytest.raises(ValueError, match=r"burst_beats must be a power of two in 2..256, not 12"):
        LoadUnit(address_bits=32, burst_beats=12, outstanding=4)
