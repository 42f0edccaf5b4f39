"""`WideRequantize` scales as TensorFlow Lite's C++ does, in Python's exact integers, and leaves raw sums alone."""

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import unsigned

from celosia.hdl.arithmetic_model import multiply_wide_by_quantized_multiplier, reduced_multiplier
from celosia.hdl.wide_requantize import WIDE_REQUANTIZE_LATENCY, WideRequantize
from tests.gateware import convert, simulate

LARGEST = (1 << 47) - 1
Case = tuple[int, int, int, int]
"""Sum, bias, 31-bit multiplier, shift."""


def framework(total: int, multiplier: int, shift: int) -> int:
    """`MultiplyByQuantizedMultiplier(int64_t, int32_t, int)` of tensorflow/lite/kernels/internal/common.cc."""
    reduced = (multiplier + (1 << 15)) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF
    total_shift = 15 - shift
    scaled = (total * reduced + (1 << (total_shift - 1))) >> total_shift
    return (scaled + (1 << 31)) % (1 << 32) - (1 << 31)


def wrapped(total: int) -> int:
    return (total + (1 << 47)) % (1 << 48) - (1 << 47)


def expected(case: Case, bounds: tuple[int, int]) -> int:
    total, bias, multiplier, shift = case
    return min(max(framework(wrapped(total + bias), multiplier, shift), bounds[0]), bounds[1])


def run(cases: list[Case], bounds: tuple[int, int], *, is_raw: bool = False) -> list[tuple[int, int]]:
    """Results with the number of their case, one case a cycle, every fourth cycle none; each in its cycle."""
    dut = WideRequantize(unsigned(16))
    results: list[tuple[int, int]] = []
    due: list[int] = []

    async def bench(ctx: Any) -> None:
        ctx.set(dut.is_raw, is_raw)
        ctx.set(dut.minimum, bounds[0])
        ctx.set(dut.maximum, bounds[1])
        left = list(enumerate(cases))
        for cycle in range(2 * len(cases) + 20):
            is_given = bool(left) and cycle % 4 != 3
            ctx.set(dut.sums.valid, is_given)
            if is_given:
                index, (total, bias, multiplier, shift) = left.pop(0)
                given = dut.sums.payload
                ctx.set(given.sum, total)
                ctx.set(given.bias, bias)
                ctx.set(given.multiplier, int(reduced_multiplier(multiplier)))
                ctx.set(given.right_shift, 7 - shift)
                ctx.set(given.metadata, index)
                due.append(cycle + WIDE_REQUANTIZE_LATENCY)
            if ctx.get(dut.results.valid):
                assert cycle == due[len(results)]
                result = ctx.get(dut.results.payload)
                results.append((result.value, result.metadata))
            await ctx.tick()

    simulate(dut, testbenches=[bench])
    return results


def check(cases: list[Case], bounds: tuple[int, int] = (-32768, 32767)) -> None:
    assert run(cases, bounds) == [(expected(case, bounds), index) for index, case in enumerate(cases)]


def test_halves_and_their_neighbours_at_every_shift() -> None:
    check(
        [
            (odd * (1 << max(0, -shift)) // 2 + step, 0, 1 << 30, shift)
            for shift in range(-31, 8)
            for odd in (-3, -1, 1, 3)
            for step in (-1, 0, 1)
        ]
    )


@pytest.mark.parametrize("bounds", [(-32768, 32767), (0, 32767), (-5, 700)])
def test_extremes_wrap_and_saturate(bounds: tuple[int, int]) -> None:
    ends = (-LARGEST - 1, -1, 0, 1, LARGEST)
    multipliers = (0, 1 << 30, 0x7FFEFFFF, 0x7FFF0000, 0x7FFFFFFF)
    check([(a, b, m, s) for a in ends for b in ends for m in multipliers for s in (-31, -16, 0, 7)], bounds)


def test_random_sums() -> None:
    draw = np.random.default_rng(7)
    sizes = draw.integers(1, 47, 500)
    sums, biases = (draw.integers(-(1 << sizes), 1 << sizes).tolist() for _ in range(2))
    multipliers = draw.integers(1 << 30, 1 << 31, 500).tolist()
    shifts = np.clip(15 - sizes + draw.integers(-3, 3, 500), -31, 7).tolist()
    check(list(zip(sums, biases, multipliers, shifts, strict=True)))


def test_raw_sums_keep_all_of_their_48_bits() -> None:
    draw = np.random.default_rng(8)
    sums = [-LARGEST - 1, LARGEST, 1 << 46, -1, *draw.integers(-LARGEST, LARGEST, 100).tolist()]
    results = run([(total, 5, 1 << 30, 1) for total in sums], (-1, 1), is_raw=True)
    assert [value for value, _ in results] == [wrapped(total + 5) for total in sums]


def test_the_model_scales_as_the_framework_does() -> None:
    draw = np.random.default_rng(9)
    totals = draw.integers(-LARGEST - 1, LARGEST, 2000)
    multipliers, shifts = draw.integers(0, 1 << 31, 2000), draw.integers(-31, 8, 2000)
    wanted = [framework(*map(int, case)) for case in zip(totals, multipliers, shifts, strict=True)]
    assert multiply_wide_by_quantized_multiplier(totals, multipliers, shifts).tolist() == wanted


def test_three_multiplications() -> None:
    assert convert(WideRequantize(unsigned(3))).count(" * ") == 3
