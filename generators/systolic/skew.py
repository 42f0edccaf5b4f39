"""Triangles of registers at the edges of the array: lanes that enter together leave one cycle apart, or back.

Triangles and delays are made of two of half their size each, so that generating one takes time and text by the
logarithm of its size.
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...hdl.shared_module import shared_module


class Delay(wiring.Component):
    """`o` is what `i` was `cycles` cycles ago, a power of two. No reset."""

    i: Signal
    o: Signal

    def __init__(self, width: int, cycles: int) -> None:
        _check_power_of_two("cycles", cycles)
        self._width = width
        self._cycles = cycles
        super().__init__({"i": In(width), "o": Out(width)})

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """One register, or two halves."""
        m = Module()
        if self._cycles == 1:
            register = Signal(self._width, reset_less=True)
            m.d.sync += register.eq(self.i)
            m.d.comb += self.o.eq(register)
            return m
        m.submodules.first = first = Delay(self._width, self._cycles // 2)
        m.submodules.second = second = Delay(self._width, self._cycles // 2)
        m.d.comb += [first.i.eq(self.i), second.i.eq(first.o), self.o.eq(second.o)]
        return m


class Skew(wiring.Component):
    """Lane i comes out i cycles later; with `falling`, `lanes - 1 - i` cycles later. No reset.

    `lanes` is a power of two. Cost: `width` * lanes * (lanes - 1) / 2 registers, in shift registers without taps.

    Members:
        i, o: `lanes` values of `width` bits, one plain value.
    """

    i: Signal
    o: Signal

    def __init__(self, lanes: int, width: int, *, falling: bool = False) -> None:
        _check_power_of_two("lanes", lanes)
        self._lanes = lanes
        self._width = width
        self._falling = falling
        super().__init__({"i": In(width * lanes), "o": Out(width * lanes)})

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Two triangles, the later one behind a square."""
        m = Module()
        if self._lanes == 1:
            m.d.comb += self.o.eq(self.i)
            return m
        half = self._lanes // 2
        bits = half * self._width
        m.submodules.low = low = Skew(half, self._width, falling=self._falling)
        m.submodules.high = high = Skew(half, self._width, falling=self._falling)
        m.submodules.square = square = Delay(bits, half)
        late, early = (low, high) if self._falling else (high, low)
        late_lanes, early_lanes = self.i[:bits], self.i[bits:]
        if not self._falling:
            late_lanes, early_lanes = early_lanes, late_lanes
        m.d.comb += [
            square.i.eq(late_lanes),
            late.i.eq(square.o),
            early.i.eq(early_lanes),
            self.o.eq(Cat(low.o, high.o)),
        ]
        return m


def _check_power_of_two(name: str, value: int) -> None:
    if value < 1 or value & (value - 1):
        raise ValueError(f"{name} must be a power of two, not {value}")
