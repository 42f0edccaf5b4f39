"""How a layer is spread over the array and its registers."""

from ..chassis.layer import ELEMENTWISE, Layer
from ..chassis.tiles.dense_tiling import DENSE_MODES, dense_block_cores, dense_steps
from ..chassis.tiles.tiling import Tiling, output_blocks
from .config import CnnArrayConfig

_TURN_CYCLES = 30
"""From a tile's last read until ACTIVATE drains it, and from there until its half is filled again, roughly."""


def choose_tiling(layer: Layer, height: int, config: CnnArrayConfig) -> Tiling:
    """The tiling with the fewest estimated cycles for `height` rows, of as many pixels of a row as a tile holds.

    A depthwise layer runs as a dense one whose weights are zero but for the one channel of each row.
    """
    width = layer.ofm_shape.width
    groups = min(width, config.tile_pixels)
    most_rows = min(height, max(1, config.tile_pixels // width))
    steps, cores = dense_steps(layer, config), dense_block_cores(layer, config)
    tilings = [
        Tiling(DENSE_MODES[layer.kind], 1, cores, rows, groups, 1, steps) for rows in range(most_rows, 0, -1)
    ]
    return min(tilings, key=lambda tiling: _cycles(layer, height, tiling, config))


def estimated_cycles(layer: Layer, height: int, config: CnnArrayConfig) -> int:
    """COMPUTE's cycles for `height` rows of the ofm, roughly."""
    return _cycles(layer, height, choose_tiling(layer, height, config), config)


def _parts(total: int, part: int) -> list[tuple[int, int]]:
    """(size, count) of the pieces when `total` is cut into pieces of `part`."""
    whole, rest = divmod(total, part)
    return [(part, whole)] * bool(whole) + [(rest, 1)] * bool(rest)


def _cycles(layer: Layer, height: int, tiling: Tiling, config: CnnArrayConfig) -> int:
    """A tile takes the longest of its reduction, its drain, and half of a half's whole turn."""
    reads = 2 if layer.kind in ELEMENTWISE else 1
    groups = -(-output_blocks(layer, config) // tiling.block_cores)
    cycles = _TURN_CYCLES
    for rows, row_tiles in _parts(height, tiling.tile_rows):
        for pixels, column_tiles in _parts(layer.ofm_shape.width, tiling.tile_groups):
            bricks = rows * pixels * reads
            reduction = tiling.steps * -(-bricks // config.columns) * config.columns
            drain = rows * pixels * tiling.block_cores
            turn = -(-(reduction + drain + _TURN_CYCLES) // 2)
            cycles += groups * row_tiles * column_tiles * max(reduction, drain, turn)
    return cycles
