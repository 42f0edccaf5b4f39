"""RELU, RELU6, LOGISTIC, TANH and SOFTMAX.

Sources: TensorFlow Lite Micro ``kernels/activations.cc``, TensorFlow Lite ``reference/softmax.h`` and gemmlowp
``fixedpoint/fixedpoint.h``.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from celosia.hdl.arithmetic_model import (
    INT32_MAX,
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_multiply,
    wrap_int32,
)

from ..graph import BoundOperator
from ..quantization import activation_range, requantization_rescale, softmax_rescale
from .arithmetic import centered, rescaled, store

__all__ = ["logistic", "relu", "relu6", "softmax", "table_of", "tanh"]

Int64Array = npt.NDArray[np.int64]

_ACCUMULATOR_INTEGER_BITS = 12

# exp(-2**exponent) in Q0.31 for the bits of Q5.26, with the weight of each bit.
_EXP_FACTORS = (
    (1 << 24, 1672461947),
    (1 << 25, 1302514674),
    (1 << 26, 790015084),
    (1 << 27, 290630308),
    (1 << 28, 39332535),
    (1 << 29, 720401),
    (1 << 30, 242),
)


def relu(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The ifm rescaled to the ofm, not below zero."""
    bounds = activation_range("RELU", operator.ofm)
    return store(centered(ifm, operator.ifm), requantization_rescale(operator), operator.ofm, bounds)


def relu6(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The stored values clamped to 0..6."""
    return np.clip(ifm, *activation_range("RELU6", operator.ifm)).astype(ifm.dtype)


def table_of(operator: BoundOperator) -> npt.NDArray[np.int8]:
    """The 256 results of LOGISTIC or TANH, for the ifm -128..127 in order."""
    function = {"LOGISTIC": _logistic_of_float, "TANH": np.tanh}[operator.kind]
    return _float_table(operator, function)


def _logistic_of_float(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.float32(1) / (np.float32(1) + np.exp(-values))


def _float_table(
    operator: BoundOperator, function: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
) -> npt.NDArray[np.int8]:
    stored = np.arange(-128, 128)
    with np.errstate(over="ignore"):
        real = np.float32(operator.ifm.scale) * (stored - operator.ifm.zero_point).astype(np.float32)
        steps = function(real) * (np.float32(1) / np.float32(operator.ofm.scale))
    rounded = np.copysign(np.floor(np.abs(steps) + 0.5), steps)
    return np.clip(rounded + operator.ofm.zero_point, -128, 127).astype(np.int8)


def logistic(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-x))`` by table."""
    return table_of(operator)[ifm.astype(np.int64) + 128]


def tanh(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """``tanh(x)`` by table."""
    return table_of(operator)[ifm.astype(np.int64) + 128]


def softmax(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """Softmax over the last axis in gemmlowp's fixed point; results are in Q0.8 with zero point -128."""
    constants = softmax_rescale(operator)
    difference = ifm.astype(np.int64) - ifm.max(axis=-1, keepdims=True)
    counts = difference >= constants.minimum_difference
    scaled = rescaled(np.where(counts, difference, 0), constants.rescale)
    exponentials = np.where(counts, _exp_on_negative_values(scaled), 0)
    terms = rounding_divide_by_power_of_two(exponentials, _ACCUMULATOR_INTEGER_BITS)
    total = wrap_int32(terms.sum(axis=-1, keepdims=True))
    reciprocal, headroom = _reciprocal(total)
    product = saturating_rounding_doubling_high_multiply(reciprocal, exponentials)
    output = rounding_divide_by_power_of_two(product, _ACCUMULATOR_INTEGER_BITS - headroom + 31 - 8) - 128
    return np.where(counts, np.clip(output, -128, 127), -128).astype(operator.ofm.dtype)


def _exp_on_negative_values(value: Int64Array) -> Int64Array:
    """The exponential of Q5.26 ``value`` <= 0, in Q0.31."""
    quarter = 1 << 24
    fraction = (value & (quarter - 1)) - quarter
    result = _exp_near_minus_one_eighth(fraction << 5)
    remainder = fraction - value
    for bit, factor in _EXP_FACTORS:
        scaled = saturating_rounding_doubling_high_multiply(result, factor)
        result = np.where(remainder & bit, scaled, result)
    return np.where(value == 0, INT32_MAX, result)


def _exp_near_minus_one_eighth(value: Int64Array) -> Int64Array:
    """The exponential of Q0.31 ``value`` in [-1/4, 0), in Q0.31: a Taylor series around -1/8."""
    multiply = saturating_rounding_doubling_high_multiply
    x = value + (1 << 28)
    x2 = multiply(x, x)
    x3 = multiply(x2, x)
    x4_over_4 = rounding_divide_by_power_of_two(multiply(x2, x2), 2)
    third = multiply(x4_over_4 + x3, 715827883)
    series = rounding_divide_by_power_of_two(third + x2, 1)
    return 1895147668 + multiply(1895147668, x + series)


def _reciprocal(value: Int64Array) -> tuple[Int64Array, Int64Array]:
    """1 / ``value`` as a Q0.31 mantissa and the leading zeros of ``value``."""
    headroom = 32 - np.frexp(value.astype(np.float64))[1].astype(np.int64)
    shifted = (value << headroom) - (1 << 31)
    return _one_over_one_plus(shifted), headroom


def _one_over_one_plus(value: Int64Array) -> Int64Array:
    """1 / (1 + x) of Q0.31 ``value`` in [0, 1), in Q0.31: three Newton steps in Q2.29."""
    multiply = saturating_rounding_doubling_high_multiply
    total = value + INT32_MAX
    half_denominator = (total + 1) // 2
    x = 1515870810 + multiply(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - multiply(half_denominator, x)
        x = x + _saturating_shift_left(multiply(x, error), 2)
    return _saturating_shift_left(x, 1)


def _saturating_shift_left(value: Int64Array, bits: int) -> Int64Array:
    return np.clip(value << bits, -(1 << 31), INT32_MAX)
