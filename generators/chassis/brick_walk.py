"""The bricks of a transfer, in the order of their bytes in memory."""

from collections.abc import Iterator, Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.shared_module import shared_module
from .command import LOAD

BRICK_BYTES = 8
BRICK_ADDRESS_BITS = 16


def piece_address_bits(pieces: int) -> int:
    """Bits of the address of a piece where a brick has `pieces` of them, a power of two; the piece is below."""
    if pieces < 1 or pieces & (pieces - 1):
        raise ValueError(f"pieces must be a power of two, not {pieces}")
    return BRICK_ADDRESS_BITS + (pieces - 1).bit_length()


def brick_place_layout(pieces: int = 1, piece_bytes: int = BRICK_BYTES) -> data.StructLayout:
    """A brick, or one of its `pieces`: its `address` in the buffer, how many `bytes` (1..`piece_bytes`) of it are in
    memory, `last` of the transfer.
    """
    return data.StructLayout(
        {"address": piece_address_bits(pieces), "bytes": range(piece_bytes + 1), "last": 1}
    )


def walk(
    command: Mapping[str, int], pieces: int = 1, piece_bytes: int = BRICK_BYTES
) -> Iterator[tuple[int, int]]:
    """(address, bytes) of the bricks of a LOAD or STORE, in order; the model of `BrickWalk`.

    Bricks of several `pieces` come once for each piece that holds channels.
    """
    row = command["row"]
    for _ in range(command["rows"]):
        for x in range(command["width"]):
            for first in range(0, command["channels"], piece_bytes):
                address = row + first // (piece_bytes * pieces) * command["channel_pitch"] + x
                yield address % (1 << BRICK_ADDRESS_BITS), min(piece_bytes, command["channels"] - first)
        row += command["row_pitch"]
        if row >= command["ring_end"]:
            row -= command["ring_size"]
        row %= 1 << BRICK_ADDRESS_BITS


class BrickWalk(wiring.Component):
    """Walks rows, pixels and channel bricks, one brick a cycle; of bricks of several pieces one piece a cycle.

    Timing: `start` in cycle t offers the first brick in t + 1; then one brick a cycle while they are taken.

    Members:
        command: LOAD's or STORE's, not empty, from two cycles before `start` until the last brick is taken.
        start: begin.
        o: `brick_place_layout`.
    """

    command: data.View
    start: Signal
    o: stream.Interface

    def __init__(self, pieces: int = 1, piece_bytes: int = BRICK_BYTES) -> None:
        self._pieces = pieces
        self._piece_bytes = piece_bytes
        super().__init__(
            {
                "command": In(LOAD.struct()),
                "start": In(1),
                "o": Out(stream.Signature(brick_place_layout(pieces, piece_bytes))),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Three nested counters count down; three addresses remember where brick, pixel and row started."""
        m = Module()
        command, piece_bytes = self.command, self._piece_bytes
        bricks = Signal(14)  # of a pixel
        tail = Signal(range(piece_bytes + 1))  # bytes of a pixel's last brick
        wrapped_pitch = Signal(signed(18))
        wrap_from = Signal(signed(19))  # a row that lies at or past this is followed by a wrap
        m.d.sync += [
            bricks.eq((command.channels + (piece_bytes - 1)) // piece_bytes),
            tail.eq(Mux(command.channels % piece_bytes == 0, piece_bytes, command.channels % piece_bytes)),
            wrapped_pitch.eq(command.row_pitch - command.ring_size),
            wrap_from.eq(command.ring_end - command.row_pitch),
        ]

        valid = Signal()
        piece = Signal(range(max(2, self._pieces)))
        address = Signal(BRICK_ADDRESS_BITS)
        pixel = Signal(BRICK_ADDRESS_BITS)
        row = Signal(
            BRICK_ADDRESS_BITS
        )  # one ahead, so that neither comparison nor sum stands before an address
        after_row = Signal(BRICK_ADDRESS_BITS)
        # Counted down to 1, which is known beforehand.
        bricks_left = Signal(14)
        pixels_left = Signal(16)
        rows_left = Signal(16)
        last_brick, last_pixel, last_row = Signal(), Signal(), Signal()
        m.d.comb += [
            self.o.valid.eq(valid),
            self.o.payload.address.eq(address if self._pieces == 1 else Cat(piece, address)),
            self.o.payload.bytes.eq(Mux(last_brick, tail, piece_bytes)),
            self.o.payload.last.eq(last_brick & last_pixel & last_row),
            # Both sums beside the comparison, not behind it: a sum of a choice was the longest path of a route.
            after_row.eq(Mux(row >= wrap_from, row + wrapped_pitch, row + command.row_pitch)),
        ]

        def start_pixel(place: Value) -> None:
            m.d.sync += [
                address.eq(place),
                pixel.eq(place),
                bricks_left.eq(bricks),
                last_brick.eq(bricks == 1),
            ]
            if self._pieces > 1:
                m.d.sync += piece.eq(0)

        def next_brick() -> None:
            m.d.sync += address.eq(address + command.channel_pitch)

        def start_row() -> None:
            start_pixel(row)
            m.d.sync += [
                row.eq(after_row),
                pixels_left.eq(command.width),
                last_pixel.eq(command.width == 1),
            ]

        with m.If(self.start):
            start_row()
            m.d.sync += [rows_left.eq(command.rows), last_row.eq(command.rows == 1), valid.eq(1)]
        with m.Elif(~valid):
            m.d.sync += row.eq(command.row)
        with m.Elif(self.o.ready):
            with m.If(~last_brick):
                if self._pieces == 1:
                    next_brick()
                else:
                    with m.If(piece == self._pieces - 1):
                        next_brick()
                    m.d.sync += piece.eq(piece + 1)
                m.d.sync += [
                    bricks_left.eq(bricks_left - 1),
                    last_brick.eq(bricks_left == 2),
                ]
            with m.Elif(~last_pixel):
                start_pixel((pixel + 1)[:BRICK_ADDRESS_BITS])
                m.d.sync += [pixels_left.eq(pixels_left - 1), last_pixel.eq(pixels_left == 2)]
            with m.Else():
                start_row()
                m.d.sync += [rows_left.eq(rows_left - 1), last_row.eq(rows_left == 2), valid.eq(~last_row)]
        return m
