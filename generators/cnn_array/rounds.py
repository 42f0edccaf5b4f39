"""How long a brick lasts its pixel where commands say it: lanes in use, times the turns of each lane."""

import numpy as np
import numpy.typing as npt

from ..chassis.layer import Layer, LayerKind
from ..chassis.tiles.tiling import channel_bricks
from .config import CnnArrayConfig
from .tap_reader import PACKED_STEP


def packed_taps(layer: Layer, config: CnnArrayConfig) -> int:
    """Kernel columns that may share a step: more than 1 over an image of few channels only."""
    channels = layer.ifm_shape.channels
    if (
        layer.kind is not LayerKind.CONVOLUTION
        or not layer.reads_every_channel
        or layer.window.dilation_x != 1
        or channels % PACKED_STEP
        or channels > config.neighbour_channels
    ):
        return 1
    return min(config.taps, layer.window.width, config.brick_channels // channels)


def turns_of(block_cores: int, config: CnnArrayConfig) -> int:
    """Words of weights that each lane meets, for so many output blocks at once."""
    return config.turns if block_cores * config.core_outputs > config.channel_units else 1


def used_lanes(layer: Layer, taps: int, config: CnnArrayConfig) -> int:
    """Lanes up to the last one that has weights in any step."""
    assert layer.weights is not None
    if layer.kind is not LayerKind.CONVOLUTION or channel_bricks(layer, config.brick_channels) > 1:
        return config.brick_channels
    weights = packed(layer.weights, taps)
    used = np.flatnonzero(weights.any(axis=(0, 1, 2)))
    return layer.ifm_channel % config.brick_channels + int(used[-1] if len(used) else 0) + 1


def round_cycles(layer: Layer, taps: int, block_cores: int, config: CnnArrayConfig) -> int:
    """Cycles that a brick lasts its pixel, which are not less than the bricks of all pixels take to come."""
    if not config.has_rounds:
        return config.pixel_units
    turns = turns_of(block_cores, config)
    return turns * max(used_lanes(layer, taps, config), -(-config.pixel_units // turns))


def packed(weights: npt.NDArray[np.signedinteger], taps: int) -> npt.NDArray[np.signedinteger]:
    """[output, kernel row, step, tap and channel] of [output, kernel row, kernel column, channel]."""
    outputs, height, width, channels = weights.shape
    steps = -(-width // taps)
    padded = np.zeros((outputs, height, steps * taps, channels), weights.dtype)
    padded[:, :, :width] = weights
    return padded.reshape(outputs, height, steps, taps * channels)
