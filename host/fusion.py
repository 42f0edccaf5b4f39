"""Layers that need no run of their own are merged into their neighbours.

Three rules, applied until none applies: a table behind a layer joins that layer's output stage, so that a chain
of unary operators is one table; a copy that changes nothing is left out; padding before a convolution becomes the
convolution's own. A map that is needed outside of the section is always written.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from celosia.generators.chassis.layer import Layer, LayerKind, OutputStage, Requantization, Window

_EVERY = np.arange(-128, 128)
_WITH_OUTPUT_STAGE = frozenset(
    {LayerKind.CONVOLUTION, LayerKind.DEPTHWISE, LayerKind.MAXIMUM, LayerKind.ADD, LayerKind.MULTIPLY}
)
"""Kinds whose results pass the output stage last, and so its table."""


def fuse(layers: Sequence[Layer], kept: Collection[str]) -> list[Layer]:
    """The same results in `kept` (names of maps) from as few layers as the rules give."""
    result = list(layers)
    while (fused := _step(result, kept)) is not None:
        result = fused
    return result


def _step(layers: list[Layer], kept: Collection[str]) -> list[Layer] | None:
    for layer in layers:
        if layer.kind is not LayerKind.MAXIMUM or not _moves_whole_map(layers, layer):
            continue
        for rule in (_join_table, _leave_out_copy, _join_padding):
            fused = rule(layers, layer, kept)
            if fused is not None:
                return fused
    return None


def _writers(layers: Sequence[Layer], name: str) -> list[Layer]:
    return [layer for layer in layers if layer.ofm == name]


def _readers(layers: Sequence[Layer], name: str | None) -> list[Layer]:
    return [layer for layer in layers if name in (layer.ifm, layer.ifm2)]


def _moves_whole_map(layers: Sequence[Layer], layer: Layer) -> bool:
    """Whether a MAXIMUM layer is a copy (through a table, into a border) that writes all of its ofm."""
    window = layer.window
    return (
        (window.height, window.width, window.stride_y, window.stride_x) == (1, 1, 1, 1)
        and (layer.ofm_y, layer.ofm_x, layer.ofm_channel) == (0, 0, 0)
        and len(_writers(layers, layer.ofm)) == 1
        and layer.ifm_shape.channels == layer.ofm_shape.channels
        and _is_identity_scale(layer.requantization)
    )


def _is_identity_scale(requantization: OutputStage) -> bool:
    if not isinstance(requantization, Requantization):
        return False
    identity = Requantization.identity(len(requantization.bias))
    return (
        all(
            np.array_equal(getattr(requantization, name), getattr(identity, name))
            for name in ("bias", "multiplier", "shift")
        )
        and requantization.zero_point == 0
    )


def _table(requantization: Requantization) -> np.ndarray:
    """What the output stage makes of the scaled values -128..127."""
    clamped = np.clip(_EVERY, requantization.minimum, requantization.maximum)
    return clamped if requantization.table is None else requantization.table[clamped + 128].astype(np.int64)


def _has_border(layer: Layer) -> bool:
    return layer.ifm_shape != layer.ofm_shape or (layer.window.pad_top, layer.window.pad_left) != (0, 0)


def _without(layers: Sequence[Layer], gone: Layer, change: dict[int, Layer]) -> list[Layer]:
    return [change.get(id(layer), layer) for layer in layers if layer is not gone]


def _join_table(layers: list[Layer], layer: Layer, kept: Collection[str]) -> list[Layer] | None:
    """A copy through a table, behind a layer whose result nobody else wants."""
    writers = _writers(layers, layer.ifm)
    if (
        _has_border(layer)
        or len(writers) != 1
        or writers[0].kind not in _WITH_OUTPUT_STAGE
        or len(_readers(layers, layer.ifm)) != 1
        or layer.ifm in kept
        or writers[0].ofm_shape != layer.ifm_shape
    ):
        return None
    before = writers[0].int8_stage
    table = _table(layer.int8_stage)[_table(before) + 128].astype(np.int8)
    joined = replace(
        writers[0],
        name=f"{writers[0].name} + {layer.name}",
        ofm=layer.ofm,
        requantization=replace(before, minimum=-128, maximum=127, table=_or_none(table)),
    )
    return _without(layers, layer, {id(writers[0]): joined})


def _or_none(table: np.ndarray) -> np.ndarray | None:
    return None if np.array_equal(table, _EVERY) else table


def _leave_out_copy(layers: list[Layer], layer: Layer, kept: Collection[str]) -> list[Layer] | None:
    """A copy that changes nothing: its readers read what it reads."""
    readers = _readers(layers, layer.ofm)
    writers = _writers(layers, layer.ifm)
    if (
        _has_border(layer)
        or not np.array_equal(_table(layer.int8_stage), _EVERY)
        or layer.ofm in kept
        or not readers
        or any(writer.ofm_shape != layer.ifm_shape for writer in writers)
    ):
        return None
    change = {
        id(reader): replace(
            reader,
            name=f"{layer.name} + {reader.name}",
            ifm=layer.ifm if reader.ifm == layer.ofm else reader.ifm,
            ifm2=layer.ifm if reader.ifm2 == layer.ofm else reader.ifm2,
        )
        for reader in readers
    }
    return _without(layers, layer, change)


def _join_padding(layers: list[Layer], layer: Layer, kept: Collection[str]) -> list[Layer] | None:
    """A border of one value, in front of convolutions alone that pad with the same value or not at all."""
    readers = _readers(layers, layer.ofm)
    if (
        not np.array_equal(_table(layer.int8_stage), _EVERY)
        or layer.ofm in kept
        or not readers
        or any(not _takes_border(reader, layer) for reader in readers)
    ):
        return None
    change = {
        id(reader): replace(
            reader,
            name=f"{layer.name} + {reader.name}",
            ifm=layer.ifm,
            ifm_shape=layer.ifm_shape,
            pad_value=layer.pad_value,
            window=_with_border(reader.window, layer.window),
        )
        for reader in readers
    }
    return _without(layers, layer, change)


def _with_border(window: Window, border: Window) -> Window:
    return replace(
        window, pad_top=window.pad_top + border.pad_top, pad_left=window.pad_left + border.pad_left
    )


def _takes_border(reader: Layer, border: Layer) -> bool:
    return (
        reader.kind in (LayerKind.CONVOLUTION, LayerKind.DEPTHWISE)
        and reader.ifm_shape == border.ofm_shape
        and reader.ifm_rows is None
        and (reader.pad_value == border.pad_value or not _reads_padding(reader))
    )


def _reads_padding(layer: Layer) -> bool:
    """Whether some window reaches beyond the ifm."""
    window, ifm, ofm = layer.window, layer.ifm_shape, layer.ofm_shape
    bottom = (ofm.height - 1) * window.stride_y - window.pad_top + window.span_y
    right = (ofm.width - 1) * window.stride_x - window.pad_left + window.span_x
    return window.pad_top > 0 or window.pad_left > 0 or bottom > ifm.height or right > ifm.width
