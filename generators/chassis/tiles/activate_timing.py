"""When ACTIVATE drains its tiles: the cycles of `ActivateUnit`, exactly, without running it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .accumulator_port import FREEING_CYCLES
from .activate import WRITE_LATENCY
from .commands import BIAS_BEATS, BRICK_CHANNELS, PARAMETER_BEATS
from .drain_turns import turns_of
from .parameter_store import FETCH_LATENCY
from .softmax_unit import write_cycles
from .tile_config import TileConfig
from .wide_results import WIDE_WRITE_LATENCY


class _Tile(NamedTuple):
    group: int
    """Of parameter blocks."""
    blocks: int
    reads: int
    """Cycles to read one block of it."""
    releases: bool
    """Last to use its group of parameter blocks."""
    reads_after_freeing: int


class ActivateTiming:
    """One ACTIVATE, tile by tile.

    Cycle numbers are the caller's, on one clock. Call `drain` once for every tile, in order; `completed` is known
    after the last one.

    Args:
        config: of the engine.
        command: the fields of the ACTIVATE, as `CommandLayout.decode` gives them.
        start: first cycle in which the command is presented to the idle unit.

    Attributes:
        freeing: of the tile drained last, the cycle in which its half is promised to COMPUTE.
        block_reads: of the tile drained last, (cycle of the first read, reads) of each block.
    """

    def __init__(self, config: TileConfig, command: Mapping[str, int], start: int) -> None:
        self._blocks_per_group = 1 << command["block_cores_log2"]
        self._parameter_blocks = command["output_blocks"]
        if config.core_outputs < BRICK_CHANNELS:
            self._parameter_blocks = -(-self._parameter_blocks // 2)
        self._softmax_bricks = self._parameter_blocks if command["softmax_lanes"] else 0
        self._uniform = bool(command["parameter_uniform"])
        if self._uniform:
            self._parameter_blocks = 1
        self._block_beats = BIAS_BEATS if command["uniform_scale"] else PARAMETER_BEATS
        """Of every parameter block but the first."""
        self._last_write = WRITE_LATENCY
        """From the last read on."""
        if places := command.get("places", 0):
            self._last_write = WIDE_WRITE_LATENCY + command["ofm_bytes"] - 1 - (turns_of(command) - places)
        self._tiles = _tiles(config, command)
        self._next_read = start
        self._next_request = start + 1
        self._requested: list[int] = []  # first request of every group so far
        self._released: list[int] = []  # last read of every group so far
        self.freeing = start
        self.block_reads: list[tuple[int, int]] = []
        self._request_group()
        self._request_group()

    def drain(self, filled: int) -> int:
        """The cycle of the next tile's last read, in which its half is `drained`.

        Args:
            filled: first cycle in which the tile is complete, were all tiles before it drained.

        Raises:
            ValueError: the command has no more tiles.
        """
        tile = next(self._tiles, None)
        if tile is None:
            raise ValueError("drain must be called once for each tile of the command, not more often")
        cycle = max(self._next_read, filled)
        self.block_reads = []
        for block in range(tile.blocks):
            first = max(cycle, self._available(tile.group, block))
            self.block_reads.append((first, tile.reads))
            cycle = first + tile.reads
        self._next_read = cycle
        self.freeing = cycle - 1 - tile.reads_after_freeing
        if tile.releases and not self._uniform:
            self._released.append(cycle - 1)
            self._request_group()
        return cycle - 1

    @property
    def completed(self) -> int:
        """The cycle of the last write, in which the command is taken; meaningful once every tile is drained."""
        if self._softmax_bricks:
            return self.softmax_writes[-1]
        return self._next_read - 1 + self._last_write

    @property
    def softmax_writes(self) -> range:
        """The cycle of each brick's write, of a SOFTMAX; meaningful once every tile is drained."""
        last = self._next_read - 1 + WRITE_LATENCY
        cycles = write_cycles(self._softmax_bricks)
        return range(last + cycles.start, last + cycles.stop, cycles.step)

    def _available(self, group: int, block: int) -> int:
        if self._uniform:
            group = block = 0
        return self._requested[group] + self._beats(group, block + 1) - 1 + FETCH_LATENCY

    def _beats(self, group: int, blocks: int) -> int:
        """Of the first `blocks` parameter blocks of a group."""
        extra = PARAMETER_BEATS - self._block_beats if group == 0 else 0
        return self._block_beats * blocks + extra

    def _request_group(self) -> None:
        """The next group of parameter blocks is requested as soon as one of the two places is free."""
        group = len(self._requested)
        blocks = min(self._blocks_per_group, self._parameter_blocks - group * self._blocks_per_group)
        if blocks <= 0:
            return
        first = self._next_request
        if group >= 2:
            first = max(first, self._released[group - 2] + 1)
        self._requested.append(first)
        self._next_request = first + self._beats(group, blocks)


def _tiles(config: TileConfig, command: Mapping[str, int]) -> Iterator[_Tile]:
    pixel_cores, block_cores = 1 << command["pixel_cores_log2"], 1 << command["block_cores_log2"]
    height, width, output_blocks = command["height"], command["width"], command["output_blocks"]
    rows_step, columns_step = command["tile_rows"], command["tile_groups"] * pixel_cores
    blocks_per_parameters = BRICK_CHANNELS // config.core_outputs
    reads_per_pixel = config.core_outputs // config.lanes * turns_of(command)
    most_pixels_after = FREEING_CYCLES // reads_per_pixel
    for block in range(0, output_blocks, block_cores):
        parameter_block = block // blocks_per_parameters
        shared = block % blocks_per_parameters != blocks_per_parameters - 1  # by the block to come
        for y in range(0, height, rows_step):
            rows = min(rows_step, height - y)
            for x in range(0, width, columns_step):
                columns = min(columns_step, width - x)
                yield _Tile(
                    group=parameter_block // block_cores,
                    blocks=min(block_cores, output_blocks - block),
                    reads=rows * columns * reads_per_pixel,
                    reads_after_freeing=min(most_pixels_after, columns - 1) * reads_per_pixel,
                    releases=not shared and y + rows == height and x + columns == width,
                )
