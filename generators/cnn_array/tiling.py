"""How a layer is spread over the array and its registers."""

from collections.abc import Iterator, Sequence

from ..chassis.layer import ELEMENTWISE, Layer, LayerKind
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.dense_tiling import DENSE_MODES, dense_block_cores, dense_steps
from ..chassis.tiles.tiling import Tiling, output_blocks, reads_weights
from .config import CnnArrayConfig
from .rounds import packed_taps, round_cycles

_TURN_CYCLES = 30
"""From a tile's last read until ACTIVATE drains it, and from there until its half is filled again, roughly."""

_MOST_TILES = 64
"""Of a kind, that are looked at one by one."""


def choose_tiling(layer: Layer, height: int, config: CnnArrayConfig) -> Tiling:
    """The tiling with the fewest estimated cycles for `height` rows, of as many pixels of a row as a tile holds.

    A depthwise layer runs as a dense one whose weights are zero but for the one channel of each row.
    """
    width = layer.ofm_shape.width
    groups = min(width, config.tile_pixels)
    most_rows = min(height, max(1, config.tile_pixels // width))
    best = None
    for mode, cores, taps, steps in _mappings(layer, config):
        lasting = round_cycles(layer, taps, cores, config) if reads_weights(mode) else config.pixel_units
        for rows in range(most_rows, 0, -1):
            tiling = Tiling(mode, 1, cores, rows, groups, taps, steps)
            # Small tiles are there early and drained soon; of arrays without rounds the largest of the best is taken.
            cost = _cycles(layer, height, tiling, lasting, config), rows if config.has_rounds else -rows
            if best is None or cost < best[0]:
                best = cost, tiling
    assert best is not None
    return best[1]


def estimated_cycles(layer: Layer, height: int, config: CnnArrayConfig) -> int:
    """COMPUTE's cycles for `height` rows of the ofm, roughly, in the midst of others."""
    tiling = choose_tiling(layer, height, config)
    lasting = config.pixel_units
    if reads_weights(tiling.mode):
        lasting = round_cycles(layer, tiling.taps, tiling.block_cores, config)
    return _TURN_CYCLES + _on_their_own(*_tiles(layer, height, tiling, lasting, config))


def _mappings(layer: Layer, config: CnnArrayConfig) -> Iterator[tuple[Mode, int, int, int]]:
    """(mode, output blocks at once, kernel columns of a step, steps) to choose from."""
    mode, cores, steps = DENSE_MODES[layer.kind], dense_block_cores(layer, config), dense_steps(layer, config)
    ways = [(mode, 1, steps)]
    if (taps := packed_taps(layer, config)) > 1:
        ways.append((Mode.PACKED, taps, layer.window.height * -(-layer.window.width // taps)))
    for way, kernel_columns, count in ways:
        yield way, cores, kernel_columns, count
        if layer.kind is LayerKind.CONVOLUTION and config.turns > 1:
            yield way, cores // config.turns, kernel_columns, count


def _parts(total: int, part: int) -> list[tuple[int, int]]:
    """(size, count) of the pieces when `total` is cut into pieces of `part`."""
    whole, rest = divmod(total, part)
    return [(part, whole)] * bool(whole) + [(rest, 1)] * bool(rest)


def _cycles(layer: Layer, height: int, tiling: Tiling, lasting: int, config: CnnArrayConfig) -> int:
    """For the choice of a tiling: of large arrays until the last tile is drained."""
    tiles, groups = _tiles(layer, height, tiling, lasting, config)
    return (_in_turns if config.has_rounds else _on_their_own)(tiles, groups)


def _tiles(
    layer: Layer, height: int, tiling: Tiling, lasting: int, config: CnnArrayConfig
) -> tuple[list[tuple[int, int, int]], int]:
    """(cycles to fill it, cycles to drain it, how many) of the tiles of a block group; and how many of these.

    `lasting` are the cycles that a brick lasts its pixel.
    """
    reads = 2 if layer.kind in ELEMENTWISE else 1
    groups = -(-output_blocks(layer, config) // tiling.block_cores)
    blocks = (
        min(tiling.block_cores, output_blocks(layer, config)) if config.has_rounds else tiling.block_cores
    )
    tiles = []
    for rows, row_tiles in _parts(height, tiling.tile_rows):
        for pixels, column_tiles in _parts(layer.ofm_shape.width, tiling.tile_groups):
            bricks = rows * pixels * reads
            reduction = tiling.steps * -(-bricks // config.pixel_units) * lasting
            tiles.append((reduction, rows * pixels * blocks, row_tiles * column_tiles))
    return tiles, groups


def _on_their_own(tiles: Sequence[tuple[int, int, int]], groups: int) -> int:
    """A tile takes the longest of its reduction, its drain, and half of a half's whole turn."""
    cycles = 0
    for reduction, drain, count in tiles:
        turn = -(-(reduction + drain + _TURN_CYCLES) // 2)
        cycles += groups * count * max(reduction, drain, turn)
    return cycles


def _in_turns(tiles: Sequence[tuple[int, int, int]], groups: int) -> int:
    """Until the last tile is drained, of block groups that follow each other, each of these tiles."""
    filled, drained, drained_before = 0, 0, 0
    cycles = []
    for _ in range(min(groups, 2) + 1):
        for reduction, drain, count in tiles:
            for _ in range(min(count, _MOST_TILES)):
                filled = max(filled, drained_before) + reduction
                drained_before, drained = drained, max(filled + _TURN_CYCLES, drained) + drain
        cycles.append(drained)
    rest = sum(max(reduction, drain) * max(0, count - _MOST_TILES) for reduction, drain, count in tiles)
    # The last of the groups looked at is one of a layer, or of a stripe, that follows: it waits for tiles of this one.
    follow = cycles[-1] - cycles[-2]
    return cycles[0] + (groups - 1) * (cycles[1] - cycles[0]) + rest * groups + max(0, follow - cycles[0])
