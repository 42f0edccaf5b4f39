"""Which bricks of a window are padding."""

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .isa import BANKS
from .tile_walk import COORDINATE

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
        before, inside = Signal(range(BANKS + 1)), Signal(range(BANKS + 1))
        row_is_padding, enable = Signal(), Signal()
        m.d.sync += [
            before.eq(_clipped(-self.x)),
            inside.eq(_clipped(self.width - self.x)),
            row_is_padding.eq((self.y < 0) | (self.y >= self.height)),
            enable.eq(self.enable),
        ]
        for brick in range(BANKS):
            m.d.sync += self.padding[brick].eq(
                enable & (row_is_padding | (brick < before) | (brick >= inside))
            )
        return m


def _clipped(count: Value) -> Value:
    return Mux(count <= 0, 0, Mux(count >= BANKS, BANKS, count))
