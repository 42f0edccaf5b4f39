"""PAD and CONCATENATION as layers."""

from dataclasses import replace

import numpy as np

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window

from ..attributes import ConcatenationAttributes, PadAttributes
from ..graph import BoundOperator
from .batch import image_view, images_of, over_images
from .context import Source, copy_layer
from .views import view


def _channel_placement(
    name: str, index: int, ifm: str, ofm: str, ifm_shape: MapShape, ofm_shape: MapShape, first: int, fill: int
) -> Layer:
    """A convolution that puts the ifm's channels at `first`; all other channels and the padding are `fill`."""
    weights = np.zeros((ofm_shape.channels, 1, 1, ifm_shape.channels), np.int8)
    channels = np.arange(ifm_shape.channels)
    weights[first + channels, 0, 0, channels] = 1
    bias = np.zeros(ofm_shape.channels, np.int32)
    bias[first + channels] = -fill
    identity = Requantization.identity(ofm_shape.channels)
    return Layer(
        name=name,
        operator=index,
        kind=LayerKind.CONVOLUTION,
        ifm=ifm,
        ofm=ofm,
        ifm_shape=ifm_shape,
        ofm_shape=ofm_shape,
        requantization=replace(identity, bias=bias, zero_point=fill),
        pad_value=fill,
        weights=weights,
    )


def pad_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """PAD of height and width is a copy with padding, of channels a convolution with unit weights, for every image."""
    attributes = operator.attributes
    assert isinstance(attributes, PadAttributes)
    missing = (0,) * (4 - len(operator.ifm.shape))
    before, after = missing + attributes.before, missing + attributes.after
    ifm_shape, ofm_shape = image_view(operator.ifm), image_view(operator.ofm)
    names = (operator.name, operator.index, source.maps[0], source.ofm)
    window = Window(pad_top=before[1], pad_left=before[2])
    fill = attributes.value
    if before[3] or after[3]:
        placed = _channel_placement(*names, ifm_shape, ofm_shape, before[3], fill)
        layer = replace(placed, window=window)
    else:
        layer = copy_layer(*names, ofm_shape, ifm_shape=ifm_shape, window=window, pad_value=fill)
    layers = over_images([layer], images_of(operator.ifm))
    return _with_margins(layers, before[0] * ofm_shape.height, after[0] * ofm_shape.height)


def _with_margins(layers: list[Layer], before: int, after: int) -> list[Layer]:
    """The same with more rows of padding, written by the first and the last layer."""
    moved = [replace(layer, ofm_y=layer.ofm_y + before) for layer in layers]
    first = _taller(moved[0], before)
    moved[0] = replace(first, ofm_y=0, window=replace(first.window, pad_top=first.window.pad_top + before))
    return [*moved[:-1], _taller(moved[-1], after)]


def _taller(layer: Layer, rows: int) -> Layer:
    shape = layer.ofm_shape
    return replace(layer, ofm_shape=MapShape(shape.height + rows, shape.width, shape.channels))


def concatenation_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """CONCATENATION copies every operand to its place.

    Along channels a place that does not start on a brick is reached by convolutions with unit weights into maps of
    the full depth, which are then added up.
    """
    attributes = operator.attributes
    assert isinstance(attributes, ConcatenationAttributes)
    rank = len(operator.ofm.shape)
    dimension = attributes.axis - rank
    shapes = [view(tensor.shape) for tensor in operator.operands]
    images = 1
    if dimension == -1:
        starts = np.cumsum([0, *(shape.channels for shape in shapes)])[:-1]
        if any(int(start) % source.brick_channels for start in starts):
            return _unaligned(operator, source, shapes, [int(start) for start in starts])
        offsets = [(0, 0, int(start)) for start in starts]
    elif dimension == -2:
        starts = np.cumsum([0, *(shape.width for shape in shapes)])[:-1]
        offsets = [(0, int(start), 0) for start in starts]
    else:
        if dimension == -3:
            images = images_of(operator.ofm)
            shapes = [image_view(tensor) for tensor in operator.operands]
        starts = np.cumsum([0, *(shape.height for shape in shapes)])[:-1]
        offsets = [(int(start), 0, 0) for start in starts]
    copies = [
        copy_layer(operator.name, operator.index, ifm, source.ofm, shape, offset=offset)
        for ifm, shape, offset in zip(source.maps, shapes, offsets, strict=True)
    ]
    return over_images(copies, images)


def _unaligned(
    operator: BoundOperator, source: Source, shapes: list[MapShape], starts: list[int]
) -> list[Layer]:
    whole = view(operator.ofm.shape)
    layers: list[Layer] = []
    total = ""
    last = len(shapes) - 1
    plain = np.stack([np.arange(-128, 128)] * 2).astype(np.int32)
    for position, (ifm, shape, start) in enumerate(zip(source.maps, shapes, starts, strict=True)):
        placed = f"{source.ofm}, operand {position}"
        layers.append(_channel_placement(operator.name, operator.index, ifm, placed, shape, whole, start, 0))
        if position == 0:
            total = placed
            continue
        result = source.ofm if position == last else f"{source.ofm}, sum {position}"
        layers.append(
            Layer(
                name=operator.name,
                operator=operator.index,
                kind=LayerKind.ADD,
                ifm=total,
                ifm2=placed,
                ofm=result,
                ifm_shape=whole,
                ifm2_shape=whole,
                ofm_shape=whole,
                requantization=Requantization.identity(whole.channels),
                operand_tables=plain,
            )
        )
        total = result
    return layers
