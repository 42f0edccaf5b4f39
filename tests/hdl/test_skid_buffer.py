"""SkidBuffer: a stream, one cycle later, with every path registered."""

from typing import Any

import pytest

from celosia.hdl.skid_buffer import SkidBuffer
from tests.gateware import Gaps, convert, get, put, simulate


@pytest.mark.parametrize(("fill", "drain"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)])
def test_keeps_order_whatever_the_gaps(fill: float, drain: float) -> None:
    buffer = SkidBuffer(16)
    sent = list(range(300))
    received = []

    async def source(ctx: Any) -> None:
        gaps = Gaps(1, fill)
        for value in sent:
            await gaps(ctx)
            await put(ctx, buffer.i, value)

    async def sink(ctx: Any) -> None:
        gaps = Gaps(2, drain)
        for _ in sent:
            await gaps(ctx)
            received.append(await get(ctx, buffer.o))

    simulate(buffer, testbenches=[source, sink])
    assert received == sent


def test_runs_at_full_rate_one_cycle_later() -> None:
    buffer = SkidBuffer(8)

    async def bench(ctx: Any) -> None:
        ctx.set(buffer.i.valid, 1)
        ctx.set(buffer.o.ready, 1)
        for cycle in range(20):
            ctx.set(buffer.i.payload, cycle)
            assert ctx.get(buffer.i.ready)
            assert ctx.get(buffer.o.valid) == (cycle > 0)
            assert cycle == 0 or ctx.get(buffer.o.payload) == cycle - 1
            await ctx.tick()

    simulate(buffer, testbenches=[bench])


def test_ready_does_not_follow_ready_in_the_same_cycle() -> None:
    buffer = SkidBuffer(8)

    async def bench(ctx: Any) -> None:
        ctx.set(buffer.i.valid, 1)
        await ctx.tick().repeat(3)
        assert not ctx.get(buffer.i.ready)
        ctx.set(buffer.o.ready, 1)
        assert not ctx.get(buffer.i.ready)

    simulate(buffer, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(SkidBuffer(8))
