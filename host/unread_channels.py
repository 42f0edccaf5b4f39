"""Channels of feature maps that nobody reads are not computed.

Pruned networks have convolutions whose weights for an input channel are all zero. Such a channel of the map in front
need not exist, nor what only it needs, back to the first layer; every other value stays the same bit for bit.

Layers that take channel c to channel c (depthwise, pooling, element-wise) tie their maps together: these have the same
channels left out. Only whole bricks are left out; the channels that stay keep their order.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from celosia.generators.chassis.layer import ELEMENTWISE, Layer, LayerKind, MapShape, treats_channels_apart

Channels = npt.NDArray[np.intp]


def leave_out_unread_channels(
    layers: Sequence[Layer], kept: Collection[str], brick_channels: int
) -> list[Layer]:
    """The same results in `kept` (names of maps) from layers whose maps have no brick that only zeros multiply."""
    ties = _tied_maps(layers)
    fixed = {ties[name] for name in _whole_maps(layers, kept) if name in ties}
    read = _channels_read(layers, ties, fixed, brick_channels)
    left = {name: read[tie] for name, tie in ties.items() if tie in read}
    return [_narrowed(layer, left) for layer in layers]


def _keeps_channels_apart(layer: Layer) -> bool:
    """Whether channel c of every operand becomes channel c of the ofm."""
    return treats_channels_apart(layer) or layer.kind in ELEMENTWISE


def _tied_maps(layers: Sequence[Layer]) -> dict[str, str]:
    """For every map the name of one that stands for all those with the same channels."""
    ties: dict[str, str] = {}
    for layer in layers:
        for name in _maps(layer):
            ties.setdefault(name, name)
        if not _keeps_channels_apart(layer):
            continue
        tied = {ties[name] for name in _maps(layer) if name != layer.ifm2 or not layer.broadcast.channels}
        ties = {name: ties[layer.ofm] if tie in tied else tie for name, tie in ties.items()}
    return ties


def _maps(layer: Layer) -> Iterator[str]:
    yield layer.ifm
    yield layer.ofm
    if layer.ifm2 is not None:
        yield layer.ifm2


def _whole_maps(layers: Sequence[Layer], kept: Collection[str]) -> Iterator[str]:
    """Maps that keep all channels: of others' making or for others, made of parts, or read as another shape."""
    writers: dict[str, list[Layer]] = defaultdict(list)
    for layer in layers:
        writers[layer.ofm].append(layer)
    yield from kept
    for name, parts in writers.items():
        if len(parts) > 1 or (parts[0].ofm_y, parts[0].ofm_x, parts[0].ofm_channel) != (0, 0, 0):
            yield name
    for layer in layers:
        if layer.kind is not LayerKind.CONVOLUTION and not _keeps_channels_apart(layer):
            yield from _maps(layer)
        if layer.ifm2 is not None and layer.broadcast.channels:
            yield layer.ifm2
        for name, shape in ((layer.ifm, layer.ifm_shape), (layer.ifm2, layer.ifm2_shape)):
            if name is None or shape is None:
                continue
            if not writers[name] or writers[name][0].ofm_shape.channels != shape.channels:
                yield name
        if not layer.reads_every_channel:
            yield layer.ifm


def _channels_read(
    layers: Sequence[Layer], ties: Mapping[str, str], fixed: Collection[str], brick_channels: int
) -> dict[str, Channels]:
    """By map that stands for others: the channels that stay, of maps that lose a brick or more."""
    read = {
        ties[layer.ofm]: np.full(layer.ofm_shape.channels, ties[layer.ofm] in fixed)
        for layer in layers
        if ties[layer.ofm] not in fixed
    }
    convolutions = [
        layer for layer in layers if layer.kind is LayerKind.CONVOLUTION and ties[layer.ifm] in read
    ]
    is_settled = False
    while not is_settled:
        is_settled = True
        for layer in convolutions:
            assert layer.weights is not None
            weights = layer.weights[read[ties[layer.ofm]]] if ties[layer.ofm] in read else layer.weights
            before = read[ties[layer.ifm]]
            after = before | weights.any(axis=(0, 1, 2))
            is_settled &= bool((before == after).all())
            read[ties[layer.ifm]] = after
    return {
        name: _whole_bricks(channels, brick_channels)
        for name, channels in read.items()
        if _loses_brick(channels, brick_channels)
    }


def _loses_brick(read: npt.NDArray[np.bool_], brick_channels: int) -> bool:
    return -(-max(1, int(read.sum())) // brick_channels) < -(-len(read) // brick_channels)


def _whole_bricks(read: npt.NDArray[np.bool_], brick_channels: int) -> Channels:
    """The channels that are read, and as many others as fill the last brick."""
    count = -(-max(1, int(read.sum())) // brick_channels) * brick_channels
    return np.sort(np.argsort(~read, kind="stable")[:count])


def _narrowed(layer: Layer, left: Mapping[str, Channels]) -> Layer:
    """`layer` between the maps as they are left."""
    inputs, outputs = left.get(layer.ifm), left.get(layer.ofm)
    weights, macs = layer.weights, layer.macs
    if weights is not None and outputs is not None:
        weights = weights[outputs]
    if weights is not None and inputs is not None and layer.kind is LayerKind.CONVOLUTION:
        weights = weights[..., inputs]
    if weights is not None and layer.weights is not None:
        macs = macs * weights.size // layer.weights.size
    if outputs is not None:
        layer = replace(
            layer,
            requantization=layer.requantization.of_channels(outputs),
            ofm_shape=_with_channels(layer.ofm_shape, outputs),
        )
    if layer.ifm2 is not None and layer.ifm2_shape is not None and layer.ifm2 in left:
        layer = replace(layer, ifm2_shape=_with_channels(layer.ifm2_shape, left[layer.ifm2]))
    if inputs is not None:
        layer = replace(layer, ifm_shape=_with_channels(layer.ifm_shape, inputs), weights=weights)
    return replace(layer, weights=weights, macs=macs)


def _with_channels(shape: MapShape, channels: Channels) -> MapShape:
    return replace(shape, channels=len(channels))
