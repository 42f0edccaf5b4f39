"""What a layer must look like to run on a CNN array.

A rule is one function, see `chassis.family.Rule`.
"""

from ..chassis.family import Rule
from ..chassis.layer import Layer, LayerKind
from ..chassis.tiles.rules import dilation, kernel, map_size, output_channels, padding, row_size, stride
from ..chassis.tiles.tiling import blocks_per_brick
from .config import CnnArrayConfig


def _kind(layer: Layer, config: CnnArrayConfig) -> str | None:
    """SOFTMAX runs on the host"""
    return layer.kind.name if layer.kind is LayerKind.SOFTMAX else None


def _depth_multiplier(layer: Layer, config: CnnArrayConfig) -> str | None:
    """Depth multipliers must be at most 1,023 divided by a brick's blocks of eight channels"""
    if layer.kind is LayerKind.DEPTHWISE and blocks_per_brick(layer, config) > 1023:
        return f"{layer.depth_multiplier}"
    return None


RULES: tuple[Rule[CnnArrayConfig], ...] = (
    kernel,
    stride,
    dilation,
    padding,
    map_size,
    row_size,
    _depth_multiplier,
    output_channels,
    _kind,
)
