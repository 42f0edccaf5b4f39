"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED.

Sources: TensorFlow Lite ``kernels/internal/reference/integer_ops/{conv,depthwise_conv,fully_connected}.h``.
Padding contributes nothing to the accumulator, which is int32 and wraps.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from celosia.hdl.arithmetic_model import wrap_int32

from ..attributes import ConvAttributes, DepthwiseAttributes, FullyConnectedAttributes
from ..graph import BoundOperator
from ..quantization import activation_range, convolution_rescale
from ..shapes import convolution_window
from .arithmetic import centered, store
from .windows import Tap, groups, taps

__all__ = ["conv_2d", "depthwise_conv_2d", "fully_connected"]


def _taps(
    operator: BoundOperator, kernel: tuple[int, int], attributes: ConvAttributes | DepthwiseAttributes
) -> Iterator[Tap]:
    shape = operator.ifm.shape
    windows = convolution_window(shape, kernel, attributes)
    return taps((shape[1], shape[2]), windows, kernel, attributes.stride, attributes.dilation)


def _bias(operator: BoundOperator) -> npt.NDArray[np.int64]:
    bias = operator.bias
    return np.zeros(1, np.int64) if bias is None else bias.constant.astype(np.int64).reshape(-1)


def conv_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """NHWC ``ifm`` with weights of shape (ofm channels, height, width, ifm channels of a group)."""
    attributes = operator.attributes
    if not isinstance(attributes, ConvAttributes):
        raise TypeError(f"attributes must be ConvAttributes, not {type(attributes).__name__}")
    # Products and sums stay below 2**53, so float64 is exact and BLAS does the work.
    weights = operator.weights.constant.astype(np.float64)
    accumulator = np.zeros(operator.ofm.shape, np.float64)
    image = centered(ifm, operator.ifm).astype(np.float64)
    for outputs, inputs in groups(ifm.shape[3], len(weights), weights.shape[3]):
        for tap in _taps(operator, weights.shape[1:3], attributes):
            accumulator[*tap.ofm, outputs] += image[*tap.ifm, inputs] @ weights[outputs, tap.y, tap.x].T
    bounds = activation_range(attributes.activation, operator.ofm)
    total = wrap_int32(accumulator.astype(np.int64) + _bias(operator))
    return store(total, convolution_rescale(operator), operator.ofm, bounds)


def depthwise_conv_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """NHWC ``ifm`` with weights of shape (1, height, width, ofm channels)."""
    attributes = operator.attributes
    if not isinstance(attributes, DepthwiseAttributes):
        raise TypeError(f"attributes must be DepthwiseAttributes, not {type(attributes).__name__}")
    weights = operator.weights.constant.astype(np.int64)
    accumulator = np.zeros(operator.ofm.shape, np.int64)
    image = np.repeat(centered(ifm, operator.ifm), attributes.depth_multiplier, axis=3)
    for tap in _taps(operator, weights.shape[1:3], attributes):
        accumulator[tap.ofm] += image[tap.ifm] * weights[0, tap.y, tap.x]
    bounds = activation_range(attributes.activation, operator.ofm)
    total = wrap_int32(accumulator + _bias(operator))
    return store(total, convolution_rescale(operator), operator.ofm, bounds)


def fully_connected(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """Rows of ``ifm`` with weights of shape (ofm channels, row length)."""
    attributes = operator.attributes
    if not isinstance(attributes, FullyConnectedAttributes):
        raise TypeError(f"attributes must be FullyConnectedAttributes, not {type(attributes).__name__}")
    weights = operator.weights.constant.astype(np.float64)
    rows = centered(ifm, operator.ifm).reshape(-1, weights.shape[1]).astype(np.float64)
    bounds = activation_range(attributes.activation, operator.ofm)
    total = wrap_int32((rows @ weights.T).astype(np.int64) + _bias(operator))
    return store(total, convolution_rescale(operator), operator.ofm, bounds).reshape(operator.ofm.shape)
