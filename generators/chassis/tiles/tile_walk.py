"""The outer loops of COMPUTE: block groups, tile rows, tiles."""

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .compute_constants import constants_layout
from .ring_pointer import ADDRESS_BITS, advance
from .tile_config import TileConfig, block_part_bits

COORDINATE = signed(18)
"""Ifm pixel or row; outside of the ifm is padding."""

TILE_WALK_CYCLES = 2
"""Cycles from `start`, or from a tile that was taken, to the next tile."""


def tile_layout(config: TileConfig) -> data.StructLayout:
    """An accumulator tile.

    row, y, x: pointer to the ifm row, that row, and the ifm pixel, under kernel row and column 0 of the tile's first
        pixel.
    channel_offset: bricks from a row's start to its channel brick.
    ifm2_row, ifm2_x, ifm2_channel_offset: the same of the second operand.
    last_row, last_group: its extents less one.
    odd_block: output block modulo 2.
    last_of_blocks: the last tile of its block group.
    last: of the command.
    """
    return data.StructLayout(
        {
            "row": unsigned(ADDRESS_BITS),
            "y": COORDINATE,
            "x": COORDINATE,
            "channel_offset": unsigned(ADDRESS_BITS),
            "ifm2_row": unsigned(ADDRESS_BITS),
            "ifm2_x": unsigned(ADDRESS_BITS),
            "ifm2_channel_offset": unsigned(ADDRESS_BITS),
            "last_row": range(config.tile_pixels),
            "last_group": range(config.tile_pixels),
            "odd_block": unsigned(block_part_bits(config)),
            "last_of_blocks": unsigned(1),
            "last": unsigned(1),
        }
    )


class TileWalk(wiring.Component):
    """Offers the command's tiles in order.

    Members:
        command: held from `start` to completion.
        constants: of the command; `groups` settled by `start`, the others in the cycle after it.
        start: begin with the first tile.
        o: tiles, `tile_layout`.
    """

    command: data.View
    constants: data.View
    start: Signal
    o: stream.Interface

    def __init__(self, config: TileConfig) -> None:
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "constants": In(constants_layout(config)),
                "start": In(1),
                "o": Out(stream.Signature(tile_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """State moves in the cycle a tile is taken; what it entails is registered in the next."""
        m = Module()
        tile = self.o.payload
        taken = Signal()
        settling = Signal()
        m.d.comb += taken.eq(self.o.valid & self.o.ready)
        m.d.sync += settling.eq(self.start | (taken & ~tile.last))
        with m.If(self.start | taken):
            m.d.sync += self.o.valid.eq(0)
        with m.Elif(settling):
            m.d.sync += self.o.valid.eq(1)

        last_column, last_row, last_blocks = Signal(), Signal(), Signal()
        ends_row = Signal()
        next_row, next_blocks = Signal(), Signal()
        m.d.comb += [
            next_row.eq(self.start | (taken & ends_row)),
            next_blocks.eq(self.start | (taken & tile.last_of_blocks)),
        ]
        self._columns(m, taken, next_row, last_column)
        self._rows(m, next_row, next_blocks, last_row)
        self._blocks(m, next_blocks, last_blocks)
        m.d.sync += [
            ends_row.eq(last_column),
            tile.last_of_blocks.eq(last_column & last_row),
            tile.last.eq(last_column & last_row & last_blocks),
        ]
        return m

    def _columns(self, m: Module, taken: Value, restart: Value, last: Signal) -> None:
        command, constants, tile = self.command, self.constants, self.o.payload
        left = Signal(16)
        with m.If(restart):
            m.d.sync += [tile.x.eq(command.x_origin), left.eq(constants.groups), tile.ifm2_x.eq(0)]
        with m.Elif(taken):
            m.d.sync += [
                tile.x.eq(tile.x + constants.tile_pixels),
                left.eq(left - command.tile_groups),
                tile.ifm2_x.eq(Mux(command.ifm2_broadcast_x, 0, tile.ifm2_x + command.tile_groups)),
            ]
        self._clip(m, left, command.tile_groups, last, tile.last_group)

    def _rows(self, m: Module, move: Value, restart: Value, last: Signal) -> None:
        command, constants, tile = self.command, self.constants, self.o.payload
        left = Signal(16)
        row_below = Signal(ADDRESS_BITS)
        ifm2_row_below = Signal(ADDRESS_BITS)
        with m.If(move):  # as it does whenever it starts again: one signal enables all
            m.d.sync += [
                tile.row.eq(Mux(restart, command.ifm_row, row_below)),
                tile.ifm2_row.eq(Mux(restart, command.ifm2_row, ifm2_row_below)),
                tile.y.eq(Mux(restart, command.y_origin, tile.y + constants.tile_lines)),
                left.eq(Mux(restart, command.height, left - command.tile_rows)),
            ]
        m.d.sync += [
            row_below.eq(advance(tile.row, constants.tile_row_step)),
            ifm2_row_below.eq(advance(tile.ifm2_row, constants.ifm2_tile_row_step)),
        ]
        self._clip(m, left, command.tile_rows, last, tile.last_row)

    def _blocks(self, m: Module, move: Value, last: Signal) -> None:
        command, constants, tile = self.command, self.constants, self.o.payload
        left = Signal(12)
        left_in_brick = Signal(10)
        next_brick = Signal()
        with m.If(self.start):
            m.d.sync += [
                tile.channel_offset.eq(0),
                tile.ifm2_channel_offset.eq(0),
                tile.odd_block.eq(0),
                left.eq(command.output_blocks),
                left_in_brick.eq(command.blocks_per_brick),
            ]
        with m.Elif(move):
            m.d.sync += [
                tile.odd_block.eq(_next_part(tile.odd_block)),
                left.eq(left - constants.block_cores),
                left_in_brick.eq(left_in_brick - constants.block_cores),
            ]
            with m.If(next_brick):
                m.d.sync += [
                    tile.channel_offset.eq(tile.channel_offset + command.ifm_channel_pitch),
                    tile.ifm2_channel_offset.eq(tile.ifm2_channel_offset + command.ifm2_channel_pitch),
                    left_in_brick.eq(command.blocks_per_brick),
                ]
        m.d.comb += last.eq(left <= constants.block_cores)
        is_last_in_brick = left_in_brick <= constants.block_cores
        m.d.sync += next_brick.eq((command.blocks_per_brick != 0) & is_last_in_brick)

    @staticmethod
    def _clip(m: Module, left: Value, full: Value, last: Signal, last_index: Signal) -> None:
        """Whether `left` is all in this tile, and, registered, the index of the tile's last row or group."""
        m.d.comb += last.eq(left <= full)
        m.d.sync += last_index.eq(Mux(last, left - 1, full - 1))


def _next_part(part: Value) -> Value:
    """The block after `part` of its brick."""
    return ~part if len(part) == 1 else part + 1
