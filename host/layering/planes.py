"""Operators with 16-bit operands as layers, where they differ from those of int8."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Window
from celosia.generators.chassis.wide_scaling import WideScaling

from ..attributes import Activation
from ..graph import BoundOperator
from ..quantization import activation_range, convolution_rescale
from .context import EngineRefusal, Source
from .memory_layout import in_bricks, planes_of
from .views import view

__all__ = ["in_planes", "product_layers", "wide_scaling"]

_LARGEST_PIXEL = 16384
"""Bytes, see `chassis.tiles.rules.map_size`."""


def wide_scaling(operator: BoundOperator, bias: np.ndarray, activation: Activation) -> WideScaling:
    """From sums of products of an int16 ifm to an int16 ofm."""
    channels = operator.ofm.shape[-1]
    rescale = convolution_rescale(operator)
    minimum, maximum = activation_range(activation, operator.ofm)
    return WideScaling(
        bias=np.broadcast_to(bias, (channels,)).astype(np.int64),
        multiplier=np.broadcast_to(np.array(rescale.multiplier, np.int64), (channels,)).astype(np.int32),
        shift=np.broadcast_to(np.array(rescale.shift, np.int64), (channels,)).astype(np.int8),
        minimum=minimum,
        maximum=maximum,
    )


def product_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """MATRIX_PRODUCT is a 1x1 convolution over the rows whose sums stay as they are; rows with more elements than a
    pixel has are kernels of several pixels.
    """
    weights = operator.weights.constant
    outputs, depth = weights.shape
    rows = operator.ifm.size // depth
    pixels = _pixels_of_row(depth * planes_of(operator.ifm), source.brick_channels)
    return [
        Layer(
            name=operator.name,
            operator=operator.index,
            kind=LayerKind.CONVOLUTION,
            ifm=source.maps[0],
            ofm=source.ofm,
            ifm_shape=MapShape(rows, pixels, depth // pixels),
            ofm_shape=MapShape(rows, 1, outputs),
            requantization=WideScaling.raw(np.zeros(outputs, np.int64)),
            window=Window(width=pixels),
            weights=weights.reshape(outputs, 1, pixels, depth // pixels),
            macs=operator.ofm.size * depth,
        )
    ]


def _pixels_of_row(size: int, brick_channels: int) -> int:
    """Fewest pixels of whole bricks, a power of two of them, that a row of `size` bytes is; 1 if there are none."""
    for pixels in (1, 2, 4, 8):
        if size <= pixels * _LARGEST_PIXEL and (pixels == 1 or size % (2 * pixels * brick_channels) == 0):
            return pixels
    return 1


def in_planes(
    layers: Sequence[Layer], operator: BoundOperator, lying: tuple[int, ...], brick_channels: int
) -> list[Layer]:
    """The layers of `operator` with the maps as they lie; those of the ifm as the tensor of shape `lying` does.

    Raises:
        EngineRefusal: the ifm lies otherwise than the layers read it.
    """
    ifm_planes, ofm_planes = planes_of(operator.ifm), planes_of(operator.ofm)
    if max(ifm_planes, ofm_planes) == 1:
        return list(layers)
    parts = []
    for layer in layers:
        ifm, ofm = layer.ifm_shape, layer.ofm_shape
        if ifm_planes > 1:
            # Bricks may be counted as others of the same bytes, if there are no others between them.
            channels = {view(lying).channels, ifm.channels}
            if len(channels) > 1 and any(count % brick_channels for count in channels):
                raise EngineRefusal([f"rows of {ifm.channels} int16 must not begin within a brick"])
            ifm = in_bricks(ifm, ifm_planes, brick_channels)
        if ofm_planes > 1:
            if layer.ofm_channel or layer.ofm_shape.channels != operator.ofm.shape[-1]:
                raise EngineRefusal(["int16 convolutions must not have groups"])
            ofm = in_bricks(ofm, ofm_planes, brick_channels)
        parts.append(
            replace(layer, ifm_shape=ifm, ofm_shape=ofm, ifm_planes=ifm_planes, ofm_planes=ofm_planes)
        )
    return parts
