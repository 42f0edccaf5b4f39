"""Weights as an array of multipliers takes them: tile after tile, a row for each channel of a brick."""

import numpy as np
import numpy.typing as npt

from ..layer import Layer, LayerKind
from .tile_config import TileConfig
from .tiling import Tiling, channel_bricks, output_blocks


def weight_tiles(layer: Layer, tiling: Tiling, config: TileConfig) -> npt.NDArray[np.signedinteger]:
    """Weights in the order of the loop nest.

    Returns:
        [block group, kernel row, kernel column, channel brick, row, column], where a column is an output channel
        and those that a block group does not use are zero.
    """
    assert layer.weights is not None
    groups = -(-output_blocks(layer, config) // tiling.block_cores)
    width = tiling.block_cores * config.core_outputs  # columns in use
    outputs, height, kernel_width = layer.weights.shape[:3]
    bricks = channel_bricks(layer, config.brick_channels)
    rows, columns = config.brick_channels, config.cores * config.core_outputs
    tiles = np.zeros((groups, height, kernel_width, bricks, rows, columns), layer.weights.dtype)
    if layer.kind is LayerKind.CONVOLUTION:
        padded = np.zeros((groups * width, height, kernel_width, bricks * rows), layer.weights.dtype)
        first = layer.ifm_channel % rows
        padded[:outputs, :, :, first : first + layer.weights.shape[3]] = layer.weights
        split = padded.reshape(groups, width, height, kernel_width, bricks, rows)
        tiles[..., :width] = split.transpose(0, 2, 3, 4, 5, 1)
        return tiles
    output = np.arange(outputs)
    channel = output // layer.depth_multiplier
    tiles[output // width, :, :, 0, channel % rows, output % width] = layer.weights
    return tiles
