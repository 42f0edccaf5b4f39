"""A NumPy machine that executes a command list: the definition of what every command does.

`chassis.interpreter` has what all families share, `chassis.tiles.tile_interpreter` COMPUTE and ACTIVATE but for the
products; here is the weight FIFO, and what the array makes of its tiles.
"""

from collections import deque
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from ..chassis.command import Region, Verb
from ..chassis.interpreter import Fields, IllegalCommand
from ..chassis.tiles.command_fields import tile_count
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.tile_interpreter import TileInterpreter
from .config import SystolicConfig
from .isa import LAYOUTS

_PRODUCTS = {Mode.DENSE}


class Interpreter(TileInterpreter[SystolicConfig]):
    """State of the machine between commands.

    A COMPUTE waits until the WEIGHTS behind it have brought all of its rows. The FIFO is as deep as that takes: that
    WEIGHTS waits for room in it is a matter of cycles.

    Args:
        config: of the engine.
        regions: bytes of each memory region, uint8; SCRATCH and OUTPUT are written in place.

    Attributes:
        weights: rows in the FIFO, int8[row, column].
    """

    def __init__(self, config: SystolicConfig, regions: Mapping[Region, npt.NDArray[np.uint8]]) -> None:
        super().__init__(config, LAYOUTS, regions)
        self.weights = np.zeros((0, config.columns), np.int8)
        self._computations: deque[tuple[int, Fields]] = deque()

    def _finish(self) -> None:
        if self._computations:
            raise IllegalCommand(f"command {self._computations[0][0]} waits for weights for ever")
        super()._finish()
        if len(self.weights):
            raise IllegalCommand(f"{len(self.weights)} rows of weights are left in the FIFO")

    def _load_weight_store(self, fields: Fields, content: npt.NDArray[np.uint8]) -> None:
        if fields["words"] * self.config.columns != len(content):
            raise self._illegal(f"{len(content)} bytes are not {fields['words']} rows")
        rows = content.view(np.int8).reshape(-1, self.config.columns)
        self.weights = np.concatenate([self.weights, rows])

    def _compute(self, fields: Fields) -> bool:
        self._computations.append((self._index, fields))
        return False

    def _proceed(self) -> None:
        """COMPUTE runs once its weights are there, in order."""
        here = self._index
        while self._computations and rows_of(self._computations[0][1], self.config) <= len(self.weights):
            self._index, fields = self._computations.popleft()
            super()._compute(fields)
            self._give_tokens(Verb.COMPUTE, fields)
        self._index = here
        super()._proceed()

    def _take_rows(self, count: int) -> npt.NDArray[np.int8]:
        if count > len(self.weights):
            raise self._illegal(f"takes {count} of {len(self.weights)} rows in the weight FIFO")
        rows, self.weights = self.weights[:count], self.weights[count:]
        return rows

    def _multiply_accumulate(self, fields: Fields, mode: Mode) -> npt.NDArray[np.int32]:
        """Tile by tile: each takes its own weights out of the FIFO."""
        if mode not in _PRODUCTS:
            raise self._illegal(f"mode {mode.name}")
        config, blocks = self.config, fields["output_blocks"]
        width = 1 << fields["block_cores_log2"]
        shape = fields["kernel_height"], fields["kernel_width"], fields["channel_bricks"]
        shape = (*shape, config.rows, config.columns)
        result = np.zeros((blocks, fields["height"], fields["width"], config.core_outputs), np.int32)
        known: dict[int, npt.NDArray[np.float64]] = {}
        for first in range(0, blocks, width):
            own = first // fields["blocks_per_brick"] if fields["blocks_per_brick"] else 0
            for rows, columns in _tiles(fields):
                weights = self._take_rows(int(np.prod(shape[:4]))).reshape(shape).astype(np.float64)
                sums = np.zeros((), np.float64)  # exact: every partial sum stays below 2**53
                for brick in range(fields["channel_bricks"]):
                    if own + brick not in known:
                        known[own + brick] = self._windows(fields, own + brick).astype(np.float64)
                    windows = known[own + brick][rows, columns]
                    sums = sums + np.tensordot(windows, weights[:, :, brick], ((2, 3, 4), (0, 1, 2)))
                for block in range(first, min(first + width, blocks)):
                    low = (block - first) * config.core_outputs
                    result[block, rows, columns] = sums[..., low : low + config.core_outputs].astype(np.int64)
        return result


def rows_of(fields: Fields, config: SystolicConfig) -> int:
    """Rows of weights that a COMPUTE takes out of the FIFO."""
    if Mode(fields["mode"]) not in _PRODUCTS:
        return 0
    steps = fields["kernel_height"] * fields["kernel_width"] * fields["channel_bricks"]
    return tile_count(fields) * steps * config.rows


def _tiles(fields: Fields) -> Iterator[tuple[slice, slice]]:
    for top in range(0, fields["height"], fields["tile_rows"]):
        for left in range(0, fields["width"], fields["tile_groups"]):
            yield slice(top, top + fields["tile_rows"]), slice(left, left + fields["tile_groups"])
