"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN as layers."""

from dataclasses import replace
from itertools import groupby

import numpy as np

from celosia.generators.chassis.fixed_point import FixedPointScaling
from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window

from ..attributes import Activation, MeanAttributes, PoolAttributes
from ..binary_point import value_range
from ..graph import BoundOperator
from ..quantization import Rescale, activation_range, mean_rescale
from ..shapes import Window as Axis
from ..shapes import pooling_window
from .batch import image_view, images_of, over_images
from .context import EngineRefusal, Source, requantization
from .fixed_point import copied


def _pool(operator: BoundOperator) -> tuple[PoolAttributes, Axis, Axis]:
    attributes = operator.attributes
    assert isinstance(attributes, PoolAttributes)
    rows, columns = pooling_window(operator.ifm.shape, attributes)
    return attributes, rows, columns


def _strides(attributes: PoolAttributes, rows: Axis, columns: Axis) -> tuple[int, int]:
    return (
        attributes.stride[0] if rows.size > 1 else 1,
        attributes.stride[1] if columns.size > 1 else 1,
    )


def _clamp(
    operator: BoundOperator, activation: Activation, channels: int
) -> Requantization | FixedPointScaling:
    """Values as they are, within the activation's bounds."""
    if operator.has_binary_points:
        return copied(operator, value_range(activation, operator.ofm.numbers), channels)
    minimum, maximum = activation_range(activation, operator.ofm)
    return replace(Requantization.identity(channels), minimum=minimum, maximum=maximum)


def max_pool_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """MAX_POOL_2D is one layer, or one for each image; padding reads as the smallest value."""
    attributes, rows, columns = _pool(operator)
    stride_y, stride_x = _strides(attributes, rows, columns)
    shape = image_view(operator.ofm)
    layer = Layer(
        name=operator.name,
        operator=operator.index,
        kind=LayerKind.MAXIMUM,
        ifm=source.maps[0],
        ofm=source.ofm,
        ifm_shape=image_view(operator.ifm),
        ofm_shape=shape,
        requantization=_clamp(operator, attributes.activation, shape.channels),
        window=Window(
            attributes.kernel[0],
            attributes.kernel[1],
            stride_y,
            stride_x,
            pad_top=rows.before,
            pad_left=columns.before,
        ),
        pad_value=operator.ifm.numbers.limits[0] if operator.has_binary_points else -128,
    )
    return over_images([layer], images_of(operator.ifm))


def division_rescale(count: int) -> Rescale:
    """Scaling of twice a sum that equals the sum divided by `count`, rounded half away from zero.

    With 2**k >= count, the doubled sum times M / 2**31, M = round(2**30 * 2**k / count), is the exact quotient
    scaled by 2**k and rounded to an integer: ties stay ties, and whatever is no tie is at least 2**k / (2 count) > 1/2
    away from one (or was not rounded, where 2**k = count), so that the second rounding, by 2**k, decides as a
    single one would.
    """
    shift = (count - 1).bit_length()
    return Rescale((((1 << (30 + shift)) + count // 2) // count,), (-shift,))


def _runs(ifm: int, kernel: int, stride: int, axis: Axis) -> list[tuple[int, int, int]]:
    """(first, last + 1, elements inside the image) of ofm positions that see equally many elements."""
    counts = [
        min(position * stride - axis.before + kernel, ifm) - max(position * stride - axis.before, 0)
        for position in range(axis.size)
    ]
    runs = []
    for count, group in groupby(range(axis.size), key=lambda position: counts[position]):
        positions = list(group)
        runs.append((positions[0], positions[-1] + 1, count))
    return runs


def _of_a_mean(shape: tuple[int, ...], operator: BoundOperator) -> np.ndarray:
    """Weights that make sums of what `_divided` divides."""
    if operator.has_binary_points:
        return np.ones(shape, operator.ofm.numbers.dtype)
    return np.full(shape, 2, np.int8)


def _divided(operator: BoundOperator, count: int, channels: int) -> Requantization | FixedPointScaling:
    """Sums of `count` pixels become their mean, within the activation's bounds."""
    attributes = operator.attributes
    assert isinstance(attributes, PoolAttributes)
    if operator.has_binary_points:
        if count & (count - 1):
            raise EngineRefusal(
                [f"means of fixed-point numbers must be of a power of two of pixels, not {count}"]
            )
        numbers = operator.ofm.numbers
        return FixedPointScaling(
            bias=np.zeros(channels, np.int64),
            right_shift=count.bit_length() - 1,
            to_even=numbers.rounding == "EVEN",
            minimum=value_range(attributes.activation, numbers)[0],
            maximum=value_range(attributes.activation, numbers)[1],
            bits=numbers.bits,
        )
    rescale, bounds = division_rescale(count), activation_range(attributes.activation, operator.ofm)
    return Requantization(
        bias=np.zeros(channels, np.int32),
        multiplier=np.full(channels, rescale.multiplier[0], np.int64).astype(np.int32),
        shift=np.full(channels, rescale.shift[0], np.int8),
        minimum=bounds[0],
        maximum=bounds[1],
    )


def average_pool_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """AVERAGE_POOL_2D is a depthwise convolution with weights of 2 and the division in the output stage; of fixed-point
    numbers one with weights of 1 and a shift.

    Padding does not count, so every rectangle of the ofm whose windows hold equally many pixels is a layer.

    Raises:
        EngineRefusal: windows of fixed-point numbers do not hold a power of two of pixels.
    """
    attributes, rows, columns = _pool(operator)
    stride_y, stride_x = _strides(attributes, rows, columns)
    ifm = image_view(operator.ifm)
    kernel = attributes.kernel
    layers = []
    for top, bottom, inside_y in _runs(ifm.height, kernel[0], stride_y, rows):
        for left, right, inside_x in _runs(ifm.width, kernel[1], stride_x, columns):
            shape = MapShape(bottom - top, right - left, ifm.channels)
            layers.append(
                Layer(
                    name=operator.name,
                    operator=operator.index,
                    kind=LayerKind.DEPTHWISE,
                    ifm=source.maps[0],
                    ofm=source.ofm,
                    ifm_shape=ifm,
                    ofm_shape=shape,
                    requantization=_divided(operator, inside_y * inside_x, ifm.channels),
                    window=Window(
                        kernel[0],
                        kernel[1],
                        stride_y,
                        stride_x,
                        pad_top=rows.before - top * stride_y,
                        pad_left=columns.before - left * stride_x,
                    ),
                    weights=_of_a_mean((ifm.channels, *kernel), operator),
                    ofm_y=top,
                    ofm_x=left,
                    macs=shape.size * inside_y * inside_x,
                )
            )
    return over_images(layers, images_of(operator.ifm))


def mean_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """MEAN over height and/or width is a depthwise convolution with weights of 1, of each image.

    Raises:
        EngineRefusal: there are other axes.
    """
    attributes = operator.attributes
    assert isinstance(attributes, MeanAttributes)
    shape = operator.ifm.shape
    row_axis, column_axis = len(shape) - 3, len(shape) - 2
    if not set(attributes.axes) <= {row_axis, column_axis}:
        raise EngineRefusal([f"axes must be height and width, not {attributes.axes} of shape {shape}"])
    ifm = image_view(operator.ifm)
    kernel = (
        ifm.height if row_axis in attributes.axes else 1,
        ifm.width if column_axis in attributes.axes else 1,
    )
    count = kernel[0] * kernel[1]
    layer = Layer(
        name=operator.name,
        operator=operator.index,
        kind=LayerKind.DEPTHWISE,
        ifm=source.maps[0],
        ofm=source.ofm,
        ifm_shape=ifm,
        ofm_shape=MapShape(ifm.height // kernel[0], ifm.width // kernel[1], ifm.channels),
        requantization=requantization(
            mean_rescale(operator, count),
            -operator.ifm.zero_point * count,
            operator.ofm,
            (-128, 127),
            ifm.channels,
        ),
        window=Window(*kernel),
        weights=np.ones((ifm.channels, *kernel), np.int8),
        macs=ifm.size,
    )
    return over_images([layer], images_of(operator.ifm))
