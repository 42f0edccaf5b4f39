"""Where a pixel lies on an axis whose length is no power of two."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class PlaceCount(wiring.Component):
    """Divides a number without a divider: from cycle to cycle it stays, grows by one, or is 0 again.

    Combinational, from what it was in the cycle before.

    Args:
        length: divisor, 2 or more.
        numbers: how many there are, a multiple of `length`.

    Members:
        number: dividend; 0 until it first grows.
        place: number % length.
        line: number // length.
    """

    number: Signal
    place: Signal
    line: Signal

    def __init__(self, length: int, numbers: int) -> None:
        self._length = length
        super().__init__(
            {
                "number": In(range(numbers)),
                "place": Out(range(length)),
                "line": Out(range(max(2, numbers // length))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The last number with its place, and the place behind that."""
        m = Module()
        number = Signal.like(self.number)
        place, line = Signal.like(self.place), Signal.like(self.line)
        is_last = Signal()
        m.d.sync += [
            number.eq(self.number),
            place.eq(self.place),
            line.eq(self.line),
            is_last.eq(self.place == self._length - 1),
        ]
        with m.If(self.number == number):
            m.d.comb += [self.place.eq(place), self.line.eq(line)]
        with m.Elif(self.number == 0):
            m.d.comb += [self.place.eq(0), self.line.eq(0)]
        with m.Else():
            m.d.comb += [
                self.place.eq(Mux(is_last, 0, place + 1)),
                self.line.eq(line + is_last),
            ]
        return m
