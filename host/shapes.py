"""Window geometry and output shapes, as TensorFlow Lite computes them (``kernels/padding.h``)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .attributes import (
    ConcatenationAttributes,
    ConvAttributes,
    DepthwiseAttributes,
    FullyConnectedAttributes,
    MeanAttributes,
    PadAttributes,
    Padding,
    PoolAttributes,
)
from .graph import BoundOperator

__all__ = ["Window", "convolution_window", "infer_output_shape", "pooling_window", "window_along"]


_LARGEST_EXTENT = 1 << 16


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window in one dimension: where it starts and how many positions it takes.

    ``before`` and ``after`` count the padding elements the window may touch on either side.
    """

    size: int
    before: int
    after: int


def window_along(ifm: int, kernel: int, stride: int, dilation: int, padding: Padding) -> Window:
    """The window of ``kernel`` taps over ``ifm`` elements.

    SAME gives ``ceil(ifm / stride)`` positions, the odd padding element after the data; VALID pads nothing.
    Raises ValueError when no position fits or the kernel is absurdly large.
    """
    extent = (kernel - 1) * dilation + 1
    if extent > _LARGEST_EXTENT:
        raise ValueError(f"a kernel must span at most {_LARGEST_EXTENT} elements, not {extent}")
    size = (ifm + stride - 1) // stride if padding == "SAME" else (ifm + stride - extent) // stride
    if size < 1:
        raise ValueError(f"a kernel spanning {extent} elements must fit in {ifm} with VALID padding")
    total = max((size - 1) * stride + extent - ifm, 0)
    return Window(size, total // 2, total - total // 2)


def convolution_window(
    ifm_shape: tuple[int, ...], kernel: tuple[int, int], attributes: ConvAttributes | DepthwiseAttributes
) -> tuple[Window, Window]:
    """The (vertical, horizontal) windows of a convolution over an NHWC ``ifm_shape``."""
    vertical, horizontal = (
        window_along(
            ifm_shape[1 + axis],
            kernel[axis],
            attributes.stride[axis],
            attributes.dilation[axis],
            attributes.padding,
        )
        for axis in (0, 1)
    )
    return vertical, horizontal


def pooling_window(ifm_shape: tuple[int, ...], attributes: PoolAttributes) -> tuple[Window, Window]:
    """The (vertical, horizontal) windows of a pooling over an NHWC ``ifm_shape``."""
    vertical, horizontal = (
        window_along(
            ifm_shape[1 + axis], attributes.kernel[axis], attributes.stride[axis], 1, attributes.padding
        )
        for axis in (0, 1)
    )
    return vertical, horizontal


def infer_output_shape(operator: BoundOperator) -> tuple[int, ...]:
    """The shape of the operator's output from its inputs and attributes.

    Raises ValueError when the inputs do not go together, and for a kind of operator that is not known.
    """
    if operator.kind not in _INFERENCE:
        raise ValueError(f"{operator.kind} is not supported")
    return _INFERENCE[operator.kind](operator)


def _check_rank(what: str, shape: tuple[int, ...], rank: int) -> None:
    if len(shape) != rank:
        raise ValueError(f"{what} must have {rank} dimensions, not shape {shape}")


def _convolution_shape(operator: BoundOperator) -> tuple[int, ...]:
    ifm, weights = operator.ifm.shape, operator.weights.shape
    attributes = operator.attributes
    _check_rank("ifm", ifm, 4)
    _check_rank("weights", weights, 4)
    if isinstance(attributes, ConvAttributes):
        channels = weights[0]
        if not weights[3] or ifm[3] % weights[3]:
            raise ValueError(
                f"weights must have the ifm's {ifm[3]} channels, or those of a group, not {weights[3]}"
            )
        if channels % (groups := ifm[3] // weights[3]):
            raise ValueError(f"the {channels} channels of the ofm must be a multiple of {groups} groups")
    elif isinstance(attributes, DepthwiseAttributes):
        channels = ifm[3] * attributes.depth_multiplier
        if weights[0] != 1 or weights[3] != channels:
            raise ValueError(f"weights must have shape (1, height, width, {channels}), not {weights}")
    else:
        raise TypeError(f"attributes must be a convolution's, not {type(attributes).__name__}")
    vertical, horizontal = convolution_window(ifm, (weights[1], weights[2]), attributes)
    return ifm[0], vertical.size, horizontal.size, channels


def _fully_connected_shape(operator: BoundOperator) -> tuple[int, ...]:
    ifm, weights = operator.ifm, operator.weights.shape
    attributes = operator.attributes
    if not isinstance(attributes, FullyConnectedAttributes):
        raise TypeError(f"attributes must be FullyConnectedAttributes, not {type(attributes).__name__}")
    _check_rank("weights", weights, 2)
    channels, depth = weights
    if attributes.keep_dims:
        if not ifm.shape or ifm.shape[-1] != depth:
            raise ValueError(f"the ifm's last dimension must be {depth}, not shape {ifm.shape}")
        return *ifm.shape[:-1], channels
    if ifm.size % depth:
        raise ValueError(f"the ifm must hold a multiple of {depth} elements, not {ifm.size}")
    return ifm.size // depth, channels


def _matrix_product_shape(operator: BoundOperator) -> tuple[int, ...]:
    ifm, weights = operator.ifm.shape, operator.weights.shape
    _check_rank("weights", weights, 2)
    if not ifm or ifm[-1] != weights[1]:
        raise ValueError(f"the ifm's last dimension must be {weights[1]}, not shape {ifm}")
    return *ifm[:-1], weights[0]


def _broadcast_shape(operator: BoundOperator) -> tuple[int, ...]:
    left, right = (tensor.shape for tensor in operator.operands)
    try:
        return np.broadcast_shapes(left, right)
    except ValueError as error:
        raise ValueError(f"operands of shapes {left} and {right} must broadcast") from error


def _pooling_shape(operator: BoundOperator) -> tuple[int, ...]:
    ifm = operator.ifm.shape
    _check_rank("ifm", ifm, 4)
    if not isinstance(operator.attributes, PoolAttributes):
        raise TypeError(f"attributes must be PoolAttributes, not {type(operator.attributes).__name__}")
    vertical, horizontal = pooling_window(ifm, operator.attributes)
    return ifm[0], vertical.size, horizontal.size, ifm[3]


def _mean_shape(operator: BoundOperator) -> tuple[int, ...]:
    ifm = operator.ifm.shape
    attributes = operator.attributes
    if not isinstance(attributes, MeanAttributes):
        raise TypeError(f"attributes must be MeanAttributes, not {type(attributes).__name__}")
    if attributes.axes[-1] >= len(ifm):
        raise ValueError(f"axes must be below {len(ifm)}, not {attributes.axes}")
    if attributes.keep_dims:
        return tuple(1 if axis in attributes.axes else size for axis, size in enumerate(ifm))
    return tuple(size for axis, size in enumerate(ifm) if axis not in attributes.axes)


def _pad_shape(operator: BoundOperator) -> tuple[int, ...]:
    ifm = operator.ifm.shape
    attributes = operator.attributes
    if not isinstance(attributes, PadAttributes):
        raise TypeError(f"attributes must be PadAttributes, not {type(attributes).__name__}")
    _check_rank("ifm", ifm, len(attributes.before))
    return tuple(
        before + size + after
        for before, size, after in zip(attributes.before, ifm, attributes.after, strict=True)
    )


def _reshape_shape(operator: BoundOperator) -> tuple[int, ...]:
    ifm, shape = operator.ifm, operator.ofm.shape
    requested = operator.optional_operand(1)
    if requested is not None and requested.is_constant:
        if requested.size != len(shape):
            raise ValueError(
                f"the requested shape must have the ofm's {len(shape)} dimensions, not {requested.size}"
            )
        sizes = [int(size) for size in requested.constant.reshape(-1)]
        known = math.prod(size for size in sizes if size != -1)
        # One size may be left open: the number of elements says it.
        free = ifm.size // known if known > 0 and sizes.count(-1) == 1 else -1
        shape = tuple(free if size == -1 else size for size in sizes)
    if min(shape, default=1) < 1 or math.prod(shape) != ifm.size:
        raise ValueError(f"{ifm.size} elements of shape {ifm.shape} do not fill shape {shape}")
    return shape


def _concatenation_shape(operator: BoundOperator) -> tuple[int, ...]:
    shapes = [tensor.shape for tensor in operator.operands]
    attributes = operator.attributes
    if not isinstance(attributes, ConcatenationAttributes):
        raise TypeError(f"attributes must be ConcatenationAttributes, not {type(attributes).__name__}")
    axis = attributes.axis
    if axis >= len(shapes[0]):
        raise ValueError(f"axis must be below {len(shapes[0])}, not {axis}")
    if len({(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}) != 1 or len({*map(len, shapes)}) != 1:
        raise ValueError(f"shapes must agree in all but axis {axis}: {', '.join(map(str, shapes))}")
    return *shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]


def _same_shape(operator: BoundOperator) -> tuple[int, ...]:
    return operator.ifm.shape


_INFERENCE: dict[str, Callable[[BoundOperator], tuple[int, ...]]] = {
    "ADD": _broadcast_shape,
    "AVERAGE_POOL_2D": _pooling_shape,
    "CONCATENATION": _concatenation_shape,
    "CONV_2D": _convolution_shape,
    "DEPTHWISE_CONV_2D": _convolution_shape,
    "DEQUANTIZE": _same_shape,
    "FULLY_CONNECTED": _fully_connected_shape,
    "LOGISTIC": _same_shape,
    "MAX_POOL_2D": _pooling_shape,
    "MATRIX_PRODUCT": _matrix_product_shape,
    "MEAN": _mean_shape,
    "MUL": _broadcast_shape,
    "PAD": _pad_shape,
    "PADV2": _pad_shape,
    "QUANTIZE": _same_shape,
    "RELU": _same_shape,
    "RELU6": _same_shape,
    "RESHAPE": _reshape_shape,
    "SOFTMAX": _same_shape,
    "SUB": _broadcast_shape,
    "TANH": _same_shape,
}
