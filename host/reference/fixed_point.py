"""gemmlowp's fixed-point functions: exp, 1 / (1 + x), logistic and tanh.

Qm.n is an int32 with m integer and n = 31 - m fraction bits, here in int64 arrays. Source: gemmlowp
``fixedpoint/fixedpoint.h``, followed step by step since each rounding shows in the results.
"""

import numpy as np
import numpy.typing as npt

from celosia.hdl.arithmetic_model import (
    INT32_MAX,
    INT32_MIN,
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_multiply,
)

__all__ = ["exp_of_negative", "logistic_of", "one_over_one_plus", "reciprocal", "tanh_of"]

Int64Array = npt.NDArray[np.int64]

_multiply = saturating_rounding_doubling_high_multiply

# The exponent e of a bit's weight 2**e and exp(-2**e) in Q0.31.
_EXP_FACTORS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
_EXP_MINUS_ONE_EIGHTH = 1895147668
_ONE_THIRD = 715827883
_48_OVER_17_IN_Q2 = 1515870810
_MINUS_32_OVER_17_IN_Q2 = -1010580540
_ONE_IN_Q2 = 1 << 29


def _saturating_shift_left(value: Int64Array, bits: int) -> Int64Array:
    return np.clip(value << bits, INT32_MIN, INT32_MAX)


def exp_of_negative(value: Int64Array, integer_bits: int) -> Int64Array:
    """The exponential of ``value`` <= 0 with ``integer_bits`` (up to 5), in Q0.31."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    fraction = (value & (quarter - 1)) - quarter
    result = _exp_around_minus_one_eighth(fraction << integer_bits)
    remainder = fraction - value
    for exponent, factor in _EXP_FACTORS:
        if integer_bits > exponent:
            result = np.where(
                remainder & (1 << (fraction_bits + exponent)), _multiply(result, factor), result
            )
    return np.where(value == 0, INT32_MAX, result)


def _exp_around_minus_one_eighth(value: Int64Array) -> Int64Array:
    """The exponential of Q0.31 ``value`` in [-1/4, 0): a Taylor series around -1/8."""
    x = value + (1 << 28)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4_over_4 = rounding_divide_by_power_of_two(_multiply(x2, x2), 2)
    series = rounding_divide_by_power_of_two(_multiply(x4_over_4 + x3, _ONE_THIRD) + x2, 1)
    return _EXP_MINUS_ONE_EIGHTH + _multiply(_EXP_MINUS_ONE_EIGHTH, x + series)


def _two_over_one_plus(value: Int64Array) -> Int64Array:
    """2 / (1 + x) of Q0.31 ``value`` in [0, 1), in Q2.29: three Newton steps."""
    half_denominator = (value + INT32_MAX + 1) // 2
    x = _48_OVER_17_IN_Q2 + _multiply(half_denominator, _MINUS_32_OVER_17_IN_Q2)
    for _ in range(3):
        error = _ONE_IN_Q2 - _multiply(half_denominator, x)
        x = x + _saturating_shift_left(_multiply(x, error), 2)
    return x


def one_over_one_plus(value: Int64Array) -> Int64Array:
    """1 / (1 + x) of Q0.31 ``value`` in [0, 1), in Q0.31."""
    return _saturating_shift_left(_two_over_one_plus(value), 1)


def reciprocal(value: Int64Array) -> tuple[Int64Array, Int64Array]:
    """1 / ``value`` of positive integers: a Q0.31 mantissa, and the leading zeros of ``value`` in 32 bits."""
    leading_zeros = 32 - np.frexp(value.astype(np.float64))[1].astype(np.int64)
    return one_over_one_plus((value << leading_zeros) - (1 << 31)), leading_zeros


def logistic_of(value: Int64Array, integer_bits: int) -> Int64Array:
    """1 / (1 + exp(-x)), in Q0.31."""
    if_positive = one_over_one_plus(exp_of_negative(-np.abs(value), integer_bits))
    result = np.where(value > 0, if_positive, INT32_MAX - if_positive)
    return np.where(value == 0, 1 << 30, result)


def tanh_of(value: Int64Array, integer_bits: int) -> Int64Array:
    """tanh(x) as (1 - exp(-2x)) / (1 + exp(-2x)), in Q0.31; ``integer_bits`` up to 4."""
    exponential = exp_of_negative(-np.abs(value), integer_bits + 1)
    magnitude = _saturating_shift_left(_two_over_one_plus(exponential) - _ONE_IN_Q2, 2)
    return np.sign(value) * magnitude
