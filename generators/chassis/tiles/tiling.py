"""How a layer is spread over accumulator tiles, and what of that its shape says."""

from dataclasses import dataclass

from ..layer import Layer, LayerKind
from ..placement import BRICK_CHANNELS
from .commands import Mode
from .tile_config import TileConfig


@dataclass(frozen=True, slots=True)
class Tiling:
    """Split of the cores and shape of the accumulator tile.

    Attributes:
        mode: what COMPUTE does.
        pixel_cores, block_cores: cores on neighbouring pixels and on neighbouring output blocks.
        tile_rows, tile_groups: rows of a tile, and groups of `pixel_cores` pixels in each.
        taps: kernel columns of a DEPTHWISE step.
        steps: reduction steps of a tile.
    """

    mode: Mode
    pixel_cores: int
    block_cores: int
    tile_rows: int
    tile_groups: int
    taps: int
    steps: int

    def window(self, layer: Layer) -> int:
        """Neighbouring bricks that a read covers."""
        reach = (self.pixel_cores - 1) * layer.window.stride_x
        return reach + (self.taps - 1) * layer.window.dilation_x + 1

    def packed_channels(self, layer: Layer) -> int:
        """Channels of the ifm whose kernel columns share the lanes; else 0."""
        return layer.ifm_shape.channels if self.mode is Mode.PACKED else 0


def reads_weights(mode: Mode) -> bool:
    """Whether the mode takes blocks from the weight store."""
    return mode in (Mode.DENSE, Mode.DEPTHWISE, Mode.PACKED)


def blocks_per_brick(layer: Layer, config: TileConfig) -> int:
    """Output blocks that share an ifm channel brick; 0 where every block reads all of them."""
    if layer.kind is LayerKind.CONVOLUTION:
        return 0
    return layer.depth_multiplier * config.blocks_per_brick


def channel_bricks(layer: Layer, brick_channels: int = BRICK_CHANNELS) -> int:
    """Channel bricks of the reduction."""
    if layer.weights is not None and layer.kind is LayerKind.CONVOLUTION:
        return -(-(layer.ifm_channel % brick_channels + layer.weights.shape[3]) // brick_channels)
    return 1


def output_blocks(layer: Layer, config: TileConfig) -> int:
    """Blocks of `core_outputs` output channels."""
    return -(-layer.outputs // config.core_outputs)
