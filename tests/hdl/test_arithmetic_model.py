"""The fixed-point functions against gemmlowp's own formulation, written with Python integers."""

import math
import random

import numpy as np
import pytest

from celosia.hdl.arithmetic_model import (
    INT32_MAX,
    INT32_MIN,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    requantize,
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_multiply,
    wrap_int32,
)

CORNERS = [INT32_MIN, INT32_MIN + 1, -(1 << 30), -3, -2, -1, 0, 1, 2, 3, 1 << 30, INT32_MAX - 1, INT32_MAX]


def truncating_divide(numerator: int, denominator: int) -> int:
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def high_multiply(a: int, b: int) -> int:
    if a == b == INT32_MIN:
        return INT32_MAX
    product = a * b
    return truncating_divide(product + ((1 << 30) if product >= 0 else 1 - (1 << 30)), 1 << 31)


def divide_by_power_of_two(value: int, exponent: int) -> int:
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if value < 0 else 0)
    return (value >> exponent) + (1 if (value & mask) > threshold else 0)


def random_int32(seed: int, count: int) -> list[int]:
    generator = random.Random(seed)
    widths = [generator.randrange(1, 33) for _ in range(count)]
    return [generator.randrange(-(1 << (width - 1)), 1 << (width - 1)) for width in widths]


def test_high_multiply_equals_gemmlowp() -> None:
    values = CORNERS + random_int32(1, 400)
    got = saturating_rounding_doubling_high_multiply(np.array(values)[:, None], np.array(values)[None, :])
    assert got.tolist() == [[high_multiply(a, b) for b in values] for a in values]


def test_high_multiply_rounds_halves_towards_plus_infinity() -> None:
    assert saturating_rounding_doubling_high_multiply(1 << 30, 1) == 1
    assert saturating_rounding_doubling_high_multiply(-(1 << 30), 1) == 0


def test_high_multiply_saturates_its_only_overflow() -> None:
    assert saturating_rounding_doubling_high_multiply(INT32_MIN, INT32_MIN) == INT32_MAX


def test_rounding_divide_equals_gemmlowp() -> None:
    values = CORNERS + random_int32(2, 1000)
    exponents = list(range(32))
    got = rounding_divide_by_power_of_two(np.array(values)[:, None], np.array(exponents)[None, :])
    assert got.tolist() == [[divide_by_power_of_two(value, e) for e in exponents] for value in values]


def test_rounding_divide_rounds_halves_away_from_zero() -> None:
    assert rounding_divide_by_power_of_two(np.array([-3, -1, 1, 3]), 1).tolist() == [-2, -1, 1, 2]


def test_left_shift_wraps_at_32_bits() -> None:
    assert multiply_by_quantized_multiplier(3 << 29, 1 << 30, 1) == -(1 << 29)


def test_multiplier_and_shift_per_channel() -> None:
    accumulator = np.array([[100, 100], [-100, -100]])
    multiplier = np.array([1 << 30, 1 << 30])
    scaled = multiply_by_quantized_multiplier(accumulator, multiplier, np.array([0, -1]))
    assert scaled.tolist() == [[50, 25], [-50, -25]]


def test_requantize_adds_the_zero_point_before_the_clamp() -> None:
    assert requantize(np.array([-1000, 2, 1000]), 1 << 30, 1, 5, -128, 127).tolist() == [-128, 7, 127]


def test_wrap_int32() -> None:
    assert wrap_int32(np.array([INT32_MAX + 1, INT32_MIN - 1, 7])).tolist() == [INT32_MIN, INT32_MAX, 7]


@pytest.mark.parametrize("seed", range(200))
def test_quantize_multiplier_is_the_nearest_31_bit_value(seed: int) -> None:
    generator = random.Random(seed)
    real = math.ldexp(generator.uniform(0.5, 1), generator.randrange(-31, 31))
    multiplier, shift = quantize_multiplier(real)
    assert 1 << 30 <= multiplier < 1 << 31
    assert abs(math.ldexp(multiplier, shift - 31) - real) <= math.ldexp(0.5, shift - 31)


def test_quantize_multiplier_edges() -> None:
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(1.0) == (1 << 30, 1)
    assert quantize_multiplier(1 - 2**-40) == (1 << 30, 1)
    assert quantize_multiplier(2.0**-32) == (1 << 30, -31)
    assert quantize_multiplier(2.0**-33) == (0, 0)


@pytest.mark.parametrize("real", [-1.0, math.inf, math.nan, 2.0**31])
def test_quantize_multiplier_refuses(real: float) -> None:
    with pytest.raises(ValueError, match="real multiplier must be"):
        quantize_multiplier(real)
