"""Cuts a stream of beats into pieces of at most a beat, starting anywhere in one."""

from amaranth.hdl import Cat, Const, Module, Mux, ShapeLike, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

BEAT_BYTES = 8
"""Unless told otherwise."""


def piece_request_layout(tag: ShapeLike, beat_bytes: int = BEAT_BYTES) -> data.StructLayout:
    """The next piece: how many `bytes` (1..`beat_bytes`) it has, and a `tag` that travels with it."""
    return data.StructLayout({"bytes": range(beat_bytes + 1), "tag": tag})


def piece_layout(tag: ShapeLike, beat_bytes: int = BEAT_BYTES) -> data.StructLayout:
    """A piece: its bytes from lane 0 up in `data`, zeros above them; and its `tag`."""
    return data.StructLayout({"data": 8 * beat_bytes, "tag": tag})


class ByteUnpacker(wiring.Component):
    """Beats and a list of piece sizes in, pieces out: one a cycle while beats keep up.

    A window of two beats and the position of the next byte in the lower one:

        i -> [ high | low ] -> shift right by position, blank the lanes above `bytes` -> register -> o

    The request waits in a register, with where its piece begins and ends, for the beat.

    Timing: the beat taken in cycle t is in the lower half from t + 2, and the piece that it completes is offered
    from t + 3 (t + 2 when its last byte is in the upper half), if its request was taken in t + 1 (t) or before. What is
    left in the window, or was requested and is not cut, at the next `start` is dropped.

    Members:
        start: begin with the byte `offset` (0..7) of the next beat. Neither stream moves in this cycle.
        i: beats.
        request: `piece_request_layout`.
        o: `piece_layout`; registers.
    """

    start: Signal
    offset: Signal
    i: stream.Interface
    request: stream.Interface
    o: stream.Interface

    def __init__(self, tag: ShapeLike, beat_bytes: int = BEAT_BYTES) -> None:
        if beat_bytes < 2 or beat_bytes & (beat_bytes - 1):
            raise ValueError(f"beat_bytes must be a power of two of at least 2, not {beat_bytes}")
        self._tag = tag
        self._beat_bytes = beat_bytes
        super().__init__(
            {
                "start": In(1),
                "offset": In(range(beat_bytes)),
                "i": In(stream.Signature(8 * beat_bytes)),
                "request": In(stream.Signature(piece_request_layout(tag, beat_bytes))),
                "o": Out(stream.Signature(piece_layout(tag, beat_bytes))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The window moves up by a beat when a piece takes the lower half's last byte."""
        m = Module()
        beat_bytes = self._beat_bytes
        beat_bits, place_bits = 8 * beat_bytes, beat_bytes.bit_length() - 1
        low = Signal(beat_bits, reset_less=True)
        low_valid = Signal()
        high = Signal(beat_bits, reset_less=True)
        high_valid = Signal()
        requested = Signal()
        position = Signal(range(beat_bytes))
        used = Signal(beat_bytes)  # lanes of the piece
        after = Signal(range(2 * beat_bytes))
        in_beat = Signal()  # the piece ends in the lower half
        tag = Signal(self._tag, reset_less=True)
        free = Signal()  # room for a piece
        cut = Signal()
        move = Signal()
        piece = Signal(piece_layout(self._tag, beat_bytes), reset_less=True)
        piece_valid = Signal()
        m.d.comb += [
            free.eq(~piece_valid | self.o.ready),
            cut.eq(requested & low_valid & (high_valid | in_beat) & free & ~self.start),
            move.eq(~low_valid | (cut & after[place_bits])),
            self.request.ready.eq((~requested | cut) & ~self.start),
            self.i.ready.eq((move | ~high_valid) & ~self.start),
            self.o.payload.eq(piece),
            self.o.valid.eq(piece_valid),
        ]
        window = Signal(beat_bits)
        m.d.comb += window.eq(Cat(low, high) >> Cat(Const(0, 3), position))
        # The wide register follows the window whenever it is free; a cut, late in its cycle, makes it count.
        with m.If(free):
            lanes = [Mux(used[lane], window.word_select(lane, 8), 0) for lane in range(beat_bytes)]
            m.d.sync += [piece.data.eq(Cat(lanes)), piece.tag.eq(tag), piece_valid.eq(cut)]
        with m.If(cut):
            m.d.sync += requested.eq(0)
        with m.If(self.request.valid & self.request.ready):
            count = self.request.payload.bytes
            end = after[:place_bits] + count
            m.d.sync += [
                requested.eq(1),
                position.eq(after),
                used.eq(Cat(lane < count for lane in range(beat_bytes))),
                after.eq(end),
                in_beat.eq(end <= beat_bytes),
                tag.eq(self.request.payload.tag),
            ]
        with m.If(move):
            m.d.sync += [low.eq(high), low_valid.eq(high_valid)]
        with m.If(move | ~high_valid):
            m.d.sync += [high.eq(self.i.payload), high_valid.eq(self.i.valid)]
        with m.If(self.start):
            m.d.sync += [after.eq(self.offset), requested.eq(0), low_valid.eq(0), high_valid.eq(0)]
        return m
