"""Which accumulator half is filled, which is drained, and whether either may be."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class TileHalves(wiring.Component):
    """Two halves in turn: taken by a tile when it starts, handed over when it is filled, free once all but drained.

    Each event shows in the cycle after it.

    Members:
        take: a tile starts.
        leave: the last step of a tile starts that will be handed over; what starts later goes to the other half.
        hand_over: a tile is complete.
        drained: its last accumulator was read.
        freeing: that is so near, or now, that the next tile may start.
        free: there is a half for one more tile.
        fill_half: for the next step.
        filled: there is a complete tile.
        drain_half: where it is.
    """

    take: Signal
    leave: Signal
    hand_over: Signal
    drained: Signal
    freeing: Signal
    free: Signal
    fill_half: Signal
    filled: Signal
    drain_half: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "take": In(1),
                "leave": In(1),
                "hand_over": In(1),
                "drained": In(1),
                "freeing": In(1),
                "free": Out(1),
                "fill_half": Out(1),
                "filled": Out(1),
                "drain_half": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Two counts of 0..2 and two toggles."""
        m = Module()
        free_halves, filled_halves = Signal(range(3), init=2), Signal(range(3))
        free_next, filled_next = Signal(range(3)), Signal(range(3))
        m.d.comb += [
            self.free.eq(free_halves != 0),
            free_next.eq(free_halves + self.freeing - self.take),
            filled_next.eq(filled_halves + self.hand_over - self.drained),
        ]
        m.d.sync += [
            free_halves.eq(free_next),
            filled_halves.eq(filled_next),
            self.filled.eq(filled_next != 0),
            self.fill_half.eq(self.fill_half ^ self.leave),
            self.drain_half.eq(self.drain_half ^ self.drained),
        ]
        return m
