"""The middle loops of COMPUTE: kernel rows, kernel columns, channel bricks of every tile."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from . import pass_walk
from .compute_constants import constants_layout
from .ring_pointer import ADDRESS_BITS, advance
from .tile_config import TileConfig, block_part_bits
from .tile_walk import COORDINATE, tile_layout

STEP_WALK_CYCLES = 2
"""Cycles from a tile that was taken, or from a step that was taken and is not its tile's last, to the next step."""


def step_layout(config: TileConfig) -> data.StructLayout:
    """A reduction step of a tile.

    row, column: pointer to the ifm row, and bricks from its start to the window, of the step's first pixel.
    y, x: ifm row and pixel there.
    ifm2_row, ifm2_column: the same of the second operand.
    last_row, last_group, odd_block: as in `tile_layout`.
    first_of_tile, last_of_tile: place in its tile.
    last_of_blocks: the last step of the last tile of its block group.
    last: of the command.
    """
    passes = pass_walk.STEP_FIELDS if config.splits_int16 else {}
    return data.StructLayout(
        {
            "row": unsigned(ADDRESS_BITS),
            "column": unsigned(ADDRESS_BITS),
            "y": COORDINATE,
            "x": COORDINATE,
            "ifm2_row": unsigned(ADDRESS_BITS),
            "ifm2_column": unsigned(ADDRESS_BITS),
            "last_row": range(config.tile_pixels),
            "last_group": range(config.tile_pixels),
            "odd_block": unsigned(block_part_bits(config)),
            "first_of_tile": unsigned(1),
            "last_of_tile": unsigned(1),
            "last_of_blocks": unsigned(1),
            "last": unsigned(1),
            **passes,
        }
    )


class StepWalk(wiring.Component):
    """Turns each tile into its steps, in order.

    The next tile is taken in the cycle its predecessor's last step is, so that they follow each other like steps.

    Members:
        command, constants: held from the first tile to completion.
        i: tiles, `tile_layout`.
        o: steps, `step_layout`.
        busy: in the middle of a tile.
    """

    command: data.View
    constants: data.View
    i: stream.Interface
    o: stream.Interface
    busy: Signal

    def __init__(self, config: TileConfig) -> None:
        self._splits_int16 = config.splits_int16
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "constants": In(constants_layout(config)),
                "i": In(stream.Signature(tile_layout(config))),
                "o": Out(stream.Signature(step_layout(config))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """State moves in the cycle a step is taken; what it entails is registered in the next."""
        m = Module()
        step = self.o.payload
        taken, tile_taken = Signal(), Signal()
        settling = Signal()
        m.d.comb += [
            taken.eq(self.o.valid & self.o.ready),
            self.i.ready.eq(~self.busy | (taken & step.last_of_tile)),
            tile_taken.eq(self.i.valid & self.i.ready),
        ]
        m.d.sync += settling.eq(tile_taken | (taken & ~step.last_of_tile))
        with m.If(taken):
            m.d.sync += self.o.valid.eq(0)
        with m.Elif(settling):
            m.d.sync += self.o.valid.eq(1)
        with m.If(tile_taken):
            m.d.sync += self.busy.eq(1)
        with m.Elif(taken & step.last_of_tile):
            m.d.sync += self.busy.eq(0)

        last_brick, last_column, last_row = Signal(), Signal(), Signal()
        ends_bricks, ends_row = Signal(), Signal()
        next_column, next_row = Signal(), Signal()
        next_brick: Value = taken
        last_pass: Value = Const(1)
        if self._splits_int16:
            ends_passes = Signal()
            last_pass = pass_walk.walk_passes(m, self.command, step, tile_taken, taken, ends_passes)
            m.d.sync += ends_passes.eq(last_pass)
            next_brick = taken & ends_passes
        m.d.comb += [next_column.eq(taken & ends_bricks), next_row.eq(taken & ends_row)]
        tile_is_last, tile_is_last_of_blocks = Signal(), Signal()
        with m.If(tile_taken):
            tile = self.i.payload
            m.d.sync += [
                step.first_of_tile.eq(1),
                step.last_row.eq(tile.last_row),
                step.last_group.eq(tile.last_group),
                step.odd_block.eq(tile.odd_block),
                step.ifm2_row.eq(tile.ifm2_row),
                step.ifm2_column.eq(tile.ifm2_x + tile.ifm2_channel_offset),
                tile_is_last.eq(tile.last),
                tile_is_last_of_blocks.eq(tile.last_of_blocks),
            ]
        with m.Elif(taken):
            m.d.sync += step.first_of_tile.eq(0)
        self._rows(m, tile_taken, next_row, last_row)
        self._columns(m, tile_taken, next_brick, next_column, next_row, last_brick, last_column)
        ends_brick = last_brick & last_pass if self._splits_int16 else last_brick
        ends_tile = ends_brick & last_column & last_row
        m.d.sync += [
            ends_bricks.eq(ends_brick),
            ends_row.eq(ends_brick & last_column),
            step.last_of_tile.eq(ends_tile),
            step.last_of_blocks.eq(ends_tile & tile_is_last_of_blocks),
            step.last.eq(ends_tile & tile_is_last),
        ]
        return m

    def _rows(self, m: Module, restart: Value, move: Value, last: Signal) -> None:
        command, constants, step, tile = self.command, self.constants, self.o.payload, self.i.payload
        left = Signal(8)
        row_below = Signal(ADDRESS_BITS)
        with m.If(restart):
            m.d.sync += [step.row.eq(tile.row), step.y.eq(tile.y), left.eq(command.kernel_height)]
        with m.Elif(move):
            m.d.sync += [
                step.row.eq(row_below),
                step.y.eq(step.y + command.dilation_y),
                left.eq(left - 1),
            ]
        m.d.sync += row_below.eq(advance(step.row, constants.kernel_row_step))
        m.d.comb += last.eq(left == 1)

    def _columns(
        self,
        m: Module,
        restart: Value,
        next_brick: Value,
        next_column: Value,
        next_row: Value,
        last_brick: Signal,
        last_column: Signal,
    ) -> None:
        command, constants, step, tile = self.command, self.constants, self.o.payload, self.i.payload
        columns_left = Signal(8)
        bricks_left = Signal(12)
        tile_x = Signal.like(step.x)
        tile_offset = Signal(ADDRESS_BITS)
        offset = Signal(ADDRESS_BITS)
        with m.If(restart):
            m.d.sync += [
                tile_x.eq(tile.x),
                tile_offset.eq(tile.channel_offset),
                step.x.eq(tile.x),
                columns_left.eq(command.kernel_width),
                offset.eq(tile.channel_offset),
                bricks_left.eq(command.channel_bricks),
            ]
        with m.Elif(next_column):
            m.d.sync += [
                step.x.eq(Mux(next_row, tile_x, step.x + constants.kernel_column_pixels)),
                columns_left.eq(Mux(next_row, command.kernel_width, columns_left - constants.kernel_columns)),
                offset.eq(tile_offset),
                bricks_left.eq(command.channel_bricks),
            ]
        with m.Elif(next_brick):
            m.d.sync += [
                offset.eq(offset + command.ifm_channel_pitch),
                bricks_left.eq(bricks_left - 1),
            ]
        plane_offset: Value = offset
        if self._splits_int16:
            plane_offset = pass_walk.plane_offset(
                m, command, step, tile, restart, next_column, next_brick, offset
            )
        m.d.sync += step.column.eq(plane_offset + step.x)
        m.d.comb += [
            last_brick.eq(bricks_left == 1),
            last_column.eq(columns_left <= constants.kernel_columns),
        ]
