"""When COMPUTE takes its weights, reads its bricks and fills its tiles: the cycles of `ComputeUnit`, exactly."""

from collections import deque
from collections.abc import Callable, Mapping

from ..chassis.tiles.command_fields import reads_of_tiles
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.filled_tile import FilledTile
from ..chassis.tiles.loop_sequencer import SETUP_CYCLES
from ..chassis.tiles.planes import passes_of
from ..chassis.tiles.tiling import reads_weights
from .compute import fill_latency
from .config import SystolicConfig


class ComputeTiming:
    """One COMPUTE, as far as its weights and accumulator halves are known to be there.

    Cycle numbers are the caller's, on one clock. Step k + 1 starts when step k has read its last brick, its own tile of
    weights shifts in its last row, and, if it is its accumulator tile's first, there is an accumulator half. A tile
    shifts in in R cycles, once it is in the weight FIFO as a whole and step k has started.

    Args:
        config: of the engine.
        command: the fields of the COMPUTE, as `CommandLayout.decode` gives them.
        start: first cycle in which the command is presented to the idle unit.
        took_row: called with the cycle in which a row is taken from the weight FIFO.

    Attributes:
        tile, step: the next one to start.
        tiles: of the command.
    """

    def __init__(
        self,
        config: SystolicConfig,
        command: Mapping[str, int],
        start: int,
        took_row: Callable[[int], None],
    ) -> None:
        mode = Mode(command["mode"])
        self._rows = config.rows
        self._took_row = took_row
        self._reads_weights = reads_weights(mode)
        self._fill_latency = fill_latency(config, mode)
        self._needs_half = not command["accumulate"]
        columns = -(-command["kernel_width"] // command["taps"])
        self.steps = command["kernel_height"] * columns * command["channel_bricks"] * len(passes_of(command))
        self._reads = reads_of_tiles(command)
        self.tiles = len(self._reads)
        self.tile = self.step = 0
        self._next_start = start + SETUP_CYCLES
        self._load_from = start + 1
        self._loaded: int | None = None
        """The earliest start by the next step's weights, once it is known."""
        if not self._reads_weights:
            self._loaded = start + self._rows

    @property
    def needs_half(self) -> bool:
        """The next step is the first of a tile that takes an accumulator half."""
        return self._needs_half and self.step == 0

    def advance(self, rows: deque[int], half_free: int) -> FilledTile | None:
        """The next step, or None if its weights are not all known.

        Args:
            rows: for each row in the weight FIFO, the first cycle in which it can be taken; those taken are removed.
            half_free: first cycle in which an accumulator half is free for the step's tile; no matter in its middle.

        Returns:
            A step; `filled` says when its tile is, if it is the tile's last.
        """
        if self._loaded is None and not self.load(rows):
            return None
        assert self._loaded is not None
        start = max(self._next_start, self._loaded)
        if self.needs_half:
            start = max(start, half_free)
        reads = self._reads[self.tile]
        done = FilledTile(
            start + 1, reads, 1, reads, start + reads + self._fill_latency, first_step=self.step
        )
        self.step += 1
        if self.step == self.steps:
            self.step = 0
            self.tile += 1
        self._next_start = start + reads  # later by its weights' R cycles than the walk of steps takes
        self._load_from = start + 1
        self._loaded = None if self._reads_weights else start + self._rows
        return done

    def load(self, rows: deque[int]) -> bool:
        """Take the rows of the next step if they are known; whether they are."""
        if self._loaded is None and len(rows) >= self._rows:
            first = max(rows[self._rows - 1], self._load_from)
            for cycle in range(first, first + self._rows):
                rows.popleft()
                self._took_row(cycle)
            self._loaded = first + self._rows - 1
        return self._loaded is not None
