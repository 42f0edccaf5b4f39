"""A window on a stream of bits that moves on by any number of bits a cycle."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, unsigned
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

    Timing: a beat taken in cycle t counts from t + 1 on; so does what `take` moves on, with its `distance`. After
    `clear` the distance is 0. Both cuts are choices behind registers.

    Members:
        beats: 64-bit beats, least significant bit first; taken while one of the four is used up.
        clear: forget everything.
        level: bits that are there.
        take, length: move on by `length` bits, at most `level`.
        near, near_rest: the next bits follow the lowest `near_rest` of `near`.
        distance: with `take`, bits between the place moved on to and that of `far`.
        far, far_rest: the bits from there on follow the lowest `far_rest` of `far`.
    """

    beats: stream.Interface
    clear: Signal
    level: Signal
    take: Signal
    length: Signal
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
                "level": Out(range(_BITS + 1)),
                "take": In(1),
                "length": In(range(LARGEST_ADVANCE + 1)),
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
        held = Signal(range(2 * _BEATS))
        accepted = Signal()
        m.d.comb += [
            held.eq(last - first[6:]),
            self.beats.ready.eq(held != _BEATS),
            accepted.eq(self.beats.valid & self.beats.ready),
        ]
        # Both events come late in their cycle: the difference is there by then, and beats count in the upper bits only.
        left = Signal.like(self.level)
        m.d.comb += left.eq(Mux(self.take, self.level - self.length, self.level))
        m.d.sync += [last.eq(last + accepted), self.level.eq(Cat(left[:6], left[6:] + accepted))]
        with m.If(self.take):
            m.d.sync += [
                first.eq(first + self.length),
                far_first.eq(first + (self.length + self.distance)),
            ]
        with m.If(accepted):
            m.d.sync += Array(ring)[last[:2]].eq(self.beats.payload)
        with m.If(self.clear):
            m.d.sync += [first.eq(0), far_first.eq(0), last.eq(0), self.level.eq(0)]
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
