"""`FixedPointRound` rounds as Python's decimal module does, at every boundary and at random."""

from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import unsigned

from celosia.hdl.fixed_point_round import ROUND_LATENCY, FixedPointRound
from tests.gateware import convert, simulate

_LARGEST = (1 << 47) - 1
_EXACT = Context(prec=100)


def expected(case: tuple[int, int, int], bounds: tuple[int, int], *, to_even: bool) -> int:
    accumulator, bias, shift = case
    total = (accumulator + bias + (1 << 47)) % (1 << 48) - (1 << 47)
    quotient = _EXACT.divide(Decimal(total), Decimal(1 << shift))
    rounding = ROUND_HALF_EVEN if to_even else ROUND_HALF_UP
    return min(max(int(quotient.quantize(Decimal(1), rounding, _EXACT)), bounds[0]), bounds[1])


def check(
    cases: list[tuple[int, int, int]], bits: int, *, to_even: bool, bounds: tuple[int, int] | None = None
) -> None:
    """One case (accumulator, bias, shift) a cycle, every fourth cycle none."""
    limits = bounds or (-(1 << bits - 1), (1 << bits - 1) - 1)
    dut = FixedPointRound(bits, 48, unsigned(16))
    results: list[tuple[int, int, int]] = []
    wanted: list[tuple[int, int, int]] = []

    async def bench(ctx: Any) -> None:
        ctx.set(dut.to_even, to_even)
        ctx.set(dut.minimum, limits[0])
        ctx.set(dut.maximum, limits[1])
        left = list(enumerate(cases))
        for cycle in range(2 * len(cases) + 20):
            is_given = bool(left) and cycle % 4 != 3
            ctx.set(dut.accumulators.valid, is_given)
            if is_given:
                index, case = left.pop(0)
                for name, value in zip(("accumulator", "bias", "shift"), case, strict=True):
                    ctx.set(dut.accumulators.payload[name], value)
                ctx.set(dut.accumulators.payload.metadata, index)
                wanted.append((cycle + ROUND_LATENCY, expected(case, limits, to_even=to_even), index))
            if ctx.get(dut.results.valid):
                result = ctx.get(dut.results.payload)
                results.append((cycle, result.value, result.metadata))
            await ctx.tick()

    simulate(dut, testbenches=[bench])
    assert results == wanted


@pytest.mark.parametrize("to_even", [False, True])
def test_halves_and_their_neighbours_at_every_shift(to_even: bool) -> None:
    cases = [
        (odd * (1 << shift >> 1) + step, 0, shift)
        for shift in range(32)
        for odd in (-5, -3, -1, 1, 3, 5)
        for step in (-1, 0, 1)
    ]
    check(cases, 16, to_even=to_even)


def test_sums_wrap_and_results_saturate() -> None:
    ends = (-_LARGEST - 1, -_LARGEST, -1, 0, 1, _LARGEST)
    cases = [(a, b, shift) for a in ends for b in ends for shift in (0, 1, 30, 31)]
    check(cases, 18, to_even=True)
    check(cases, 16, to_even=False, bounds=(0, 777))


@pytest.mark.parametrize("bits", [16, 18])
def test_random_values(bits: int) -> None:
    draw = np.random.default_rng(bits)
    sizes = draw.integers(1, 47, 400)
    shifts = np.clip(sizes - bits + draw.integers(-2, 4, 400), 0, 31)
    accumulators, biases = (draw.integers(-(1 << sizes), 1 << sizes) for _ in range(2))
    cases = list(zip(accumulators.tolist(), biases.tolist(), shifts.tolist(), strict=True))
    check(cases, bits, to_even=bool(bits == 16))


def test_the_check_tells_roundings_apart() -> None:
    """A half that both roundings of the block, and a third one, take to different places."""
    assert [expected((half, 0, 1), (-9, 9), to_even=even) for half in (1, -1) for even in (False, True)] == [
        1, 0, -1, 0,
    ]  # fmt: skip
    assert Decimal("0.5").quantize(Decimal(1), ROUND_HALF_DOWN) == 0


def test_converts_without_a_multiplication() -> None:
    assert " * " not in convert(FixedPointRound(16, 48, unsigned(3)))
