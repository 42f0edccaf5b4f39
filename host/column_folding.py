"""Strided convolutions over shallow images read several pixels as one.

An image of few channels leaves most lanes of an array without work. In memory, packed NHWC, `stride` neighbouring
pixels are as good as one pixel with the channels of all of them; over these the convolution has a stride of 1 and a
kernel of fewer columns, zero where a column is not its own. So the same bytes take fewer reduction steps, and nothing
is moved. A row whose width is no multiple of the stride ends in the next one's pixels, which only zeros multiply.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape


def fold_columns(layers: Sequence[Layer], in_memory: Collection[str], brick_channels: int) -> list[Layer]:
    """The same results with fewer reduction steps, of layers whose ifm is one of the maps that are `in_memory`."""
    return [
        _folded(layer) if layer.ifm in in_memory and _gains(layer, brick_channels) else layer
        for layer in layers
    ]


def elements_beyond(layers: Sequence[Layer], name: str) -> int:
    """Elements behind the map `name` that its readers fetch, and do not use."""
    readers = [layer for layer in layers if layer.ifm == name and layer.ifm_row_pitch is not None]
    return max(
        (layer.ifm_shape.width * layer.ifm_shape.channels - (layer.ifm_row_pitch or 0) for layer in readers),
        default=0,
    )


def _gains(layer: Layer, brick_channels: int) -> bool:
    window = layer.window
    if (
        layer.kind is not LayerKind.CONVOLUTION
        or not layer.reads_every_channel
        or window.stride_x == 1
        or window.dilation_x != 1
    ):
        return False
    beyond = (layer.ofm_shape.width - 1) * window.stride_x - window.pad_left + window.width
    if layer.ifm_shape.width % window.stride_x and beyond > layer.ifm_shape.width:
        return False  # padding on the right begins within a pixel of the folded row
    channels = layer.ifm_shape.channels
    steps = window.width * -(-channels // brick_channels)
    folded = _folded_width(layer) * -(-channels * window.stride_x // brick_channels)
    return folded < steps


def _lead(layer: Layer) -> int:
    """Columns of the folded kernel before the first of its own."""
    return -layer.window.pad_left % layer.window.stride_x


def _folded_width(layer: Layer) -> int:
    return -(-(_lead(layer) + layer.window.width) // layer.window.stride_x)


def _folded(layer: Layer) -> Layer:
    assert layer.weights is not None
    window, shape, lead = layer.window, layer.ifm_shape, _lead(layer)
    stride, width = window.stride_x, _folded_width(layer)
    outputs, height, columns, channels = layer.weights.shape
    weights = np.zeros((outputs, height, width * stride, channels), layer.weights.dtype)
    weights[:, :, lead : lead + columns] = layer.weights
    pixels = -(-shape.width // stride)
    return replace(
        layer,
        ifm_shape=MapShape(shape.height, pixels, stride * channels),
        ifm_row_pitch=shape.width * channels if shape.width % stride else None,
        weights=weights.reshape(outputs, height, width, stride * channels),
        window=replace(window, width=width, stride_x=1, pad_left=-(-window.pad_left // stride)),
    )
