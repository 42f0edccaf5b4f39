"""How a layer is spread over the array and the accumulators."""

from ..chassis.layer import ELEMENTWISE, Layer
from ..chassis.tiles.command_fields import operand_fields
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.dense_tiling import DENSE_MODES, dense_block_cores, dense_steps
from ..chassis.tiles.planes import passes_of, places_of
from ..chassis.tiles.tiling import Tiling, output_blocks
from .config import SystolicConfig

_TURN_CYCLES = 60
"""From a tile's last read until ACTIVATE drains it, roughly."""


def choose_tiling(layer: Layer, height: int, config: SystolicConfig) -> Tiling:
    """As many whole rows in a tile as the accumulators hold, or as much of a row.

    Operands of 16 bits have several accumulators a sum, and several steps where bytes have one. A depthwise layer runs
    as a dense one with tiles of weights that are zero off their diagonal.
    """
    mode = DENSE_MODES[layer.kind]
    width = layer.ofm_shape.width
    operands = operand_fields(layer)
    pixels = config.accumulators // places_of(operands)
    groups = min(width, pixels)
    rows = min(height, max(1, pixels // width))
    steps = dense_steps(layer, config) * len(passes_of(operands))
    return Tiling(mode, 1, dense_block_cores(layer, config), rows, groups, 1, steps)


def accumulator_tiles(width: int, height: int, tiling: Tiling) -> int:
    """Accumulator tiles of a block group of `height` rows."""
    return -(-height // tiling.tile_rows) * -(-width // tiling.tile_groups)


def estimated_cycles(layer: Layer, height: int, config: SystolicConfig) -> int:
    """COMPUTE's cycles for `height` rows of the ofm, roughly: the longest of reduction, drain and weights' way."""
    tiling = choose_tiling(layer, height, config)
    width = layer.ofm_shape.width
    reads = 2 if layer.kind in ELEMENTWISE else 1
    groups = -(-output_blocks(layer, config) // tiling.block_cores)
    tiles = accumulator_tiles(width, height, tiling)
    pixels = width * height
    reduction = tiling.steps * max(pixels * reads, tiles * config.rows)
    drain = pixels * tiling.block_cores * max(places_of(operand_fields(layer)), layer.ofm_planes)
    loading = tiles * tiling.steps * config.tile_beats if tiling.mode is Mode.DENSE else 0
    return groups * max(reduction, drain, loading) + _TURN_CYCLES
