"""From dense vectors of bytes to weight words whose upper lanes are zero."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .isa import BRICK_CHANNELS, WEIGHT_WORD_BYTES
from .weight_code import LIVE_LANES, VECTOR

_NARROW_BYTES = 8
"""Most bytes of a word that has fewer than all lanes."""

VECTOR_LAYOUT = data.ArrayLayout(unsigned(8), VECTOR)


class LaneExpander(wiring.Component):
    """Cuts vectors of 16 unsigned bytes into words of 2 x `live_lanes` bytes, and makes them signed.

    Timing: a vector taken in cycle t gives its first word in t + 2 and then one a cycle; the next vector may come
    `EXPANSION_CYCLES` after it. Words stop after `words` of them.

    Members:
        start: forget what is left over and expect `words` words.
        words: their number, sampled with `start`.
        live_lanes: held from `start` on.
        vectors: `VECTOR_LAYOUT`, unsigned as in `weight_code`.
        o: words of 128 bits.
        busy: a word is about to be made.
        left: words that have not been made.
    """

    start: Signal
    words: Signal
    live_lanes: Signal
    vectors: stream.Interface
    o: stream.Interface
    busy: Signal
    left: Signal

    def __init__(self, count_bits: int) -> None:
        super().__init__(
            {
                "start": In(1),
                "words": In(count_bits),
                "live_lanes": In(4),
                "vectors": In(stream.Signature(VECTOR_LAYOUT, always_ready=True)),
                "o": Out(stream.Signature(unsigned(WEIGHT_WORD_BYTES * 8), always_ready=True)),
                "busy": Out(1),
                "left": Out(count_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One vector is held, and of the one before it the four bytes that a word may still need."""
        m = Module()
        vector = Signal(VECTOR_LAYOUT, reset_less=True)
        before = Signal(data.ArrayLayout(unsigned(8), 4), reset_less=True)
        offset = Signal(range(VECTOR))  # of the next word's first byte, even
        crosses = Signal()
        word_bytes, following = Signal(5), Signal(6)
        emits = Signal()
        kinds = Signal(len(LIVE_LANES))  # settled long before the first vector comes
        m.d.sync += kinds.eq(Cat(self.live_lanes == live_lanes for live_lanes in LIVE_LANES))
        # Registers: the enable of the counter has no time for a comparison.
        any_left, last_left = Signal(), Signal()
        m.d.comb += [
            word_bytes.eq(self.live_lanes << 1),
            crosses.eq(kinds[LIVE_LANES.index(3)] & offset[2:].all()),
            following.eq(offset + word_bytes),
            emits.eq(self.busy & any_left),
        ]
        m.d.sync += self.o.valid.eq(emits)
        with m.If(emits):
            m.d.sync += [
                offset.eq(following),
                self.left.eq(self.left - 1),
                any_left.eq(~last_left),
                last_left.eq(self.left == 2),
            ]
            with m.If((~crosses & (following + word_bytes > VECTOR)) | last_left):
                m.d.sync += self.busy.eq(0)
        with m.Else():
            m.d.sync += self.busy.eq(0)
        with m.If(self.vectors.valid):
            m.d.sync += [
                Cat(vector).eq(Cat(_signed(self.vectors.payload[index]) for index in range(VECTOR))),
                Cat(before).eq(Cat(vector[index] for index in range(12, VECTOR))),
                self.busy.eq(1),
            ]
        with m.If(self.start):
            m.d.sync += [
                offset.eq(0),
                self.left.eq(self.words),
                any_left.eq(self.words != 0),
                last_left.eq(self.words == 1),
                self.busy.eq(0),
            ]

        source: list[Value] = [vector[index] for index in range(VECTOR)]
        for index in range(12, VECTOR):
            merged = Signal(8, name=f"merged_{index}")
            m.d.comb += merged.eq(Mux(crosses, before[index - 12], source[index]))
            source[index] = merged
        nearest = source
        for power in (8, 4, 2):
            stage = [Signal(8, name=f"from_{power}_{index}") for index in range(_NARROW_BYTES + power - 2)]
            for index, byte in enumerate(stage):
                far = nearest[(index + power) % len(nearest)]
                m.d.comb += byte.eq(Mux(offset[power.bit_length() - 1], far, nearest[index]))
            nearest = stage
        lanes = [
            self._lane(kinds, vector, nearest, output, lane)
            for output in range(2)
            for lane in range(BRICK_CHANNELS)
        ]
        m.d.sync += self.o.payload.eq(Cat(lanes))
        return m

    def _lane(
        self,
        kinds: Signal,
        vector: data.View,
        nearest: Sequence[Value],
        output: int,
        lane: int,
    ) -> Value:
        """The byte of one lane; `nearest` are the bytes from the word's first one on, if it has few lanes."""
        sources: dict[int, Value] = {}
        for kind, live_lanes in enumerate(LIVE_LANES[:-1]):
            if lane < live_lanes:
                place = output * live_lanes + lane
                sources[place] = sources.get(place, Const(0, 1)) | kinds[kind]
        chosen = vector[output * BRICK_CHANNELS + lane] & kinds[-1].replicate(8)
        for place, is_chosen in sources.items():
            chosen |= nearest[place] & is_chosen.replicate(8)
        return chosen


def _signed(byte: Value) -> Value:
    """The signed byte that `weight_code` writes as this one."""
    return Cat(byte[1:] ^ byte[0].replicate(7), byte[0])
