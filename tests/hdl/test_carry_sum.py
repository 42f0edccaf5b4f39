"""`add_with_carry` is a sum, and one adder."""

import itertools
from typing import Any

import pytest
from amaranth.hdl import Module, Shape, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from celosia.hdl.carry_sum import add_with_carry
from tests.gateware import convert, simulate


class Sum(wiring.Component):
    """The function, with ports and a register."""

    def __init__(self, total: int, addend: Shape) -> None:
        super().__init__({"total": In(total), "addend": In(addend), "carry": In(1), "sum": Out(total)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sum_of: Any = self
        m.d.sync += sum_of.sum.eq(add_with_carry(sum_of.total, sum_of.addend, sum_of.carry))
        return m


@pytest.mark.parametrize("addend", [signed(3), unsigned(3), signed(5), unsigned(4), signed(6)])
def test_every_sum(addend: Shape) -> None:
    adder: Any = Sum(4, addend)
    lowest = -(1 << addend.width - 1) if addend.signed else 0

    async def bench(ctx: Any) -> None:
        for total, offset, carry in itertools.product(range(16), range(1 << addend.width), range(2)):
            ctx.set(adder.total, total)
            ctx.set(adder.addend, lowest + offset)
            ctx.set(adder.carry, carry)
            await ctx.tick()
            assert ctx.get(adder.sum) == (total + lowest + offset + carry) % 16

    simulate(adder, testbenches=[bench])


def test_is_one_adder() -> None:
    assert convert(Sum(8, signed(5))).count(" + ") == 1
