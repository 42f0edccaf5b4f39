"""A feature map too large for the buffer, computed and used up in two parts of its channels.

Stripes of rows do not help a layer whose every output needs all rows, as pooling over a whole map does. Such a
layer treats each channel by itself, so the convolution before it may deliver its channels in parts.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from celosia.generators.chassis.layer import (
    Layer,
    LayerKind,
    MapShape,
    treats_channels_apart,
)


def split_channels(
    layers: Sequence[Layer], reader: Layer, outputs: Collection[str], brick_channels: int
) -> list[Layer] | None:
    """The same layers with `reader` and the convolution whose map it reads cut in two; None if they cannot be.

    Args:
        layers: of a section, in order.
        reader: the layer that does not fit, maybe a part of one of `layers`, which cannot be cut further.
        outputs: maps that are needed outside, which stay whole.
        brick_channels: of the unified buffer.
    """
    writers = [layer for layer in layers if layer.ofm == reader.ifm]
    readers = [layer for layer in layers if reader.ifm in (layer.ifm, layer.ifm2)]
    bricks = -(-reader.ifm_shape.channels // brick_channels)
    if (
        all(layer is not reader for layer in layers)
        or not treats_channels_apart(reader)
        or any(layer.is_wide for layer in (reader, *writers))
        or len(writers) != 1
        or len(readers) != 1
        or writers[0].kind is not LayerKind.CONVOLUTION
        or writers[0].ofm_shape != reader.ifm_shape
        or reader.ifm in outputs
        or bricks < 2
    ):
        return None
    middle = bricks // 2 * brick_channels
    parts: list[Layer] = []
    for low, high in ((0, middle), (middle, reader.ifm_shape.channels)):
        name = f"{reader.ifm}, channels {low}..{high - 1}"
        parts.append(replace(_channels(writers[0], low, high), ofm=name))
        part = _channels(reader, low, high)
        parts.append(
            replace(
                part,
                ifm=name,
                ifm_shape=_with_channels(reader.ifm_shape, high - low),
                ofm_channel=reader.ofm_channel + low,
            )
        )
    others = [layer for layer in layers if layer is not writers[0]]
    place = next(index for index, layer in enumerate(others) if layer is reader)
    return [*others[:place], *parts, *others[place + 1 :]]


def _with_channels(shape: MapShape, channels: int) -> MapShape:
    return MapShape(shape.height, shape.width, channels)


def _channels(layer: Layer, low: int, high: int) -> Layer:
    """The layer's ofm channels low..high-1."""
    return replace(
        layer,
        ofm_shape=_with_channels(layer.ofm_shape, high - low),
        weights=None if layer.weights is None else layer.weights[low:high],
        requantization=layer.requantization.of_channels(slice(low, high)),
        macs=layer.macs * (high - low) // layer.ofm_shape.channels,
    )
