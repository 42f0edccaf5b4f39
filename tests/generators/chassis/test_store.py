"""StoreUnit: bricks become packed NHWC bytes, and no byte beside them changes."""

import random
from collections import deque
from typing import Any

import pytest

from celosia.generators.chassis.brick_walk import walk
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.chassis.store import StoreUnit
from celosia.generators.chassis.transfer_plan import plan_cycles
from celosia.hdl.axi import Response
from celosia.hdl.burst_splitter import split
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
BUFFER_LATENCY = 4


def store_unit() -> StoreUnit:
    return StoreUnit(address_bits=32, burst_beats=BURST_BEATS)


def brick(address: int) -> int:
    """What the buffer holds."""
    return random.Random(address).getrandbits(64)


def run(
    commands: list[dict[str, int]], bus: AxiMemory, buffer_pause: float, seed: int
) -> tuple[list[int], list[dict[str, int]]]:
    """Cycles a command, and the errors."""
    unit = store_unit()
    generator = random.Random(seed)
    cycles: list[int] = []
    errors: list[dict[str, int]] = []

    async def serve(ctx: Any) -> None:
        await bus.serve_writes(ctx, unit.bus)

    async def buffer(ctx: Any) -> None:
        waiting: deque[tuple[int, int]] = deque()
        cycle = 0
        presented = False
        while True:
            ready = generator.random() >= buffer_pause and len(waiting) < 8
            presented = presented or (
                bool(waiting) and waiting[0][0] <= cycle and generator.random() >= buffer_pause
            )
            ctx.set(unit.request.ready, ready)
            ctx.set(unit.response.valid, presented)
            if presented:
                ctx.set(unit.response.payload.data, waiting[0][1])
            _, _, asked, request, taken = await ctx.tick().sample(
                unit.request.valid, unit.request.payload, unit.response.ready
            )
            if presented and taken:
                waiting.popleft()
                presented = False
            if ready and asked:
                waiting.append((cycle + BUFFER_LATENCY, brick(request.address)))
            cycle += 1

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
                if errors:
                    await ctx.tick().repeat(200)
                    assert ctx.get(unit.bus_idle)
                    return
            await ctx.tick()
            ctx.set(unit.command.valid, 0)
            assert not ctx.get(unit.busy)
            assert ctx.get(unit.bus_idle)

    simulate(unit, serve, buffer, watch, testbenches=[control])
    return cycles, errors


def memory(**settings: Any) -> AxiMemory:
    return AxiMemory(bytearray(random.Random(51).randbytes(MEMORY_BYTES)), **settings)


def write_expected(command: dict[str, int], content: bytearray) -> None:
    place = REGION_BASES[command["region"]] + command["offset"]
    for address, count in walk(command):
        content[place : place + count] = brick(address).to_bytes(8, "little")[:count]
        place += count


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("bus_pause", "buffer_pause"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.5), (0.3, 0.3)])
def test_memory_holds_the_bricks_bytes(seed: int, bus_pause: float, buffer_pause: float) -> None:
    generator = random.Random(seed)
    commands = [random_transfer(generator) for _ in range(3)]
    bus = memory(latency=7, pause=bus_pause, seed=seed)
    expected = bytearray(bus.data)
    for command in commands:
        write_expected(command, expected)
    _, errors = run(commands, bus, buffer_pause, seed)
    assert not errors
    assert bus.data == expected


@pytest.mark.parametrize("offset", [0, 1, 7])
def test_one_brick_a_cycle(offset: int) -> None:
    command = {"region": 1, "offset": offset, "rows": 5, "width": 20, "channels": 32, "row": 0}
    command |= {"row_pitch": 80, "channel_pitch": 20, "ring_end": 0x1FFFF}
    bus = memory(latency=32)
    cycles, _ = run([command], bus, 0.0, 0)
    beats = 400 + (offset != 0)
    first_beat = plan_cycles(5, 32) + 2 + BUFFER_LATENCY + 1  # of the writer; then one a cycle
    sent = 0  # the cycle of the last beat on W
    here = 0  # beats that are in bursts so far
    for _, count in split(REGION_BASES[1] + offset, beats, BURST_BEATS):
        here += count
        announced = first_beat + here - 1 + 3
        sent = max(announced + 1, sent + 1) + count - 1
    assert cycles == [sent + 32 + 2]


def test_a_command_without_bytes_ends_at_once() -> None:
    empty = {"region": 0, "rows": 3, "width": 0, "channels": 8}
    bus = memory()
    cycles, errors = run([empty, empty], bus, 0.0, 0)
    assert not errors
    assert not bus.writes
    assert cycles == [plan_cycles(3, 8) + 1] * 2


def test_beyond_the_region_nothing_reaches_the_bus() -> None:
    command = {"region": 2, "offset": REGION_LIMIT - 23, "rows": 1, "width": 3, "channels": 8, "index": 9}
    bus = memory()
    _, errors = run([command], bus, 0.0, 0)
    address = REGION_BASES[2] + command["offset"]
    assert errors == [{"code": ErrorCode.OUT_OF_REGION, "index": 9, "address": address}]
    assert not bus.writes


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (Response.SLAVE_ERROR, ErrorCode.BUS_SLAVE_ERROR),
        (Response.DECODE_ERROR, ErrorCode.BUS_DECODE_ERROR),
    ],
)
def test_an_error_response_is_reported_and_stops_further_bursts(response: Response, code: ErrorCode) -> None:
    command = {"region": 1, "offset": 0, "rows": 8, "width": 20, "channels": 32, "row": 0, "index": 3}
    bus = memory(latency=5, responses={REGION_BASES[1] + 8 * BURST_BEATS: response})
    _, errors = run([command], bus, 0.0, 0)
    assert errors[0] == {"code": code, "index": 3, "address": REGION_BASES[1]}
    assert len(bus.writes) < 8 * 20 * 4 // BURST_BEATS // 2


def test_converts() -> None:
    assert "module" in convert(store_unit())
