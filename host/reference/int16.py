"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED of int16 activations and int8 weights, and exact matrix products.

Sources: TensorFlow Lite ``kernels/internal/reference/integer_ops/{conv,depthwise_conv,fully_connected}.h``, whose
accumulators are int64 there.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from celosia.hdl.arithmetic_model import multiply_wide_by_quantized_multiplier

from ..attributes import ConvAttributes, DepthwiseAttributes, FullyConnectedAttributes
from ..graph import BoundOperator
from ..quantization import activation_range, convolution_rescale
from ..shapes import convolution_window
from .layout import reshape
from .windows import Tap, groups, taps

__all__ = ["INT16_KERNELS"]

Int64 = npt.NDArray[np.int64]


def _stored(operator: BoundOperator, sums: Int64) -> np.ndarray:
    """Sums of products with the bias, rescaled, clamped."""
    attributes = operator.attributes
    if not isinstance(attributes, ConvAttributes | DepthwiseAttributes | FullyConnectedAttributes):
        raise TypeError(f"attributes must be a convolution's, not {type(attributes).__name__}")
    bias = 0 if operator.bias is None else operator.bias.constant.astype(np.int64).reshape(-1)
    rescale = convolution_rescale(operator)
    scaled = multiply_wide_by_quantized_multiplier(
        sums + bias, np.array(rescale.multiplier), np.array(rescale.shift)
    )
    return np.clip(scaled, *activation_range(attributes.activation, operator.ofm)).astype(operator.ofm.dtype)


def _taps(operator: BoundOperator) -> list[Tap]:
    attributes, shape = operator.attributes, operator.ifm.shape
    assert isinstance(attributes, ConvAttributes | DepthwiseAttributes)
    kernel = operator.weights.shape[1], operator.weights.shape[2]
    windows = convolution_window(shape, kernel, attributes)
    return list(taps((shape[1], shape[2]), windows, kernel, attributes.stride, attributes.dilation))


def _conv_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    weights = operator.weights.constant.astype(np.int64)
    image = ifm.astype(np.int64)
    sums = np.zeros(operator.ofm.shape, np.int64)
    for outputs, inputs in groups(ifm.shape[3], len(weights), weights.shape[3]):
        for tap in _taps(operator):
            sums[*tap.ofm, outputs] += image[*tap.ifm, inputs] @ weights[outputs, tap.y, tap.x].T
    return _stored(operator, sums)


def _depthwise_conv_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    weights = operator.weights.constant.astype(np.int64)
    image = np.repeat(ifm.astype(np.int64), operator.ofm.shape[3] // ifm.shape[3], axis=3)
    sums = np.zeros(operator.ofm.shape, np.int64)
    for tap in _taps(operator):
        sums[tap.ofm] += image[tap.ifm] * weights[0, tap.y, tap.x]
    return _stored(operator, sums)


def _fully_connected(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    return _stored(operator, _matrix_product(operator, ifm))


def _matrix_product(operator: BoundOperator, ifm: np.ndarray) -> Int64:
    weights = operator.weights.constant.astype(np.int64)
    rows = ifm.reshape(-1, weights.shape[1]).astype(np.int64)
    return (rows @ weights.T).reshape(operator.ofm.shape)


INT16_KERNELS: dict[str, Callable[[BoundOperator, np.ndarray], np.ndarray]] = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "MATRIX_PRODUCT": _matrix_product,
    "RESHAPE": reshape,
}
"""Of each kind, from the ifm."""
