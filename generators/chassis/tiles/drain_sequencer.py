"""The loop nest of ACTIVATE: which accumulator is read in which cycle, and where its result goes."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .accumulator_port import ACCUMULATOR_READ_LATENCY, FREEING_CYCLES
from .commands import BRICK_CHANNELS
from .drain_turns import ELEMENT_FIELDS, DrainTurns
from .tile_config import TileConfig, core_bits, tile_bits

ELEMENT_LATENCY = ACCUMULATOR_READ_LATENCY
"""Cycles from a read to its element: address arithmetic takes as long as the accumulators."""


def _tile_layout(config: TileConfig) -> data.StructLayout:
    """One accumulator tile: its extents, and whether it is the last of each outer loop."""
    return data.StructLayout(
        {
            "pixels": unsigned(tile_bits(config) + 3),
            "rows": unsigned(tile_bits(config)),
            "blocks": unsigned(core_bits(config)),
            "last_column": unsigned(1),
            "last_row": unsigned(1),
            "last_group": unsigned(1),
        }
    )


def freeing_pixels(config: TileConfig) -> int:
    """Pixels of a tile's last row that may be left to read when its half is promised to COMPUTE."""
    return FREEING_CYCLES // (config.core_outputs // config.lanes)


def brick_parts(config: TileConfig) -> int:
    """Results of eight channels come in this many parts, `lanes` channels each."""
    return BRICK_CHANNELS // config.lanes


def element_layout(config: TileConfig) -> data.StructLayout:
    """Where `lanes` results of one pixel go.

    `address` of the brick in the unified buffer, `piece` of the brick if it has several, `part` of the piece, and
    whether it is the command's `last`. Where operands are split, also what of a sum was read.
    """
    piece = {"piece": range(config.brick_pieces)} if config.brick_pieces > 1 else {}
    turn = ELEMENT_FIELDS if config.splits_int16 else {}
    part = range(max(2, brick_parts(config)))
    return data.StructLayout({"address": unsigned(16), **piece, "part": part, "last": unsigned(1), **turn})


class DrainSequencer(wiring.Component):
    """Walks the tiles of one ACTIVATE, and in each tile blocks, rows, pixels and parts, one read a cycle.

    A read happens in every cycle in which the tile is filled and its parameters are there; pixels beyond the
    width are left out, and nothing is lost between two tiles. The first read comes 2 cycles after `start` or later.

    Members:
        command: hold it from the cycle before `start` until the last element is out.
        start: begin.
        filled, drained, freeing, core, address: see `AccumulatorPort`; `drained` comes with the tile's last read,
            `freeing` `freeing_pixels` earlier, or with the last row's first pixel.
        block, part: whose parameters the read needs, in the cycle of the read; `block` counts within the group.
        available: those parameters are there.
        release: the block group's parameters are no longer needed; comes with its last read.
        elements: the element of a read, `ELEMENT_LATENCY` cycles after it.
    """

    command: data.View
    start: Signal
    filled: Signal
    drained: Signal
    freeing: Signal
    core: Signal
    address: Signal
    block: Signal
    part: Signal
    available: Signal
    release: Signal
    elements: stream.Interface

    def __init__(self, config: TileConfig) -> None:
        self._two_blocks_per_brick = config.core_outputs < BRICK_CHANNELS
        self._parts_per_block = config.core_outputs // config.lanes
        self._freeing_pixels: Value | int = freeing_pixels(config)
        self._turns = DrainTurns(config) if config.splits_int16 else None
        self._pieces = config.brick_pieces
        self._tile = _tile_layout(config)
        self._element = element_layout(config)
        cores = range(max(2, config.cores))
        super().__init__(
            {
                "command": In(config.activate.struct()),
                "start": In(1),
                "filled": In(1),
                "drained": Out(1),
                "freeing": Out(1),
                "core": Out(cores),
                "address": Out(range(config.tile_pixels)),
                "block": Out(cores),
                "part": Out(range(max(2, brick_parts(config)))),
                "available": In(1),
                "release": Out(1),
                "elements": Out(stream.Signature(self._element, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Tiles, reads within a tile, addresses: each a stage that hands registers to the next."""
        m = Module()
        tile = Signal(self._tile)
        next_tile = Signal(self._tile)
        tile_valid = Signal()
        tile_end = Signal()
        load = ~tile_valid | tile_end
        walking = self._tiles(m, next_tile, load)
        with m.If(load):
            m.d.sync += [tile.eq(next_tile), tile_valid.eq(walking)]

        read = Signal()
        pixel_end = Signal()
        line_end = Signal()
        image_end = Signal()
        block_odd = Signal()
        if self._turns is not None:
            m.submodules.turns = self._turns
            m.d.comb += [
                self._turns.command.eq(self.command),
                self._turns.start.eq(self.start),
                self._turns.read.eq(read),
            ]
            self._freeing_pixels = self._turns.freeing_pixels
        # These ends decide within a cycle on every counter here, so all that they depend on is registered.
        last_pixel, pixel_frees = _near_end(
            m, "pixel", load, next_tile.pixels, pixel_end, tile.pixels, (0, self._freeing_pixels)
        )
        (last_row,) = _near_end(m, "row", load, next_tile.rows, line_end, tile.rows, (0,))
        (last_block,) = _near_end(m, "block", load, next_tile.blocks, image_end, tile.blocks, (0,))
        m.d.comb += [
            read.eq(tile_valid & self.filled & self.available),
            pixel_end.eq(read & self._ends_pixel),
            line_end.eq(pixel_end & last_pixel),
            image_end.eq(line_end & last_row),
            tile_end.eq(image_end & last_block),
        ]
        self._reads(m, read, pixel_end, line_end, image_end, tile_end)
        group_end = tile_end & tile.last_column & tile.last_row
        with m.If(group_end):
            m.d.sync += block_odd.eq(~block_odd & ~tile.last_group)
        m.d.comb += [
            self.drained.eq(tile_end),
            self.freeing.eq(pixel_end & pixel_frees & last_row & last_block),
        ]
        if self._two_blocks_per_brick:
            m.d.comb += [self.part.eq(block_odd), self.release.eq(group_end & block_odd)]
        else:
            m.d.comb += self.release.eq(group_end)

        # The address follows a cycle behind the read, from registered events.
        events = data.StructLayout(
            dict.fromkeys(("read", "pixel_end", "line_end", "image_end", "tile_end", "block_odd"), 1)
            | ({"in_last_pixel": 1, **ELEMENT_FIELDS} if self._turns is not None else {})
        )
        events_1 = Signal(events)
        tile_1 = Signal.like(tile)
        part_1 = Signal.like(self.part)
        m.d.sync += [
            events_1.read.eq(read),
            events_1.pixel_end.eq(pixel_end),
            events_1.line_end.eq(line_end),
            events_1.image_end.eq(image_end),
            events_1.tile_end.eq(tile_end),
            events_1.block_odd.eq(block_odd),
            tile_1.eq(tile),
            part_1.eq(self.part),
        ]
        if self._turns is not None:
            m.d.sync += [events_1[name].eq(self._turns.element[name]) for name in ELEMENT_FIELDS]
            m.d.sync += events_1.in_last_pixel.eq(last_pixel & last_row & last_block)
        self._elements(m, events_1, tile_1, part_1)
        return m

    @property
    def _ends_pixel(self) -> Value:
        """A read in this cycle would be its pixel's last."""
        if self._turns is not None:
            return self._turns.ends_pixel
        return self.part if self._parts_per_block == 2 else Const(1)

    def _piece(self, m: Module, events: data.View, tile: data.View) -> Signal:
        """Which piece of its brick the block is."""
        piece, tile_piece = (Signal(range(self._pieces), name=name) for name in ("piece", "tile_piece"))
        with m.If(events.image_end):
            m.d.sync += piece.eq(piece + 1)
        with m.If(events.tile_end):
            m.d.sync += piece.eq(tile_piece)
            with m.If(tile.last_column & tile.last_row):
                m.d.sync += [piece.eq(piece + 1), tile_piece.eq(piece + 1)]
        with m.If(self.start):
            m.d.sync += [piece.eq(0), tile_piece.eq(0)]
        return piece

    def _tiles(self, m: Module, tile: data.View, taken: Value) -> Signal:
        """The outer loops: `tile` is the next one, until it is `taken`; returns whether there is one."""
        command = self.command
        span = Signal.like(tile.pixels)  # of a full tile row
        group = Signal.like(tile.blocks)  # of a full group
        m.d.sync += span.eq(command.tile_groups << command.pixel_cores_log2)
        m.d.sync += group.eq(1 << command.block_cores_log2)

        columns = Signal(16)
        rows = Signal(16)
        blocks = Signal(12)
        walking = Signal()
        last_column = Signal()
        last_row = Signal()
        last_group = Signal()
        m.d.comb += [
            last_column.eq(columns <= span),
            last_row.eq(rows <= command.tile_rows),
            last_group.eq(blocks <= group),
            tile.pixels.eq(Mux(last_column, columns, span)),
            tile.rows.eq(Mux(last_row, rows, command.tile_rows)),
            tile.blocks.eq(Mux(last_group, blocks, group)),
            tile.last_column.eq(last_column),
            tile.last_row.eq(last_row),
            tile.last_group.eq(last_group),
        ]
        with m.If(taken):
            m.d.sync += columns.eq(columns - span)
            with m.If(last_column):
                m.d.sync += [columns.eq(command.width), rows.eq(rows - command.tile_rows)]
                with m.If(last_row):
                    m.d.sync += [rows.eq(command.height), blocks.eq(blocks - group)]
                    with m.If(last_group):
                        m.d.sync += walking.eq(0)
        with m.If(self.start):
            m.d.sync += [
                columns.eq(command.width),
                rows.eq(command.height),
                blocks.eq(command.output_blocks),
                walking.eq(1),
            ]
        return walking

    def _reads(
        self,
        m: Module,
        read: Value,
        pixel_end: Value,
        line_end: Value,
        image_end: Value,
        tile_end: Value,
    ) -> None:
        """What a read asks for; the ends say what it is the last read of."""
        pixel_core = Signal(3)
        pixel_core_last = Signal(3)
        block_core = Signal.like(self.core)
        m.d.sync += pixel_core_last.eq((1 << self.command.pixel_cores_log2) - 1)
        m.d.comb += self.core.eq(block_core | pixel_core)
        if self._parts_per_block == 2:
            m.d.sync += self.part.eq(self.part ^ read)
        with m.If(pixel_end):
            m.d.sync += pixel_core.eq(pixel_core + 1)
            with m.If(line_end | (pixel_core == pixel_core_last)):
                # Groups follow each other in the accumulators, across rows as well.
                m.d.sync += [pixel_core.eq(0), self.address.eq(self.address + 1)]
        if self._turns is not None:
            with m.If(read & self._turns.moves):
                m.d.sync += self.address.eq(self.address + 1)
        with m.If(image_end):
            m.d.sync += [
                self.address.eq(0),
                self.block.eq(self.block + 1),
                block_core.eq(block_core + pixel_core_last + 1),
            ]
        with m.If(tile_end):
            m.d.sync += [self.block.eq(0), block_core.eq(0)]

    def _elements(self, m: Module, events: data.View, tile: data.View, part: Signal) -> None:
        """Row pointer, channel brick and x of the read a cycle ago; two more cycles add them up."""
        command = self.command
        row = Signal(16)
        tile_row = Signal(16)
        next_row = Signal(16)
        bricks = Signal(16)
        tile_bricks = Signal(16)
        next_bricks = Signal(16)
        x = Signal(16)
        tile_x = Signal(16)

        # next >= ring_end, with the addition moved to the constant's side.
        last_in_ring = Signal(signed(18))
        wrapping_step = Signal(16)
        m.d.sync += [
            last_in_ring.eq(command.ofm_ring_end - command.ofm_row_pitch),
            wrapping_step.eq(command.ofm_row_pitch - command.ofm_ring_size),
        ]
        # Both sums beside the comparison, not behind it.
        m.d.comb += next_row.eq(Mux(row >= last_in_ring, row + wrapping_step, row + command.ofm_row_pitch))
        m.d.comb += next_bricks.eq(bricks + command.ofm_channel_pitch)
        piece: Signal | None = None
        if self._two_blocks_per_brick:
            with m.If(~events.block_odd):
                m.d.comb += next_bricks.eq(bricks)
        if self._pieces > 1:
            piece = self._piece(m, events, tile)
            with m.If(piece != self._pieces - 1):
                m.d.comb += next_bricks.eq(bricks)

        with m.If(events.pixel_end):
            m.d.sync += x.eq(x + 1)
        with m.If(events.line_end):
            m.d.sync += [x.eq(tile_x), row.eq(next_row)]
        with m.If(events.image_end):
            m.d.sync += [row.eq(tile_row), bricks.eq(next_bricks)]
        with m.If(events.tile_end):
            m.d.sync += bricks.eq(tile_bricks)
            with m.If(~tile.last_column):
                m.d.sync += [x.eq(x + 1), tile_x.eq(x + 1)]
            with m.Else():
                m.d.sync += [x.eq(0), tile_x.eq(0)]
                with m.If(~tile.last_row):
                    m.d.sync += [row.eq(next_row), tile_row.eq(next_row)]
                with m.Else():
                    m.d.sync += [row.eq(command.ofm_row), tile_row.eq(command.ofm_row)]
                    m.d.sync += [bricks.eq(next_bricks), tile_bricks.eq(next_bricks)]
        with m.If(self.start):
            m.d.sync += [
                row.eq(command.ofm_row),
                tile_row.eq(command.ofm_row),
                bricks.eq(0),
                tile_bricks.eq(0),
                x.eq(0),
                tile_x.eq(0),
            ]

        # A pixel's turns may go on after its last element.
        tile_is_done = events.tile_end if self._turns is None else events.in_last_pixel
        line_2 = Signal(16, reset_less=True)
        x_2 = Signal(16, reset_less=True)
        element_2 = Signal(self._element, reset_less=True)
        element_3 = Signal(self._element, reset_less=True)
        valid_2 = Signal()
        valid_3 = Signal()
        m.d.sync += [
            line_2.eq(row + bricks),
            x_2.eq(x),
            element_2.part.eq(part),
            element_2.last.eq(tile_is_done & tile.last_column & tile.last_row & tile.last_group),
            valid_2.eq(events.read),
            element_3.eq(element_2),
            element_3.address.eq(line_2 + x_2),
            valid_3.eq(valid_2),
        ]
        if piece is not None:
            m.d.sync += element_2.piece.eq(piece)
        if self._turns is not None:
            m.d.sync += [element_2[name].eq(events[name]) for name in ELEMENT_FIELDS]
            m.d.sync += valid_2.eq(events.read & events.collects)
        m.d.comb += [self.elements.valid.eq(valid_3), self.elements.payload.eq(element_3)]


def _near_end(
    m: Module, loop: str, load: Value, coming: Value, step: Value, turns: Value, after: Sequence[Value | int]
) -> list[Signal]:
    """For each count of `after`, which begins with 0: whether that many turns of a loop follow this one, or it is the
    first one of fewer; from registers.

    `load` begins a loop of `coming` turns, `step` ends a turn; after the last one, `turns` more follow.
    """
    left = Signal.like(turns, name=f"{loop}_turns_left")
    flags = [Signal(name=f"{loop}_end_{number}") for number in range(len(after))]
    for count, flag in zip(after, flags, strict=True):
        with m.If(load):
            m.d.sync += [left.eq(coming), flag.eq(coming <= count + 1)]
        with m.Elif(step & flags[0]):
            m.d.sync += [left.eq(turns), flag.eq(turns <= count + 1)]
        with m.Elif(step):
            m.d.sync += [left.eq(left - 1), flag.eq(left == count + 2)]
    return flags
