"""`SoftmaxReciprocal` finds gemmlowp's reciprocal of a sum, in the same cycles for every sum."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from celosia.generators.chassis.tiles.softmax_reciprocal import RECIPROCAL_CYCLES, SoftmaxReciprocal
from celosia.hdl.arithmetic_model import INT32_MAX, saturating_rounding_doubling_high_multiply
from celosia.hdl.requantize import SCALED_LATENCY
from celosia.host.reference.fixed_point import reciprocal
from tests.gateware import convert


def run(exponentials: list[int]) -> tuple[int, int]:
    """Multiplier and shift for the sum of `exponentials`, which must be there in the cycle that is promised."""
    unit = SoftmaxReciprocal()
    results = []

    async def bench(ctx) -> None:
        products = [0] * SCALED_LATENCY

        async def tick() -> None:
            product = ctx.get(unit.product)
            products.append(
                int(saturating_rounding_doubling_high_multiply(product.factor, product.multiplier))
            )
            await ctx.tick()
            ctx.set(unit.scaled, products.pop(0))

        ctx.set(unit.clear, 1)
        await tick()
        ctx.set(unit.clear, 0)
        ctx.set(unit.add, 1)
        for exponential in exponentials[:-1]:
            ctx.set(unit.exponential, exponential)
            await tick()
        ctx.set(unit.exponential, exponentials[-1])
        ctx.set(unit.start, 1)
        for cycle in range(RECIPROCAL_CYCLES + 1):
            assert ctx.get(unit.done) == (cycle == RECIPROCAL_CYCLES)
            await tick()
            ctx.set(unit.add, 0)
            ctx.set(unit.start, 0)
        assert not ctx.get(unit.done)
        results.extend([ctx.get(unit.multiplier), ctx.get(unit.shift)])

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return results[0], results[1]


@pytest.mark.parametrize("seed", range(12))
def test_random_sums(seed: int) -> None:
    generator = np.random.default_rng(seed)
    others = generator.integers(0, INT32_MAX, generator.integers(0, 250)) >> int(generator.integers(0, 31))
    exponentials = [INT32_MAX, *others.tolist()]
    total = sum((exponential + (1 << 11)) >> 12 for exponential in exponentials)
    mantissa, leading_zeros = reciprocal(np.array(total))
    assert run(exponentials) == (int(mantissa), int(leading_zeros) - 35)


@pytest.mark.parametrize("count", [1, 2, 128, 255])
def test_sums_of_whole_powers_and_next_to_them(count: int) -> None:
    mantissa, leading_zeros = reciprocal(np.array(count << 19))
    assert run([INT32_MAX] * count) == (int(mantissa), int(leading_zeros) - 35)


def test_a_sum_beyond_all_shifts_scales_everything_to_nothing() -> None:
    """512 equal values weigh 1/512 each, which rounds to 0 of 256."""
    multiplier, _ = run([INT32_MAX] * 512)
    assert multiplier == 0


def test_converts_without_multiplications() -> None:
    assert " * " not in convert(SoftmaxReciprocal())
