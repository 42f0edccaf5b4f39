"""Maps of one column are laid on their side: an engine works along rows.

Networks over time have maps of height T and width 1. As one row of T pixels, with kernels turned alike, neighbours in
time are neighbours in the unified buffer: pixels of a tile, and kernel taps of a depthwise step. The bytes in
memory are the same either way.
"""

from collections.abc import Sequence
from dataclasses import replace

from celosia.generators.chassis.layer import Broadcast, Layer, MapShape, Window
from celosia.generators.chassis.placement import UnifiedBuffer

_LARGEST_SHARE = 8
"""A row lies in the unified buffer whole; a map beyond this part of it stays upright, to be cut into stripes."""


def turned_shape(shape: MapShape) -> MapShape:
    """The shape with height and width exchanged."""
    return MapShape(shape.width, shape.height, shape.channels)


def can_turn(layers: Sequence[Layer], buffer: UnifiedBuffer) -> bool:
    """Whether every map of the layers has one column, one of them more than one row, and none too many.

    Images one below the other stay so: a layer tells them apart by their rows.
    """
    shapes = [
        shape
        for layer in layers
        for shape in (layer.ifm_shape, layer.ifm2_shape, layer.ofm_shape)
        if shape is not None
    ]
    return (
        all(shape.width == 1 for shape in shapes)
        and all(layer.ofm_x == 0 and layer.ifm_rows is None for layer in layers)
        and max((shape.height for shape in shapes), default=1) > 1
        and all(buffer.whole(shape).bricks <= buffer.bricks // _LARGEST_SHARE for shape in shapes)
    )


def turned(layer: Layer) -> Layer:
    """The same layer over maps laid on their side."""
    window, broadcast = layer.window, layer.broadcast
    return replace(
        layer,
        ifm_shape=turned_shape(layer.ifm_shape),
        ofm_shape=turned_shape(layer.ofm_shape),
        ifm2_shape=None if layer.ifm2_shape is None else turned_shape(layer.ifm2_shape),
        window=Window(
            height=window.width,
            width=window.height,
            stride_y=window.stride_x,
            stride_x=window.stride_y,
            dilation_y=window.dilation_x,
            dilation_x=window.dilation_y,
            pad_top=window.pad_left,
            pad_left=window.pad_top,
        ),
        weights=None if layer.weights is None else layer.weights.swapaxes(1, 2),
        broadcast=Broadcast(broadcast.pixels, broadcast.rows, broadcast.channels),
        ofm_y=layer.ofm_x,
        ofm_x=layer.ofm_y,
    )
