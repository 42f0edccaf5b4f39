"""Tiles of weights: rows are input channels, columns output channels, what is not there is zero."""

import numpy as np

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window
from celosia.generators.chassis.tiles.weight_tiles import weight_tiles
from celosia.generators.systolic.config import PRESETS
from celosia.generators.systolic.tiling import choose_tiling

CONFIG = PRESETS["tpu-8x8"]


def layer(kind: LayerKind, inputs: int, outputs: int, multiplier: int = 1) -> Layer:
    shape = (outputs, 2, 3, inputs) if kind is LayerKind.CONVOLUTION else (outputs, 2, 3)
    return Layer(
        name="layer",
        operator=0,
        kind=kind,
        ifm="ifm",
        ofm="ofm",
        ifm_shape=MapShape(4, 5, inputs),
        ofm_shape=MapShape(3, 3, outputs),
        requantization=Requantization.identity(outputs),
        window=Window(2, 3),
        weights=np.random.default_rng(inputs).integers(-128, 128, shape, np.int8),
        depth_multiplier=multiplier,
    )


def test_a_convolution_is_cut_into_tiles_of_rows_and_columns() -> None:
    wide = layer(LayerKind.CONVOLUTION, 11, 19)
    tiles = weight_tiles(wide, choose_tiling(wide, 3, CONFIG), CONFIG)
    assert tiles.shape == (3, 2, 3, 2, 8, 8)
    assert wide.weights is not None
    for output in range(24):
        for channel in range(16):
            column = tiles[output // 8, :, :, channel // 8, channel % 8, output % 8]
            inside = output < 19 and channel < 11
            np.testing.assert_array_equal(column, wide.weights[output, :, :, channel] if inside else 0)


def test_a_depthwise_layer_has_a_weight_in_each_column() -> None:
    plain = layer(LayerKind.DEPTHWISE, 10, 10)
    tiles = weight_tiles(plain, choose_tiling(plain, 3, CONFIG), CONFIG)
    assert tiles.shape == (2, 2, 3, 1, 8, 8)
    assert plain.weights is not None
    for output in range(10):
        np.testing.assert_array_equal(
            tiles[output // 8, :, :, 0, output % 8, output % 8], plain.weights[output]
        )
    assert np.count_nonzero(tiles) == np.count_nonzero(plain.weights)


def test_outputs_of_a_channel_stand_in_its_row() -> None:
    multiplied = layer(LayerKind.DEPTHWISE, 9, 27, multiplier=3)
    tiles = weight_tiles(multiplied, choose_tiling(multiplied, 3, CONFIG), CONFIG)
    assert multiplied.weights is not None
    for output in range(27):
        channel = output // 3
        np.testing.assert_array_equal(
            tiles[output // 8, :, :, 0, channel % 8, output % 8], multiplied.weights[output]
        )
