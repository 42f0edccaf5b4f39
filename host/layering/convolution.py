"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED as layers."""

import math
from dataclasses import replace

import numpy as np

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, OutputStage, Window

from ..attributes import Activation, ConvAttributes, DepthwiseAttributes, FullyConnectedAttributes
from ..graph import BoundOperator
from ..quantization import activation_range, convolution_rescale
from ..shapes import convolution_window
from .batch import image_view, images_of, over_images
from .context import Source, requantization
from .fixed_point import products_scaled
from .planes import wide_scaling
from .views import view


def _bias(operator: BoundOperator) -> np.ndarray:
    bias = operator.bias
    return np.zeros(1, np.int64) if bias is None else bias.constant.astype(np.int64).reshape(-1)


def _folded_bias(operator: BoundOperator, weights: np.ndarray) -> np.ndarray:
    """Bias minus the ifm's zero point times the sum of an output's weights ([o, ...])."""
    sums = weights.reshape(len(weights), -1).astype(np.int64).sum(axis=1)
    return _bias(operator) - operator.ifm.zero_point * sums


def _output_stage(
    operator: BoundOperator, weights: np.ndarray, activation: Activation, channels: int
) -> OutputStage:
    if operator.has_binary_points:
        return products_scaled(operator, _bias(operator), activation, channels)
    if operator.is_wide:
        return wide_scaling(operator, _bias(operator), activation)
    return requantization(
        convolution_rescale(operator),
        _folded_bias(operator, weights),
        operator.ofm,
        activation_range(activation, operator.ofm),
        channels,
    )


def _pad_value(operator: BoundOperator) -> int:
    """What stands for zero."""
    return 0 if operator.has_binary_points else operator.ifm.zero_point


def _window(
    operator: BoundOperator, kernel: tuple[int, int], attributes: ConvAttributes | DepthwiseAttributes
) -> Window:
    """Kernel geometry; strides and dilations that never take effect become 1."""
    rows, columns = convolution_window(operator.ifm.shape, kernel, attributes)
    return Window(
        height=kernel[0],
        width=kernel[1],
        stride_y=attributes.stride[0] if rows.size > 1 else 1,
        stride_x=attributes.stride[1] if columns.size > 1 else 1,
        dilation_y=attributes.dilation[0] if kernel[0] > 1 else 1,
        dilation_x=attributes.dilation[1] if kernel[1] > 1 else 1,
        pad_top=rows.before,
        pad_left=columns.before,
    )


def _convolution(
    operator: BoundOperator, source: Source, kind: LayerKind, weights: np.ndarray, depth_multiplier: int = 1
) -> list[Layer]:
    """A convolution of either kind over every image; `weights` as a `Layer` has them."""
    attributes = operator.attributes
    assert isinstance(attributes, ConvAttributes | DepthwiseAttributes)
    shape = image_view(operator.ofm)
    layer = Layer(
        name=operator.name,
        operator=operator.index,
        kind=kind,
        ifm=source.maps[0],
        ofm=source.ofm,
        ifm_shape=image_view(operator.ifm),
        ofm_shape=shape,
        requantization=_output_stage(operator, weights, attributes.activation, shape.channels),
        window=_window(operator, (weights.shape[1], weights.shape[2]), attributes),
        pad_value=_pad_value(operator),
        weights=weights,
        depth_multiplier=depth_multiplier,
        macs=shape.size * weights[0].size,
    )
    parts = _parts_of_groups(layer, source.brick_channels) if kind is LayerKind.CONVOLUTION else [layer]
    return over_images(parts, images_of(operator.ifm))


def _parts_of_groups(layer: Layer, brick_channels: int) -> list[Layer]:
    """A layer for every group of the convolution, or for as few of them as fill whole bricks of the ofm together.

    To the groups that share a layer the channels of the others are zero weights.
    """
    assert layer.weights is not None
    inputs, outputs = layer.weights.shape[3], layer.ofm_shape.channels
    groups = layer.ifm_shape.channels // inputs
    if groups == 1:
        return [layer]
    outputs //= groups
    together = min(groups, brick_channels // math.gcd(outputs, brick_channels))
    return [
        _part_of_groups(layer, first, min(first + together, groups), (inputs, outputs))
        for first in range(0, groups, together)
    ]


def _part_of_groups(layer: Layer, first: int, last: int, sizes: tuple[int, int]) -> Layer:
    """Groups first..last-1 of those that have so many channels of the ifm and of the ofm."""
    assert layer.weights is not None
    inputs, outputs = sizes
    low, count = first * outputs, (last - first) * outputs
    kernels = layer.weights[low : low + count]
    weights = np.zeros((*kernels.shape[:3], (last - first) * inputs), kernels.dtype)
    for group in range(last - first):
        own = slice(group * outputs, (group + 1) * outputs)
        weights[own, :, :, group * inputs : (group + 1) * inputs] = kernels[own]
    return replace(
        layer,
        weights=weights,
        ifm_channel=first * inputs,
        ofm_shape=replace(layer.ofm_shape, channels=count),
        ofm_channel=low,
        requantization=layer.requantization.of_channels(slice(low, low + count)),
        macs=layer.macs * count // layer.ofm_shape.channels,
    )


def convolution_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """CONV_2D is one layer, or one for each image and group."""
    return _convolution(operator, source, LayerKind.CONVOLUTION, operator.weights.constant)


def depthwise_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """DEPTHWISE_CONV_2D likewise; over a single input channel it is an ordinary convolution."""
    attributes = operator.attributes
    assert isinstance(attributes, DepthwiseAttributes)
    weights = operator.weights.constant[0].transpose(2, 0, 1)
    if operator.ifm.shape[-1] == 1 and attributes.depth_multiplier > 1:
        return _convolution(operator, source, LayerKind.CONVOLUTION, weights[..., None])
    return _convolution(operator, source, LayerKind.DEPTHWISE, weights, attributes.depth_multiplier)


def fully_connected_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """FULLY_CONNECTED is a convolution: over the whole ifm if there is one row, else 1x1 over the rows."""
    attributes = operator.attributes
    assert isinstance(attributes, FullyConnectedAttributes)
    weights = operator.weights.constant
    outputs, depth = weights.shape
    rows = operator.ifm.size // depth
    natural = view(operator.ifm.shape)
    whole_map = rows == 1 and max(natural.height, natural.width) <= 255
    ifm_shape = natural if whole_map else MapShape(1, rows, depth)
    kernel = (ifm_shape.height, ifm_shape.width) if whole_map else (1, 1)
    return [
        Layer(
            name=operator.name,
            operator=operator.index,
            kind=LayerKind.CONVOLUTION,
            ifm=source.maps[0],
            ofm=source.ofm,
            ifm_shape=ifm_shape,
            ofm_shape=MapShape(1, rows, outputs),
            requantization=_output_stage(operator, weights, attributes.activation, outputs),
            window=Window(height=kernel[0], width=kernel[1]),
            pad_value=_pad_value(operator),
            weights=weights.reshape(outputs, *kernel, ifm_shape.channels),
            macs=operator.ofm.size * depth,
        )
    ]
