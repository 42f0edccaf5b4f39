"""StreamQueue: everything comes out once, in order, at full rate."""

from typing import Any

import pytest
from amaranth.hdl import unsigned
from amaranth.lib import data

from celosia.hdl.stream_queue import LARGEST_LUT_RAM, StreamQueue
from tests.gateware import Gaps, convert, get, put, simulate

DEPTHS = [2, 3, LARGEST_LUT_RAM, 64]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("fill", "drain"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (0.5, 0.5)])
def test_keeps_order_whatever_the_gaps(depth: int, fill: float, drain: float) -> None:
    queue = StreamQueue(16, depth)
    sent = list(range(1000, 1200))
    received = []

    async def source(ctx: Any) -> None:
        gaps = Gaps(1, fill)
        for value in sent:
            await gaps(ctx)
            await put(ctx, queue.i, value)

    async def sink(ctx: Any) -> None:
        gaps = Gaps(2, drain)
        for _ in sent:
            await gaps(ctx)
            received.append(await get(ctx, queue.o))

    simulate(queue, testbenches=[source, sink])
    assert received == sent


@pytest.mark.parametrize(("depth", "latency"), [(2, 1), (LARGEST_LUT_RAM, 1), (64, 2)])
def test_runs_at_full_rate_after_its_latency(depth: int, latency: int) -> None:
    queue = StreamQueue(8, depth)
    valid = []

    async def bench(ctx: Any) -> None:
        ctx.set(queue.i.valid, 1)
        ctx.set(queue.o.ready, 1)
        for cycle in range(40):
            ctx.set(queue.i.payload, cycle)
            if ctx.get(queue.o.valid):
                assert ctx.get(queue.o.payload) == cycle - latency
            assert ctx.get(queue.i.ready)
            valid.append(ctx.get(queue.o.valid))
            await ctx.tick()

    simulate(queue, testbenches=[bench])
    assert valid == [0] * latency + [1] * (40 - latency)


@pytest.mark.parametrize(("depth", "places"), [(2, 2), (5, 5), (64, 65)])
def test_level_counts_what_is_inside(depth: int, places: int) -> None:
    queue = StreamQueue(8, depth)

    async def bench(ctx: Any) -> None:
        ctx.set(queue.i.valid, 1)
        for expected in range(places):
            assert ctx.get(queue.level) == expected
            assert ctx.get(queue.i.ready)
            await ctx.tick()
        await ctx.tick().repeat(3)
        assert ctx.get(queue.level) == places
        assert not ctx.get(queue.i.ready)
        ctx.set(queue.i.valid, 0)
        ctx.set(queue.o.ready, 1)
        await ctx.tick().repeat(places)
        assert ctx.get(queue.level) == 0
        assert not ctx.get(queue.o.valid)

    simulate(queue, testbenches=[bench])


@pytest.mark.parametrize("depth", DEPTHS)
def test_carries_structures_and_converts(depth: int) -> None:
    queue = StreamQueue(data.StructLayout({"data": unsigned(64), "last": 1}), depth)
    assert "module" in convert(queue)


@pytest.mark.parametrize(
    ("depth", "error", "message"),
    [
        (1, ValueError, "depth must be at least 2, not 1"),
        (48, ValueError, "depth beyond 32 must be a power of two, not 48"),
        (2.0, TypeError, "depth must be an int, not 2.0"),
    ],
)
def test_refuses_a_bad_depth(depth: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        StreamQueue(8, depth)
