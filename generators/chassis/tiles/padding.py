"""Which bricks of a window are padding."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .commands import BANKS
from .tile_walk import COORDINATE

_INDEX_BITS = (BANKS - 1).bit_length()

PADDING_LATENCY = 2
"""Cycles from a window's place to its `padding`."""


class PaddingMask(wiring.Component):
    """Compares windows, one a cycle, with the ifm's extents; `PADDING_LATENCY` cycles.

    Members:
        x, y: pixel and row of the window's first brick.
        width, height: of the ifm; steady.
        enable: low if nothing is padding.
        padding: bit i is set if brick i lies outside.
    """

    x: Signal
    y: Signal
    width: Signal
    height: Signal
    enable: Signal
    padding: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "x": In(COORDINATE),
                "y": In(COORDINATE),
                "width": In(unsigned(16)),
                "height": In(unsigned(16)),
                "enable": In(1),
                "padding": Out(BANKS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count the bricks before the row's start and up to its end, then compare each brick's index with both."""
        m = Module()
        before = Signal(range(BANKS + 1))
        inside = Signal(signed(COORDINATE.width + 1))  # clipped a stage later, behind the subtraction
        row_is_padding, enable = Signal(), Signal()
        near_start = self.x[_INDEX_BITS:].all()
        m.d.sync += [
            before.eq(Mux(self.x < 0, BANKS - Mux(near_start, self.x[:_INDEX_BITS], 0), 0)),
            inside.eq(self.width - self.x),
            row_is_padding.eq((self.y < 0) | (self.y >= self.height)),
            enable.eq(self.enable),
        ]
        ends_behind = Signal()
        m.d.comb += ends_behind.eq((inside >= 0) & inside[_INDEX_BITS:].any())
        for brick in range(BANKS):
            is_behind = (inside < 0) | (~ends_behind & (brick >= inside[:_INDEX_BITS]))
            m.d.sync += self.padding[brick].eq(enable & (row_is_padding | (brick < before) | is_behind))
        return m
