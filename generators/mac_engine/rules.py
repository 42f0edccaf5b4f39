"""What a layer must look like to run on a MAC engine.

A rule is one function, see `chassis.family.Rule`.
"""

from ..chassis.family import Rule
from ..chassis.layer import Layer, LayerKind
from ..chassis.tiles.rules import (
    dilation,
    kernel,
    map_size,
    operands,
    output_channels,
    padding,
    row_size,
    stride,
)
from ..chassis.tiles.tiling import blocks_per_brick
from .config import MacEngineConfig
from .isa import SOFTMAX_CHANNELS

_SOFTMAX_PIXELS = 4096


def _depth_multiplier(layer: Layer, config: MacEngineConfig) -> str | None:
    """Depth multipliers must be at most 255"""
    if layer.kind is LayerKind.DEPTHWISE and blocks_per_brick(layer, config) > 1023:
        return f"{layer.depth_multiplier}"
    return None


def _softmax_channels(layer: Layer, config: MacEngineConfig) -> str | None:
    """SOFTMAX must be over at most 2,048 channels"""
    channels = layer.ofm_shape.channels
    return f"{channels}" if layer.kind is LayerKind.SOFTMAX and channels > SOFTMAX_CHANNELS else None


def _softmax_pixels(layer: Layer, config: MacEngineConfig) -> str | None:
    """SOFTMAX must be over at most 4,096 pixels: every one takes commands of its own"""
    pixels = layer.ofm_shape.height * layer.ofm_shape.width
    return f"{pixels}" if layer.kind is LayerKind.SOFTMAX and pixels > _SOFTMAX_PIXELS else None


RULES: tuple[Rule[MacEngineConfig], ...] = (
    operands,
    kernel,
    stride,
    dilation,
    padding,
    map_size,
    row_size,
    _depth_multiplier,
    output_channels,
    _softmax_channels,
    _softmax_pixels,
)
