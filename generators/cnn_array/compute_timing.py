"""When COMPUTE reads its bricks and fills its tiles: the cycles of `ComputeUnit`, exactly, without running it."""

from collections.abc import Mapping

from ..chassis.tiles.command_fields import reads_of_tiles
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.filled_tile import FilledTile
from ..chassis.tiles.loop_sequencer import SETUP_CYCLES
from ..chassis.tiles.tiling import reads_weights
from .accumulate import ARRAY_ENDS_DELAY
from .compute import fill_latency
from .config import CnnArrayConfig


class ComputeTiming:
    """One COMPUTE, tile by tile.

    Cycle numbers are the caller's, on one clock. Call `fill` once for every tile, in order.

    Args:
        config: of the engine.
        command: the fields of the COMPUTE, as `CommandLayout.decode` gives them.
        start: first cycle in which the command is presented to the idle unit.
    """

    def __init__(self, config: CnnArrayConfig, command: Mapping[str, int], start: int) -> None:
        self._pixels = config.pixel_units
        in_array = reads_weights(Mode(command["mode"]))
        self._round = command["round_last"] + 1 if config.has_rounds and in_array else self._pixels
        columns = (
            -(-command["kernel_width"] // command["taps"]) if config.has_rounds else command["kernel_width"]
        )
        self._steps = command["kernel_height"] * columns * command["channel_bricks"]
        self._needs_half = not command["accumulate"]
        self._ends_early = config.has_rounds and in_array
        self._fill_latency = fill_latency(config, Mode(command["mode"]), self._round)
        self._tiles = iter(reads_of_tiles(command))
        self._next_start = start + SETUP_CYCLES

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
        rounds = -(-reads // self._pixels)
        period = rounds * self._round
        last_read = (rounds - 1) * (self._round - self._pixels) + reads
        last_start = start + (self._steps - 1) * period
        self._next_start = last_start + period
        filled = last_start + last_read + self._fill_latency
        complete = self._next_start + ARRAY_ENDS_DELAY + 1 if self._ends_early else 0
        pauses = self._pixels, self._round
        return FilledTile(start + 1, period, self._steps, reads, filled, pauses=pauses, complete=complete)
