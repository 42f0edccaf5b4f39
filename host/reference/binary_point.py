"""Kernels on fixed-point numbers: exact sums of 48 bits, rounded once and saturated.

They share nothing with the generators' own models of this arithmetic, which the tests hold to them.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..attributes import (
    ConvAttributes,
    DepthwiseAttributes,
    ElementwiseAttributes,
    FullyConnectedAttributes,
    PadAttributes,
    PoolAttributes,
)
from ..binary_point import SUM_BITS, FixedPoint, Rounding, value_range
from ..graph import BoundOperator
from ..shapes import convolution_window, pooling_window
from .windows import groups, taps

__all__ = ["FIXED_POINT_KERNELS", "rounded_quotient"]

Int64 = npt.NDArray[np.int64]


def rounded_quotient(value: Int64, divisor: Int64 | int, rounding: Rounding) -> Int64:
    """`value` / `divisor`, a positive one, to the nearest integer."""
    below, rest = np.divmod(value, divisor)
    is_middle = 2 * rest == divisor
    middle_rises = below % 2 == 1 if rounding == "EVEN" else value > 0
    return below + ((2 * rest > divisor) | (is_middle & middle_rises))


def _wrapped(total: Int64) -> Int64:
    """Modulo 2**48, as a signed number."""
    half = 1 << SUM_BITS - 1
    return (total + half) % (1 << SUM_BITS) - half


def _stored(total: Int64, fraction_bits: int, numbers: FixedPoint, bounds: tuple[int, int]) -> np.ndarray:
    """A sum of so many fraction bits as one of `numbers`, within `bounds`."""
    divisor = 1 << fraction_bits - numbers.fraction_bits
    return np.clip(rounded_quotient(total, divisor, numbers.rounding), *bounds).astype(numbers.dtype)


def _product(operator: BoundOperator, total: Int64, bounds: tuple[int, int]) -> np.ndarray:
    """Sums of products, with their bias, as the ofm."""
    if operator.bias is not None:
        total = total + operator.bias.constant.reshape(-1)
    fraction_bits = operator.ifm.numbers.fraction_bits + operator.weights.numbers.fraction_bits
    return _stored(_wrapped(total), fraction_bits, operator.ofm.numbers, bounds)


def conv_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """NHWC `ifm` with weights of shape (ofm channels, height, width, ifm channels of a group)."""
    attributes = operator.attributes
    assert isinstance(attributes, ConvAttributes)
    weights = operator.weights.constant.astype(np.int64)
    kernel = weights.shape[1], weights.shape[2]
    windows = convolution_window(ifm.shape, kernel, attributes)
    total = np.zeros(operator.ofm.shape, np.int64)
    for tap in taps((ifm.shape[1], ifm.shape[2]), windows, kernel, attributes.stride, attributes.dilation):
        for outputs, inputs in groups(ifm.shape[3], len(weights), weights.shape[3]):
            image = ifm[*tap.ifm, inputs].astype(np.int64)
            total[*tap.ofm, outputs] += image @ weights[outputs, tap.y, tap.x].T
    return _product(operator, total, value_range(attributes.activation, operator.ofm.numbers))


def depthwise_conv_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """NHWC `ifm` with weights of shape (1, height, width, ofm channels)."""
    attributes = operator.attributes
    assert isinstance(attributes, DepthwiseAttributes)
    weights = operator.weights.constant.astype(np.int64)
    kernel = weights.shape[1], weights.shape[2]
    windows = convolution_window(ifm.shape, kernel, attributes)
    image = np.repeat(ifm.astype(np.int64), attributes.depth_multiplier, axis=3)
    total = np.zeros(operator.ofm.shape, np.int64)
    for tap in taps((ifm.shape[1], ifm.shape[2]), windows, kernel, attributes.stride, attributes.dilation):
        total[tap.ofm] += image[tap.ifm] * weights[0, tap.y, tap.x]
    return _product(operator, total, value_range(attributes.activation, operator.ofm.numbers))


def fully_connected(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """Rows of `ifm` with weights of shape (ofm channels, row length)."""
    attributes = operator.attributes
    assert isinstance(attributes, FullyConnectedAttributes)
    weights = operator.weights.constant.astype(np.int64)
    total = ifm.reshape(-1, weights.shape[1]).astype(np.int64) @ weights.T
    bounds = value_range(attributes.activation, operator.ofm.numbers)
    return _product(operator, total, bounds).reshape(operator.ofm.shape)


def max_pool_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The largest value inside the image."""
    attributes = operator.attributes
    assert isinstance(attributes, PoolAttributes)
    windows = pooling_window(ifm.shape, attributes)
    largest = np.full(operator.ofm.shape, operator.ifm.numbers.limits[0], ifm.dtype)
    for tap in taps((ifm.shape[1], ifm.shape[2]), windows, attributes.kernel, attributes.stride, (1, 1)):
        largest[tap.ofm] = np.maximum(largest[tap.ofm], ifm[tap.ifm])
    return np.clip(largest, *value_range(attributes.activation, operator.ofm.numbers)).astype(ifm.dtype)


def average_pool_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The mean of the values inside the image, rounded as the ofm says."""
    attributes = operator.attributes
    assert isinstance(attributes, PoolAttributes)
    windows = pooling_window(ifm.shape, attributes)
    total, count = np.zeros(operator.ofm.shape, np.int64), np.zeros(operator.ofm.shape, np.int64)
    for tap in taps((ifm.shape[1], ifm.shape[2]), windows, attributes.kernel, attributes.stride, (1, 1)):
        total[tap.ofm] += ifm[tap.ifm]
        count[tap.ofm] += 1
    mean = rounded_quotient(total, count, operator.ofm.numbers.rounding)
    return np.clip(mean, *value_range(attributes.activation, operator.ofm.numbers)).astype(ifm.dtype)


def _aligned(operator: BoundOperator, left: np.ndarray, right: np.ndarray) -> tuple[Int64, Int64, int]:
    """Both operands with the fraction bits of the finer one."""
    fractions = [operator.operand(place).numbers.fraction_bits for place in range(2)]
    most = max(fractions)
    first, second = (
        values.astype(np.int64) << most - fraction
        for values, fraction in zip((left, right), fractions, strict=True)
    )
    return first, second, most


def add(operator: BoundOperator, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """`left` + `right`, with NumPy's broadcasting."""
    first, second, fraction_bits = _aligned(operator, left, right)
    return _elementwise(operator, first + second, fraction_bits)


def subtract(operator: BoundOperator, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """`left` - `right`, with NumPy's broadcasting."""
    first, second, fraction_bits = _aligned(operator, left, right)
    return _elementwise(operator, first - second, fraction_bits)


def _elementwise(operator: BoundOperator, total: Int64, fraction_bits: int) -> np.ndarray:
    attributes, numbers = operator.attributes, operator.ofm.numbers
    assert isinstance(attributes, ElementwiseAttributes)
    return _stored(total, fraction_bits, numbers, value_range(attributes.activation, numbers))


def pad(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """Zeros around `ifm`."""
    attributes = operator.attributes
    assert isinstance(attributes, PadAttributes)
    return np.pad(ifm, tuple(zip(attributes.before, attributes.after, strict=True)))


def relu(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """Nothing below zero."""
    return np.maximum(ifm, 0).astype(ifm.dtype)


def reshape(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The same values in the ofm's shape."""
    return ifm.reshape(operator.ofm.shape)


FIXED_POINT_KERNELS: dict[str, tuple[Callable[..., np.ndarray], int]] = {
    "ADD": (add, 2),
    "AVERAGE_POOL_2D": (average_pool_2d, 1),
    "CONV_2D": (conv_2d, 1),
    "DEPTHWISE_CONV_2D": (depthwise_conv_2d, 1),
    "FULLY_CONNECTED": (fully_connected, 1),
    "MAX_POOL_2D": (max_pool_2d, 1),
    "PAD": (pad, 1),
    "RELU": (relu, 1),
    "RESHAPE": (reshape, 1),
    "SUB": (subtract, 2),
}
"""The kernel of each kind, and how many of the inputs it is handed."""
