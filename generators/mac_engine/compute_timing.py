"""When COMPUTE reads its windows and fills its tiles: the cycles of `ComputeUnit`, exactly, without running it."""

from collections.abc import Iterator, Mapping

from ..chassis.tiles.filled_tile import FilledTile
from ..chassis.tiles.loop_sequencer import SETUP_CYCLES
from ..chassis.tiles.step_walk import STEP_WALK_CYCLES
from .compute import FILL_LATENCY
from .config import MacEngineConfig
from .isa import Mode


class ComputeTiming:
    """One COMPUTE, tile by tile.

    Cycle numbers are the caller's, on one clock. Call `fill` once for every tile, in order.

    Args:
        config: of the engine.
        command: the fields of the COMPUTE, as `CommandLayout.decode` gives them.
        start: first cycle in which the command is presented to the idle unit.
    """

    def __init__(self, config: MacEngineConfig, command: Mapping[str, int], start: int) -> None:
        mode = Mode(command["mode"])
        self._words = 0
        if mode in (Mode.DENSE, Mode.DEPTHWISE, Mode.PACKED):
            self._words = config.block_words << command["block_cores_log2"]
        columns = -(-command["kernel_width"] // command["taps"])
        self._steps = command["kernel_height"] * columns * command["channel_bricks"]
        self._needs_half = not command["accumulate"]
        self._tiles = _reads_of_tiles(command, 2 if mode in (Mode.ADD, Mode.MULTIPLY) else 1)
        self._next_start = start + max(SETUP_CYCLES, self._words)

    def fill(self, half_free: int) -> FilledTile:
        """The next tile.

        Args:
            half_free: first cycle in which an accumulator half is free for it, which is one after the cycle of the
                half's `freeing`. No matter for `accumulate`.

        Raises:
            ValueError: the command has no more tiles.
        """
        reads = next(self._tiles, None)
        if reads is None:
            raise ValueError("the command has no more tiles")
        start = max(self._next_start, half_free) if self._needs_half else self._next_start
        period = max(STEP_WALK_CYCLES, reads, self._words)
        last_start = start + (self._steps - 1) * period
        self._next_start = last_start + period
        return FilledTile(start + 1, period, self._steps, reads, last_start + reads + FILL_LATENCY)


def _reads_of_tiles(command: Mapping[str, int], reads_per_group: int) -> Iterator[int]:
    """Reads of a step, for every tile in order."""
    rows = _extents(command["height"], command["tile_rows"])
    groups = _extents(_split(command["width"], command["pixel_cores_log2"]), command["tile_groups"])
    for _ in range(_split(command["output_blocks"], command["block_cores_log2"])):
        for tile_rows in rows:
            for tile_groups in groups:
                yield tile_rows * tile_groups * reads_per_group


def _extents(total: int, part: int) -> list[int]:
    return [min(part, total - done) for done in range(0, total, part)]


def _split(total: int, parts_log2: int) -> int:
    """`total` over 2**parts_log2, rounded up."""
    return -(-total >> parts_log2)
