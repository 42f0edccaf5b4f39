"""A register slice for a stream."""

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class SkidBuffer(wiring.Component):
    """Cuts every combinational path of a stream, `ready` included; full rate, one cycle of latency.

    Two registers of the payload: what is offered, and what arrived in the cycle in which the other side stalled.

    Members:
        i: in; `ready` is a register.
        o: out; `valid` and `payload` are registers. An entry taken in cycle t is offered from cycle t + 1 on.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape: ShapeLike) -> None:
        self._shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        """Offered register first, then the skid register."""
        m = Module()
        offered = Signal(self._shape, reset_less=True)
        offered_valid = Signal()
        skid = Signal(self._shape, reset_less=True)
        skid_valid = Signal()
        ready = Signal(init=1)  # not `skid_valid`, which selects all of the payload, in a register of its own
        m.d.comb += [
            self.i.ready.eq(ready),
            self.o.valid.eq(offered_valid),
            self.o.payload.eq(offered),
        ]
        with m.If(self.o.ready | ~offered_valid):
            m.d.sync += [offered_valid.eq(skid_valid | self.i.valid), skid_valid.eq(0), ready.eq(1)]
            with m.If(skid_valid):
                m.d.sync += offered.eq(skid)
            with m.Else():
                m.d.sync += offered.eq(self.i.payload)
        with m.Elif(self.i.valid & ~skid_valid):
            m.d.sync += [skid.eq(self.i.payload), skid_valid.eq(1), ready.eq(0)]
        return m
