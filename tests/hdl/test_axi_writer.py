"""AxiWriter: what is put in ends up in memory, in bursts that never pause."""

import random
from typing import Any

import pytest

from celosia.hdl.axi import Response
from celosia.hdl.axi_writer import AxiWriter
from celosia.hdl.burst_splitter import split
from tests.axi_memory import AxiMemory
from tests.gateware import Gaps, convert, put, simulate

BURST_BEATS = 8


def writer() -> AxiWriter:
    return AxiWriter(address_bits=32, data_bits=64, count_bits=16, burst_beats=BURST_BEATS, queue_beats=64)


@pytest.mark.parametrize("pause", [0.0, 0.5])
@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_memory_ends_up_right(pause: float, gap: float) -> None:
    component = writer()
    bus = AxiMemory(bytearray(1 << 13), latency=6, pause=pause, seed=3)
    generator = random.Random(4)
    work = [(8 * generator.randrange(900), generator.randrange(1, 60)) for _ in range(15)]
    expected = bytearray(1 << 13)
    beats = []
    for address, count in work:
        for beat in range(count):
            word, strobe = generator.randbytes(8), generator.randrange(256)
            beats.append({"data": int.from_bytes(word, "little"), "strobe": strobe})
            for lane in range(8):
                if strobe >> lane & 1:
                    expected[address + 8 * beat + lane] = word[lane]

    async def serve(ctx: Any) -> None:
        await bus.serve_writes(ctx, component.bus)

    async def announce(ctx: Any) -> None:
        for address, count in work:
            await put(ctx, component.transfer, {"address": address, "beats": count})
        await ctx.tick().until(component.idle)

    async def fill(ctx: Any) -> None:
        gaps = Gaps(5, gap)
        for beat in beats:
            await gaps(ctx)
            await put(ctx, component.beats, beat)

    simulate(component, serve, testbenches=[announce, fill])
    assert bus.data == expected
    assert bus.writes == [burst for address, count in work for burst in split(address, count, BURST_BEATS)]


def test_runs_at_one_beat_a_cycle() -> None:
    component = writer()
    bus = AxiMemory(bytearray(1 << 13), latency=6)
    cycles = []

    async def serve(ctx: Any) -> None:
        await bus.serve_writes(ctx, component.bus)

    async def bench(ctx: Any) -> None:
        await put(ctx, component.transfer, {"address": 0, "beats": 64})
        ctx.set(component.beats.valid, 1)
        for cycle in range(100):
            if ctx.get(component.bus.w.valid):
                cycles.append(cycle)
            await ctx.tick()

    simulate(component, serve, testbenches=[bench])
    assert cycles == list(range(cycles[0], cycles[0] + 64))


@pytest.mark.parametrize("response", [Response.SLAVE_ERROR, Response.DECODE_ERROR])
def test_reports_an_error_response(response: Response) -> None:
    component = writer()
    bus = AxiMemory(bytearray(1 << 13), responses={64: response})
    failures = []

    async def serve(ctx: Any) -> None:
        await bus.serve_writes(ctx, component.bus)

    async def bench(ctx: Any) -> None:
        await put(ctx, component.transfer, {"address": 0, "beats": 24})
        ctx.set(component.beats.valid, 1)
        for cycle in range(100):
            if cycle == 24:
                ctx.set(component.beats.valid, 0)
            if ctx.get(component.failed):
                failures.append(ctx.get(component.response))
            await ctx.tick()
        assert ctx.get(component.idle)

    simulate(component, serve, testbenches=[bench])
    assert failures == [response.value]


@pytest.mark.parametrize("moment", range(4, 40, 5))
def test_stop_finishes_what_was_announced_and_drops_the_rest(moment: int) -> None:
    component = writer()
    bus = AxiMemory(bytearray(1 << 13), latency=6, pause=0.3, seed=moment)

    async def serve(ctx: Any) -> None:
        await bus.serve_writes(ctx, component.bus)

    async def bench(ctx: Any) -> None:
        await put(ctx, component.transfer, {"address": 0, "beats": 64})
        ctx.set(component.beats.payload, {"data": 0x0101010101010101, "strobe": 255})
        ctx.set(component.beats.valid, 1)
        await ctx.tick().repeat(moment)
        ctx.set(component.stop, 1)
        ctx.set(component.beats.valid, 0)
        await ctx.tick().until(component.idle)
        ctx.set(component.stop, 0)
        announced = len(bus.writes)
        assert sum(bus.data) == 8 * BURST_BEATS * announced
        await put(ctx, component.transfer, {"address": 4096, "beats": 1})
        await put(ctx, component.beats, {"data": 0x55, "strobe": 1})
        await ctx.tick().until(component.idle)
        assert bus.data[4096] == 0x55
        assert len(bus.writes) == announced + 1

    simulate(component, serve, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(writer())


def test_refuses_a_queue_that_cannot_hold_two_bursts() -> None:
    with pytest.raises(ValueError, match="queue_beats must be at least 2 bursts of 8 beats, not 8"):
        AxiWriter(address_bits=32, data_bits=64, count_bits=16, burst_beats=8, queue_beats=8)
