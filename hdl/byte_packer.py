"""Joins pieces of at most a beat into beats with strobes, starting anywhere in one."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .axi_writer import packed_beat_layout

BEAT_BYTES = 8
"""Unless told otherwise."""


def byte_run_layout(beat_bytes: int = BEAT_BYTES) -> data.StructLayout:
    """A piece: its `bytes` (1..`beat_bytes`) lowest lanes of `data` count; `last` ends the beat that it is in."""
    return data.StructLayout({"data": 8 * beat_bytes, "bytes": range(beat_bytes + 1), "last": 1})


class BytePacker(wiring.Component):
    """Pieces in, beats out: one piece a cycle.

        i -> blank the lanes above `bytes`, shift left by position -> [ upper | lower ] -> or into the open beat -> o

    Strobes are shifted and merged like the bytes that they belong to.

    Timing: a piece taken in cycle t completes a beat that is offered from t + 1 on. A last piece that spills
    into one more beat costs one cycle more.

    Members:
        start: the next piece begins at byte `offset` (0..7) of a beat. No piece moves in this cycle.
        i: `byte_run_layout`.
        o: `packed_beat_layout(64)`.
        idle: nothing is on its way to `o`; what waits in an open beat does not count.
    """

    start: Signal
    offset: Signal
    i: stream.Interface
    o: stream.Interface
    idle: Signal

    def __init__(self, beat_bytes: int = BEAT_BYTES) -> None:
        if beat_bytes < 2 or beat_bytes & (beat_bytes - 1):
            raise ValueError(f"beat_bytes must be a power of two of at least 2, not {beat_bytes}")
        self._beat_bytes = beat_bytes
        super().__init__(
            {
                "start": In(1),
                "offset": In(range(beat_bytes)),
                "i": In(stream.Signature(byte_run_layout(beat_bytes))),
                "o": Out(stream.Signature(packed_beat_layout(8 * beat_bytes))),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Shift, then merge; a last piece that spills is flushed in a cycle of its own."""
        m = Module()
        beat_bytes = self._beat_bytes
        beat_bits = 8 * beat_bytes
        position = Signal(range(beat_bytes))
        after = Signal(range(2 * beat_bytes))
        shifted_data = Signal(2 * beat_bits, reset_less=True)
        shifted_strobe = Signal(2 * beat_bytes, reset_less=True)
        shifted_valid = Signal()
        complete = Signal()  # the piece fills the open beat
        last = Signal()
        spill = Signal()  # the last piece also opens another beat
        flush = Signal()
        open_beat = Signal(packed_beat_layout(beat_bits))

        offered = Signal(packed_beat_layout(beat_bits))
        emits = Signal()
        merge = Signal()
        free = Signal()  # room for a piece
        m.d.comb += [
            emits.eq(complete | last),
            merge.eq(shifted_valid & ~flush & (self.o.ready | ~emits)),
            offered.data.eq(open_beat.data | Mux(flush, 0, shifted_data[:beat_bits])),
            offered.strobe.eq(open_beat.strobe | Mux(flush, 0, shifted_strobe[:beat_bytes])),
            self.o.payload.eq(offered),
            self.o.valid.eq(flush | (shifted_valid & emits)),
            self.idle.eq(~shifted_valid & ~flush),
        ]
        with m.If(flush & self.o.ready):
            m.d.sync += [flush.eq(0), open_beat.eq(0)]
        with m.If(merge):
            m.d.sync += flush.eq(spill)
            with m.If(complete):
                m.d.sync += [
                    open_beat.data.eq(shifted_data[beat_bits:]),
                    open_beat.strobe.eq(shifted_strobe[beat_bytes:]),
                ]
            with m.Elif(last):
                m.d.sync += open_beat.eq(0)
            with m.Else():
                m.d.sync += open_beat.eq(offered)

        piece = self.i.payload
        used = Signal(beat_bytes)
        blanked = Signal(beat_bits)
        m.d.comb += [
            used.eq(Cat(lane < piece.bytes for lane in range(beat_bytes))),
            blanked.eq(
                Cat(Mux(used[lane], piece.data.word_select(lane, 8), 0) for lane in range(beat_bytes))
            ),
            after.eq(position + piece.bytes),
            free.eq(~shifted_valid | merge),
            self.i.ready.eq(free & ~self.start),
        ]
        # The wide registers follow the input whenever they are free; that a piece was taken makes them count.
        with m.If(free):
            m.d.sync += [
                shifted_data.eq(blanked << Cat(Const(0, 3), position)),
                shifted_strobe.eq(used << position),
                shifted_valid.eq(self.i.valid & ~self.start),
                complete.eq(after >= beat_bytes),
                last.eq(piece.last),
                spill.eq(piece.last & (after > beat_bytes)),
            ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += position.eq(after)
        with m.If(self.start):
            m.d.sync += [position.eq(self.offset), open_beat.eq(0)]
        return m
