"""RELU, RELU6, LOGISTIC, TANH and SOFTMAX.

Sources: TensorFlow Lite Micro ``kernels/activations.cc``, TensorFlow Lite ``reference/softmax.h`` and
``reference/integer_ops/{logistic,tanh}.h``.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from celosia.hdl.arithmetic_model import (
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_multiply,
    wrap_int32,
)

from ..graph import BoundOperator
from ..quantization import (
    SIGMOID_INTEGER_BITS,
    SOFTMAX_INTEGER_BITS,
    SoftmaxRescale,
    activation_range,
    requantization_rescale,
    sigmoid_rescale,
    softmax_rescale,
)
from .arithmetic import centered, rescaled, store
from .fixed_point import exp_of_negative, logistic_of, reciprocal, tanh_of

__all__ = ["logistic", "relu", "relu6", "softmax", "softmax_exponentials", "tanh"]

_ACCUMULATOR_INTEGER_BITS = 12


def relu(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The ifm rescaled to the ofm, not below zero."""
    bounds = activation_range("RELU", operator.ofm)
    return store(centered(ifm, operator.ifm), requantization_rescale(operator), operator.ofm, bounds)


def relu6(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The stored values clamped to 0..6."""
    return np.clip(ifm, *activation_range("RELU6", operator.ifm)).astype(ifm.dtype)


def logistic(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-x))`` with 8 fraction bits and zero point -128."""
    return _sigmoid(operator, ifm, logistic_of, 8, -128)


def tanh(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """``tanh(x)`` with 7 fraction bits."""
    return _sigmoid(operator, ifm, tanh_of, 7, 0)


def _sigmoid(
    operator: BoundOperator,
    ifm: np.ndarray,
    function: Callable[[npt.NDArray[np.int64], int], npt.NDArray[np.int64]],
    fraction_bits: int,
    zero_point: int,
) -> np.ndarray:
    constants = sigmoid_rescale(operator)
    values = centered(ifm, operator.ifm)
    # Beyond the radius the results are the extremes; a radius of 0 makes even 0 the smallest one.
    inside = np.abs(values) < constants.radius
    scaled = rescaled(np.where(inside, values, 0), constants.rescale)
    exact = rounding_divide_by_power_of_two(function(scaled, SIGMOID_INTEGER_BITS), 31 - fraction_bits)
    extremes = np.where(values <= -constants.radius, -128, 127)
    return np.where(inside, np.clip(exact + zero_point, -128, 127), extremes).astype(np.int8)


def softmax(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, with 8 fraction bits and zero point -128."""
    difference = ifm.astype(np.int64) - ifm.max(axis=-1, keepdims=True)
    exponentials = softmax_exponentials(softmax_rescale(operator), difference)
    terms = rounding_divide_by_power_of_two(exponentials, _ACCUMULATOR_INTEGER_BITS)
    mantissa, leading_zeros = reciprocal(wrap_int32(terms.sum(axis=-1, keepdims=True)))
    product = saturating_rounding_doubling_high_multiply(mantissa, exponentials)
    shift = _ACCUMULATOR_INTEGER_BITS - leading_zeros + 31 - 8
    output = rounding_divide_by_power_of_two(product, shift) - 128
    return np.clip(output, -128, 127).astype(operator.ofm.dtype)


def softmax_exponentials(
    constants: SoftmaxRescale, difference: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """What values `difference` (0 or below) from their maximum weigh, in Q0.31: 0 for those too small to count."""
    counts = difference >= constants.minimum_difference
    scaled = rescaled(np.where(counts, difference, 0), constants.rescale)
    return np.where(counts, exp_of_negative(scaled, SOFTMAX_INTEGER_BITS), 0)
