"""Bytes of weights as COMPUTE consumes them."""

import numpy as np
import numpy.typing as npt

from ..chassis.layer import Layer, LayerKind
from ..chassis.tiles.tiling import Tiling, channel_bricks, output_blocks
from .config import MacEngineConfig
from .isa import BRICK_CHANNELS, Mode
from .tiling import packed_channels


def weight_blocks(layer: Layer, tiling: Tiling, config: MacEngineConfig) -> npt.NDArray[np.int8]:
    """Weights in consumption order.

    Returns:
        int8[block group, kernel row, kernel column step, channel brick, block core, core output, lane].
    """
    assert layer.weights is not None
    groups = -(-output_blocks(layer, config) // tiling.block_cores)
    channels = groups * tiling.block_cores * config.core_outputs
    if layer.kind is LayerKind.CONVOLUTION:
        packed = packed_channels(layer)
        lanes = _packed_lanes(layer, channels, tiling.taps) if packed else _convolution_lanes(layer, channels)
    elif tiling.mode is Mode.DEPTHWISE:
        lanes = _tap_lanes(layer, channels, tiling.taps)
    else:
        lanes = _one_hot_lanes(layer, channels)
    height, columns, bricks = lanes.shape[1:4]
    blocks = lanes.reshape(
        groups, tiling.block_cores, config.core_outputs, height, columns, bricks, BRICK_CHANNELS
    )
    return np.ascontiguousarray(blocks.transpose(0, 3, 4, 5, 1, 2, 6))


def _convolution_lanes(layer: Layer, channels: int) -> npt.NDArray[np.int8]:
    """[o, ky, kx, i] -> [o, ky, kx, brick, lane]."""
    assert layer.weights is not None
    outputs, height, width, inputs = layer.weights.shape
    bricks, first = channel_bricks(layer), layer.ifm_channel % BRICK_CHANNELS
    lanes = np.zeros((channels, height, width, bricks * BRICK_CHANNELS), np.int8)
    lanes[:outputs, :, :, first : first + inputs] = layer.weights
    return lanes.reshape(channels, height, width, bricks, BRICK_CHANNELS)


def _packed_lanes(layer: Layer, channels: int, taps: int) -> npt.NDArray[np.int8]:
    """[o, ky, kx, i] -> [o, ky, column step, 1, tap * inputs + i]."""
    assert layer.weights is not None
    outputs, height, width, inputs = layer.weights.shape
    columns = -(-width // taps)
    padded = np.zeros((channels, height, columns * taps, inputs), np.int8)
    padded[:outputs, :, :width] = layer.weights
    lanes = np.zeros((channels, height, columns, 1, BRICK_CHANNELS), np.int8)
    lanes[..., 0, : taps * inputs] = padded.reshape(channels, height, columns, taps * inputs)
    return lanes


def _tap_lanes(layer: Layer, channels: int, taps: int) -> npt.NDArray[np.int8]:
    """[o, ky, kx] -> [o, ky, column step, 1, tap]."""
    assert layer.weights is not None
    outputs, height, width = layer.weights.shape
    columns = -(-width // taps)
    padded = np.zeros((channels, height, columns * taps), np.int8)
    padded[:outputs, :, :width] = layer.weights
    lanes = np.zeros((channels, height, columns, 1, BRICK_CHANNELS), np.int8)
    lanes[..., 0, :taps] = padded.reshape(channels, height, columns, taps)
    return lanes


def _one_hot_lanes(layer: Layer, channels: int) -> npt.NDArray[np.int8]:
    """[o, ky, kx] -> [o, ky, kx, 1, lane], all lanes zero but that of the output's own input channel."""
    assert layer.weights is not None
    outputs, height, width = layer.weights.shape
    lanes = np.zeros((channels, height, width, 1, BRICK_CHANNELS), np.int8)
    output = np.arange(outputs)
    lanes[output, :, :, 0, output // layer.depth_multiplier % BRICK_CHANNELS] = layer.weights
    return lanes
