"""`delayed`: the same value, later."""

from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data

from celosia.generators.chassis.tiles.delay_line import delayed
from tests.gateware import simulate


@pytest.mark.parametrize("cycles", [0, 1, 3])
def test_keeps_the_shape_and_delays_by_the_cycles(cycles: int) -> None:
    m = Module()
    value = Signal(data.StructLayout({"a": 4, "b": 4}))
    late = delayed(m, value, cycles, "value")
    m.d.sync += Signal().eq(0)
    seen = []

    async def bench(ctx: Any) -> None:
        for n in range(8 + cycles):
            ctx.set(value, {"a": n % 16, "b": 15 - n % 16})
            if n >= cycles:
                seen.append((ctx.get(late.a), ctx.get(late.b)))
            await ctx.tick()

    simulate(m, testbenches=[bench])
    assert seen == [(n, 15 - n) for n in range(8)]
