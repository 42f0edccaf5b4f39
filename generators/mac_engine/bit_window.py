"""A window on a stream of bits that moves on by any number of bits a cycle."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

_BEAT_BITS = 64
_BEATS = 4
_BITS = _BEATS * _BEAT_BITS

CUT_BITS = 4
"""Cuts are made at multiples of this many bits; who takes one shifts it by the rest, behind a register of its own."""

LARGEST_ADVANCE = _BITS - _BEAT_BITS + 1
"""Most bits that the window can always come to hold."""


class BitWindow(wiring.Component):
    """Keeps four beats of a stream, and shows two cuts of them.

    Timing: a beat taken in cycle t counts from t + 1 on; so does what `take` moves on, with its `distance` and
    `next_length`. After `clear` the distance is 0. Both cuts are choices behind registers; `enough` is a register, and
    `level` a sum of two.

    Members:
        beats: 64-bit beats, least significant bit first; taken while one of the four is used up.
        clear, first_length: forget everything; how many bits the first `take` moves on by.
        level: bits that are there.
        next_length, next_length_rest: with `take`, their sum is how many bits the next one moves on by.
        enough: that many are there.
        take: move on; not without `enough`.
        near, near_rest: the next bits follow the lowest `near_rest` of `near`.
        distance: with `take`, bits between the place moved on to and that of `far`.
        far, far_rest: the bits from there on follow the lowest `far_rest` of `far`.
    """

    beats: stream.Interface
    clear: Signal
    first_length: Signal
    level: Signal
    next_length: Signal
    next_length_rest: Signal
    enough: Signal
    take: Signal
    near: Signal
    near_rest: Signal
    distance: Signal
    far: Signal
    far_rest: Signal

    def __init__(self, near_bits: int, far_bits: int) -> None:
        """Raises ValueError when a cut does not fit into three beats and a bit."""
        for name, value in (("near_bits", near_bits), ("far_bits", far_bits)):
            if not 1 <= value <= LARGEST_ADVANCE:
                raise ValueError(f"{name} must be in 1..{LARGEST_ADVANCE}, not {value}")
        super().__init__(
            {
                "beats": In(stream.Signature(unsigned(_BEAT_BITS))),
                "clear": In(1),
                "first_length": In(1),
                "level": Out(range(_BITS + 1)),
                "next_length": In(range(LARGEST_ADVANCE + 1)),
                "next_length_rest": In(range(LARGEST_ADVANCE + 1)),
                "enough": Out(1),
                "take": In(1),
                "near": Out(near_bits + CUT_BITS - 1),
                "near_rest": Out(range(CUT_BITS)),
                "distance": In(range(near_bits + 1)),
                "far": Out(far_bits + CUT_BITS - 1),
                "far_rest": Out(range(CUT_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A ring of beats, a place to write and a place to read."""
        m = Module()
        ring = [Signal(_BEAT_BITS, name=f"beat_{index}", reset_less=True) for index in range(_BEATS)]
        first = Signal(range(2 * _BITS))  # bit counters that wrap after two rounds
        far_first = Signal(range(_BITS))
        last = Signal(range(2 * _BEATS))
        full = Signal()
        accepted = Signal()
        following = Signal.like(first)
        m.d.comb += [
            self.beats.ready.eq(~full),
            accepted.eq(self.beats.valid & self.beats.ready),
        ]
        # What is there beyond the next move says whether it may be made: its sign steers half the decoder.
        length = Signal.like(self.next_length)
        spare = Signal(signed(len(self.level) + 1))
        arriving = Cat(Const(0, 6), accepted)
        m.d.comb += [self.enough.eq(spare >= 0), self.level.eq(spare + length)]
        m.d.comb += following.eq(first + length)
        held = (last - Mux(self.take, following, first)[6:])[: len(last)]
        m.d.sync += full.eq(Mux(accepted, held == _BEATS - 1, held == _BEATS))
        m.d.sync += [last.eq(last + accepted), spare.eq(spare + arriving)]
        with m.If(self.take):
            m.d.sync += [
                spare.eq(spare + arriving - self.next_length - self.next_length_rest),
                length.eq(self.next_length + self.next_length_rest),
                first.eq(following),
                far_first.eq(first + (length + self.distance)),
            ]
        with m.If(accepted):
            m.d.sync += Array(ring)[last[:2]].eq(self.beats.payload)
        with m.If(self.clear):
            m.d.sync += [
                *(counter.eq(0) for counter in (first, far_first, last, full)),
                length.eq(self.first_length),
                spare.eq(-self.first_length),
            ]
        for cut, rest, place in ((self.near, self.near_rest, first), (self.far, self.far_rest, far_first)):
            m.d.comb += [cut.eq(_cut(m, Cat(*ring, *ring), place[:8], len(cut), cut.name)), rest.eq(place)]
        return m


def _cut(m: Module, bits: Value, start: Value, width: int, name: str) -> Value:
    """`width` bits from `start` on, rounded down to `CUT_BITS`: a choice for each bit of `start`, not each place."""
    for power in reversed(range(CUT_BITS.bit_length() - 1, len(start))):
        stage = Signal(width + (1 << power) - CUT_BITS, name=f"{name}_{power}")
        m.d.comb += stage.eq(Mux(start[power], bits[1 << power :], bits))
        bits = stage
    return bits
