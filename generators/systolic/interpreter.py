"""A NumPy machine that executes a command list: the definition of what every command does.

`chassis.interpreter` has what all families share, `chassis.tiles.tile_interpreter` COMPUTE and ACTIVATE but for the
products; here is the weight FIFO, and what the array makes of its tiles.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import numpy.typing as npt

from ...hdl.arithmetic_model import REDUCED_MULTIPLIER_BITS, WIDE_SUM_BITS
from ...hdl.wide_requantize import LARGEST_RIGHT_SHIFT
from ..chassis.command import Region, Verb
from ..chassis.interpreter import Fields, IllegalCommand
from ..chassis.tiles.command_fields import tile_count
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.planes import passes_of, places_of, split
from ..chassis.tiles.tile_interpreter import TileInterpreter
from ..chassis.wide_scaling import RAW_BYTES
from .config import SystolicConfig
from .isa import LAYOUTS

_PRODUCTS = {Mode.DENSE}
_OFM_BYTES = (1, 2, RAW_BYTES)


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
        if places_of(fields) > 1 and not (self.config.int16 and fields["mode"] in _PRODUCTS):
            raise self._illegal("operands of 16 bits")
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
        passes, places = passes_of(fields), places_of(fields)
        config, blocks = self.config, fields["output_blocks"]
        width = 1 << fields["block_cores_log2"]
        shape = fields["kernel_height"], fields["kernel_width"], fields["channel_bricks"], len(passes)
        shape = (*shape, config.rows, config.columns)
        extents = blocks, fields["height"], fields["width"], config.core_outputs
        result = np.zeros((*extents, places), np.int64)
        known: dict[tuple[int, bool], npt.NDArray[np.float64]] = {}
        for first in range(0, blocks, width):
            own = first // fields["blocks_per_brick"] if fields["blocks_per_brick"] else 0
            for rows, columns in _tiles(fields):
                weights = self._take_rows(int(np.prod(shape[:5]))).reshape(shape)
                for brick, (number, taken) in product(range(fields["channel_bricks"]), enumerate(passes)):
                    key = own + brick, taken.ifm_low
                    if key not in known:
                        known[key] = self._plane_windows(fields, *key)
                    factors = _bytes(weights[:, :, brick, number], unsigned=taken.weights_low)
                    # Exact: every partial sum stays below 2**53.
                    sums = np.tensordot(known[key][rows, columns], factors, ((2, 3, 4), (0, 1, 2)))
                    for block in range(first, min(first + width, blocks)):
                        low = (block - first) * config.core_outputs
                        result[block, rows, columns, :, taken.place] += sums[
                            ..., low : low + config.core_outputs
                        ].astype(np.int64)
        wrapped = self._wrapped(result)
        return wrapped if places > 1 else wrapped[..., 0]

    def _plane_windows(self, fields: Fields, brick: int, is_low: bool) -> npt.NDArray[np.float64]:
        """A byte of each channel of the ifm under the kernel."""
        plane = fields["ifm_plane_pitch"] if is_low else 0
        return _bytes(self._windows(fields, brick, plane).astype(np.int8), unsigned=is_low)

    def _tile_shape(self, fields: Fields) -> tuple[int, ...]:
        shape = super()._tile_shape(fields)
        return (*shape, fields["places"]) if fields["places"] > 1 else shape

    def _activate(self, fields: Fields) -> bool:
        given = fields["places"], fields["ofm_bytes"]
        if given != (0, 0) and (not self.config.int16 or 0 in given or given[1] not in _OFM_BYTES):
            raise self._illegal(f"{given[1]} bytes of each ofm element from {given[0]} accumulators")
        return super()._activate(fields)

    def _scaled(
        self, fields: Fields, accumulators: npt.NDArray[np.signedinteger]
    ) -> npt.NDArray[np.signedinteger]:
        places = fields["places"]
        if not places:
            return super()._scaled(fields, accumulators)
        total = np.zeros(super()._tile_shape(fields), np.int64)
        for place in range(places):
            total = (total << 8) + (accumulators[..., place] if places > 1 else accumulators)
        low, middle, right_shift = self._channel_parameters(fields)
        right_shift = right_shift.astype(np.int64) & 63
        if right_shift.max() > LARGEST_RIGHT_SHIFT:
            raise self._illegal(f"a shift to the right by {right_shift.max()}")
        words = middle.astype(np.int64)
        bias = low.view(np.uint32).astype(np.int64) + (words >> REDUCED_MULTIPLIER_BITS << 32)
        scaled_sum = _wrapped48(total + bias) * (words & (1 << REDUCED_MULTIPLIER_BITS) - 1)
        scaled = ((scaled_sum >> 7 + right_shift) + 1) >> 1
        if fields["ofm_bytes"] == RAW_BYTES:
            return _wrapped48(scaled)
        return np.clip(scaled.astype(np.int32), fields["minimum"], fields["maximum"]).astype(np.int64)

    def _planes(
        self, fields: Fields, results: npt.NDArray[np.signedinteger]
    ) -> list[tuple[int, npt.NDArray[np.integer]]]:
        if not fields["places"]:
            return super()._planes(fields, results)
        planes = split(results, fields["ofm_bytes"])
        return [(number * fields["ofm_plane_pitch"], plane) for number, plane in enumerate(planes)]


def rows_of(fields: Fields, config: SystolicConfig) -> int:
    """Rows of weights that a COMPUTE takes out of the FIFO."""
    if Mode(fields["mode"]) not in _PRODUCTS:
        return 0
    steps = (
        fields["kernel_height"] * fields["kernel_width"] * fields["channel_bricks"] * len(passes_of(fields))
    )
    return tile_count(fields) * steps * config.rows


def _bytes(values: npt.NDArray[np.int8], *, unsigned: bool) -> npt.NDArray[np.float64]:
    return (values.view(np.uint8) if unsigned else values).astype(np.float64)


def _wrapped48(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return values << 64 - WIDE_SUM_BITS >> 64 - WIDE_SUM_BITS


def _tiles(fields: Fields) -> Iterator[tuple[slice, slice]]:
    for top in range(0, fields["height"], fields["tile_rows"]):
        for left in range(0, fields["width"], fields["tile_groups"]):
            yield slice(top, top + fields["tile_rows"]), slice(left, left + fields["tile_groups"])
