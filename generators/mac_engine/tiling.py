"""How a layer is spread over the cores and the accumulators of a MAC engine."""

from collections.abc import Iterator

from ..chassis.layer import Layer, LayerKind
from ..chassis.tiles.drain_sequencer import freeing_pixels
from ..chassis.tiles.tiling import Tiling, blocks_per_brick, channel_bricks, output_blocks, reads_weights
from .config import MacEngineConfig
from .isa import BANKS, BRICK_CHANNELS, LARGEST_PACKED_CHANNELS, TILE_PIXELS, Mode

MINIMUM_STEP_CYCLES = 2
"""An accumulator is visited at most every other cycle."""


_TURN_CYCLES = 20
"""From a tile's last read until ACTIVATE drains it, and from its last drain until its half is filled again."""


def compute_mode(layer: Layer, config: MacEngineConfig) -> Mode:
    """The COMPUTE mode that runs `layer`.

    A depthwise layer with a depth multiplier is a grouped DENSE one; so is one whose weights stream through the store
    block by block, where blocks are halves of a brick: DEPTHWISE could not start with the second half.
    """
    match layer.kind:
        case LayerKind.CONVOLUTION:
            return Mode.PACKED if packed_channels(layer) else Mode.DENSE
        case LayerKind.DEPTHWISE:
            is_plain = layer.depth_multiplier == 1
            return Mode.DEPTHWISE if is_plain and _brick_fits(layer, config) else Mode.DENSE
        case LayerKind.MAXIMUM | LayerKind.SOFTMAX:
            return Mode.MAXIMUM
        case LayerKind.ADD:
            return Mode.ADD
        case LayerKind.MULTIPLY:
            return Mode.MULTIPLY


def _brick_fits(layer: Layer, config: MacEngineConfig) -> bool:
    """Whether blocks are whole bricks, or the weights of a brick's blocks fit the weight store together."""
    blocks = BRICK_CHANNELS // config.core_outputs
    steps = layer.window.height * -(-layer.window.width // _best_taps(layer, Mode.DEPTHWISE, 1))
    return blocks == 1 or blocks * steps * config.block_words <= config.weight_words


def packed_channels(layer: Layer) -> int:
    """Channels of a convolution's ifm that leave room on the lanes for several kernel columns; else 0."""
    channels = layer.ifm_shape.channels
    is_shallow = channels <= LARGEST_PACKED_CHANNELS and layer.reads_every_channel
    return channels if layer.kind is LayerKind.CONVOLUTION and is_shallow and layer.window.width > 1 else 0


def shares_pixels(mode: Mode) -> bool:
    """Whether cores may take different output blocks of the same pixel."""
    return mode in (Mode.DENSE, Mode.PACKED)


def _window(layer: Layer, pixel_cores: int, taps: int) -> int:
    reach = (pixel_cores - 1) * layer.window.stride_x
    return reach + (taps - 1) * layer.window.dilation_x + 1


def _best_taps(layer: Layer, mode: Mode, pixel_cores: int) -> int:
    """Most taps of a kernel row that one read and the lanes cover, evened out over the steps; 0 if there is none."""
    if mode not in (Mode.DEPTHWISE, Mode.PACKED):
        return 1
    lanes = BRICK_CHANNELS // packed_channels(layer) if mode is Mode.PACKED else BRICK_CHANNELS
    free = BANKS - 1 - (pixel_cores - 1) * layer.window.stride_x
    if free < 0:
        return 0
    most = min(lanes, free // layer.window.dilation_x + 1, layer.window.width)
    return -(-layer.window.width // -(-layer.window.width // most))


def _splits(layer: Layer, config: MacEngineConfig) -> Iterator[tuple[Mode, int, int, int, int]]:
    """Legal (mode, pixel cores, block cores, taps, steps)."""
    mode = compute_mode(layer, config)
    window = layer.window
    if mode in (Mode.ADD, Mode.MULTIPLY):
        yield mode, 1, 1, 1, 1
        return
    pixel_cores = 1
    while pixel_cores <= config.max_pixel_cores:
        taps = _best_taps(layer, mode, pixel_cores)
        if taps and _window(layer, pixel_cores, taps) <= BANKS:
            columns = -(-window.width // taps)
            steps = window.height * columns * channel_bricks(layer)
            block_cores = 1
            while block_cores * pixel_cores <= config.cores:
                per_brick = blocks_per_brick(layer, config)
                if block_cores == 1 or (shares_pixels(mode) and per_brick % block_cores == 0):
                    yield mode, pixel_cores, block_cores, taps, steps
                block_cores *= 2
        pixel_cores *= 2


def _parts(total: int, part: int) -> list[tuple[int, int]]:
    """(size, count) of the pieces when `total` is cut into pieces of `part`."""
    whole, rest = divmod(total, part)
    return [(part, whole)] * bool(whole) + [(rest, 1)] * bool(rest)


def estimated_cycles(layer: Layer, height: int, tiling: Tiling, config: MacEngineConfig) -> int:
    """COMPUTE's cycles for `height` rows of the ofm, roughly.

    A tile takes the longest of its reduction, its drain, and half of a half's whole turn.
    """
    width = layer.ofm_shape.width
    loading = tiling.block_cores * config.block_words if reads_weights(tiling.mode) else 0
    reads = 2 if tiling.mode in (Mode.ADD, Mode.MULTIPLY) else 1
    blocks = output_blocks(layer, config)
    drain_cycles = config.core_outputs // config.lanes
    most_pixels_early = freeing_pixels(config)
    cycles = 0
    for drained, groups in _parts(blocks, tiling.block_cores):
        for rows, row_tiles in _parts(height, tiling.tile_rows):
            for pixels, column_tiles in _parts(width, tiling.tile_groups * tiling.pixel_cores):
                visits = rows * -(-pixels // tiling.pixel_cores) * reads
                reduction = tiling.steps * max(visits, MINIMUM_STEP_CYCLES, loading)
                drain = drained * rows * pixels * drain_cycles
                overlap = min(most_pixels_early, pixels - 1) * drain_cycles
                turn = -(-(reduction + drain + _TURN_CYCLES - overlap) // 2)
                cycles += groups * row_tiles * column_tiles * max(reduction, drain, turn)
    return cycles


def likely_tilings(layer: Layer, height: int, config: MacEngineConfig) -> list[Tiling]:
    """All tilings for `height` rows of the layer's ofm, those with the fewest estimated cycles first.

    Raises:
        ValueError: no legal split (a stride beyond what one window read covers).
    """
    if layer.kind is LayerKind.SOFTMAX:
        return [
            Tiling(Mode.MAXIMUM, pixel_cores=1, block_cores=1, tile_rows=1, tile_groups=1, taps=1, steps=1)
        ]
    tilings = []
    for mode, pixel_cores, block_cores, taps, steps in _splits(layer, config):
        row_groups = -(-layer.ofm_shape.width // pixel_cores)
        for tile_groups in range(1, min(TILE_PIXELS, row_groups) + 1):
            tile_rows = min(TILE_PIXELS // tile_groups, height)
            tilings.append(Tiling(mode, pixel_cores, block_cores, tile_rows, tile_groups, taps, steps))
    if not tilings:
        raise ValueError(f"layer {layer.name}: no split of the cores reads stride {layer.window.stride_x}")
    return sorted(
        tilings, key=lambda tiling: (estimated_cycles(layer, height, tiling, config), tiling.block_cores)
    )
