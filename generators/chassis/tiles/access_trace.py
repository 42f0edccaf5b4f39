"""Which bank of the unified buffer COMPUTE reads and ACTIVATE writes in a cycle.

LOAD and STORE wait while their bank is taken, so their models ask; nothing is worked out until they do.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....hdl.brick_buffer import BANKS
from .activate import WRITE_LATENCY
from .commands import BRICK_CHANNELS, Mode
from .drain_turns import turns_of
from .filled_tile import FilledTile
from .planes import passes_of
from .tile_config import TileConfig
from .wide_results import WIDE_WRITE_LATENCY

Fields = Mapping[str, int]
_READ_DELAY = 2
"""Cycles from COMPUTE's read to the one in which the buffer's banks are taken."""
_BUFFER_DELAY = 1
"""Cycles from ACTIVATE's write to the one in which the buffer's banks are taken."""


def _write_delay(fields: Fields) -> int:
    """Cycles from ACTIVATE's first read of a pixel to its first write to the banks."""
    if places := fields.get("places", 0):
        return places - 1 + WIDE_WRITE_LATENCY + _BUFFER_DELAY
    return WRITE_LATENCY + _BUFFER_DELAY


def _tile_place(fields: Fields, tile: int) -> tuple[int, int, int, int, int]:
    """Of tile number `tile`: first block, top row, left pixel, rows, pixels."""
    step_x = fields["tile_groups"] << fields["pixel_cores_log2"]
    columns = -(-fields["width"] // step_x)
    rows = -(-fields["height"] // fields["tile_rows"])
    rest, column = divmod(tile, columns)
    group, row = divmod(rest, rows)
    top, left = row * fields["tile_rows"], column * step_x
    return (
        group << fields["block_cores_log2"],
        top,
        left,
        min(fields["tile_rows"], fields["height"] - top),
        min(step_x, fields["width"] - left),
    )


def _advance(fields: Fields, prefix: str, pointer: int, rows: int) -> int:
    """A row pointer `rows` rows on, one wrap at the most."""
    pointer += rows * fields[f"{prefix}row_pitch"]
    if fields[f"{prefix}ring_size"]:
        while pointer >= fields[f"{prefix}ring_end"]:
            pointer -= fields[f"{prefix}ring_size"]
    return pointer


@dataclass(slots=True)
class _Drain:
    fields: Fields
    tile: int
    first: int
    """Cycle of the first read of this block."""
    reads: int
    block: int


class DrainTrace:
    """Writes of ACTIVATE; those of one command are all added before those of the next."""

    def __init__(self, config: TileConfig) -> None:
        self._parts = config.core_outputs // config.lanes
        self._blocks_per_brick = config.brick_pieces * BRICK_CHANNELS // config.core_outputs
        self._drains: deque[_Drain] = deque()
        self._softmaxes: deque[tuple[Fields, range]] = deque()

    def add(self, fields: Fields, tile: int, block_reads: Sequence[tuple[int, int]]) -> None:
        """A tile: (first read, reads) of each of its blocks."""
        for block, (first, reads) in enumerate(block_reads):
            self._drains.append(_Drain(fields, tile, first, reads, block))

    def add_softmax(self, fields: Fields, writes: range) -> None:
        """A SOFTMAX: the cycle in which ACTIVATE writes each brick of its pixel."""
        self._softmaxes.append((fields, writes))

    def written_bank(self, cycle: int) -> int:
        """The bank written in `cycle`, -1 for none; cycles must not fall from call to call."""
        softmaxes = self._softmaxes
        while softmaxes and softmaxes[0][1][-1] + _BUFFER_DELAY < cycle:
            softmaxes.popleft()
        if softmaxes and cycle - _BUFFER_DELAY in softmaxes[0][1]:
            fields, writes = softmaxes[0]
            brick = writes.index(cycle - _BUFFER_DELAY)
            return (fields["ofm_row"] + brick * fields["ofm_channel_pitch"]) % BANKS
        drains = self._drains
        while drains and drains[0].first + drains[0].reads <= cycle - _write_delay(drains[0].fields):
            drains.popleft()
        if not drains or cycle - _write_delay(drains[0].fields) < drains[0].first:
            return -1
        drain = drains[0]
        fields = drain.fields
        turns = turns_of(fields)
        pixel, turn = divmod((cycle - _write_delay(fields) - drain.first) // self._parts, turns)
        if turns > 1 and turn >= fields["ofm_bytes"]:
            return -1
        plane = turn * fields["ofm_plane_pitch"] if turn else 0
        block, top, left, _, columns = _tile_place(fields, drain.tile)
        row, x = divmod(pixel, columns)
        brick = (block + drain.block) // self._blocks_per_brick
        pointer = _advance(fields, "ofm_", fields["ofm_row"], top + row)
        return (pointer + brick * fields["ofm_channel_pitch"] + plane + left + x) % BANKS


class ReadTrace:
    """Reads of COMPUTE."""

    def __init__(self) -> None:
        self._tiles: deque[tuple[Fields, int, FilledTile]] = deque()

    def add(self, fields: Fields, tile: int, filled: FilledTile) -> None:
        """A tile, and when it is read."""
        self._tiles.append((fields, tile, filled))

    def bank_taken(self, cycle: int, bank: int) -> bool:
        """Whether `bank` is read in `cycle`; cycles must not fall from call to call."""
        cycle -= _READ_DELAY
        tiles = self._tiles
        while tiles and tiles[0][2].first_read + tiles[0][2].steps * tiles[0][2].period <= cycle:
            tiles.popleft()
        if not tiles or cycle < tiles[0][2].first_read:
            return False
        fields, tile, filled = tiles[0]
        step, place = divmod(cycle - filled.first_read, filled.period)
        read = filled.read_of(place)
        if read < 0:
            return False
        address = _read_address(fields, tile, filled.first_step + step, read)
        return (bank - address) % BANKS < fields.get("window", 1)


def _read_address(fields: Fields, tile: int, step: int, read: int) -> int:
    mode = Mode(fields["mode"])
    block, top, left, _, columns = _tile_place(fields, tile)
    per_brick = fields["blocks_per_brick"]
    own_brick = block // per_brick if per_brick else 0
    if mode in (Mode.ADD, Mode.MULTIPLY):
        pixel, operand = divmod(read, 2)
        row, x = divmod(pixel, columns)
        if operand:
            pointer = _advance(fields, "ifm2_", fields["ifm2_row"], top + row)
            column = 0 if fields["ifm2_broadcast_x"] else left + x
            return pointer + own_brick * fields["ifm2_channel_pitch"] + column
        pointer = _advance(fields, "ifm_", fields["ifm_row"], top + row)
        return pointer + own_brick * fields["ifm_channel_pitch"] + left + x
    pixel_cores = 1 << fields["pixel_cores_log2"]
    groups = -(-columns // pixel_cores)
    row, group = divmod(read, groups)
    taps = fields.get("taps", 1)
    kernel_columns = -(-fields["kernel_width"] // taps)
    passes = passes_of(fields)
    step, number = divmod(step, len(passes))
    plane = fields["ifm_plane_pitch"] if passes[number].ifm_low else 0
    rest, brick = divmod(step, fields["channel_bricks"])
    kernel_row, kernel_column = divmod(rest, kernel_columns)
    lines = (top + row) * fields["stride_y"] + kernel_row * fields["dilation_y"]
    pointer = _advance(fields, "ifm_", fields["ifm_row"], lines)
    x = (left + group * pixel_cores) * fields["stride_x"] + fields["x_origin"]
    x += kernel_column * taps * fields["dilation_x"]
    return pointer + (own_brick + brick) * fields["ifm_channel_pitch"] + plane + x
