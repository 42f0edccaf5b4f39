"""`Multiplier`: exact products, two cycles later, one pair a cycle."""

import random

import pytest
from amaranth.back import verilog
from amaranth.hdl import Module, Shape, signed, unsigned
from amaranth.sim import Simulator

from celosia.hdl.multiplier import MULTIPLIER_LATENCY, Multiplier

SHAPES = [
    (signed(8), signed(8)),
    (signed(18), signed(18)),
    (unsigned(17), signed(15)),
    (unsigned(17), unsigned(14)),
    (signed(1), unsigned(1)),
]


def boundary_values(shape: Shape) -> list[int]:
    low, high = (
        (-(1 << shape.width - 1), (1 << shape.width - 1) - 1) if shape.signed else (0, (1 << shape.width) - 1)
    )
    return sorted({low, low + 1, -1, 0, 1, high - 1, high} & set(range(low, high + 1)))


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize(("a_shape", "b_shape"), SHAPES, ids=str)
def test_products_are_exact_and_pipelined(a_shape: Shape, b_shape: Shape, seed: int) -> None:
    generator = random.Random(seed)
    a_values, b_values = boundary_values(a_shape), boundary_values(b_shape)
    pairs = [(a, b) for a in a_values for b in b_values]
    pairs += [
        (generator.randint(a_values[0], a_values[-1]), generator.randint(b_values[0], b_values[-1]))
        for _ in range(200)
    ]
    multiplier = Multiplier(a_shape, b_shape)
    products = []

    async def drive(ctx) -> None:
        for a, b in pairs:
            ctx.set(multiplier.a, a)
            ctx.set(multiplier.b, b)
            await ctx.tick()
        await ctx.tick().repeat(MULTIPLIER_LATENCY)

    async def collect(ctx) -> None:
        await ctx.tick().repeat(MULTIPLIER_LATENCY)
        for _ in pairs:
            products.append(ctx.get(multiplier.product))
            await ctx.tick()

    simulator = Simulator(multiplier)
    simulator.add_clock(1e-8)
    simulator.add_testbench(drive)
    simulator.add_testbench(collect)
    simulator.run()
    assert products == [a * b for a, b in pairs]


def test_a_platform_puts_its_own_block_there() -> None:
    class Platform:
        def get_multiplier(self, multiplier: Multiplier) -> Module:
            m = Module()
            m.d.comb += multiplier.product.eq(42)
            return m

    assert "002a" in verilog.convert(Multiplier(signed(8), signed(8)), platform=Platform())


def test_converts_to_one_multiplication() -> None:
    assert verilog.convert(Multiplier(signed(18), unsigned(17))).count(" * ") == 1


@pytest.mark.parametrize(
    ("a_shape", "message"),
    [
        (signed(19), "a_shape must be of 1..18 bits when signed, not 19"),
        (unsigned(18), "a_shape must be of 1..17 bits when unsigned, not 18"),
        (unsigned(0), "a_shape must be of 1..17 bits when unsigned, not 0"),
    ],
)
def test_refuses_operands_that_no_block_takes(a_shape: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Multiplier(a_shape, signed(8))
