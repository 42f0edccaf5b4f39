"""How layers lie on an array that runs whatever has weights as a dense layer, of tiles of `weight_tiles`."""

from ..layer import ELEMENTWISE, Layer, LayerKind
from .commands import Mode
from .tile_config import TileConfig
from .tiling import channel_bricks

DENSE_MODES = {
    LayerKind.CONVOLUTION: Mode.DENSE,
    LayerKind.DEPTHWISE: Mode.DENSE,
    LayerKind.MAXIMUM: Mode.MAXIMUM,
    LayerKind.ADD: Mode.ADD,
    LayerKind.MULTIPLY: Mode.MULTIPLY,
}
"""A depthwise layer has weights that are zero but for the one channel of each output."""


def dense_block_cores(layer: Layer, config: TileConfig) -> int:
    """Blocks of output channels that the array computes at once."""
    match layer.kind:
        case LayerKind.CONVOLUTION:
            return config.cores
        case LayerKind.DEPTHWISE:  # all of them read one brick
            return min(config.cores * config.core_outputs, config.brick_channels) // config.core_outputs
        case _:
            return 1


def dense_steps(layer: Layer, config: TileConfig) -> int:
    """Reduction steps of a tile: a brick each."""
    if layer.kind in ELEMENTWISE:
        return 1
    bricks = channel_bricks(layer, config.brick_channels)
    return layer.window.height * layer.window.width * bricks
