"""One register access at a time on AXI4-Lite."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..axi import AxiLiteBus, AxiLiteSignature
from .bus_outcome import outcome_of
from .protocol import Outcome


def register_request_layout(address_bits: int) -> data.StructLayout:
    """An access: `write` or read, byte `address`, and the `value` to write."""
    return data.StructLayout({"write": 1, "address": address_bits, "value": 32})


def register_reply_layout() -> data.StructLayout:
    """What came of it: the `value` read (0 for a write) and the `outcome`."""
    return data.StructLayout({"value": 32, "outcome": Outcome})


class RegisterAccess(wiring.Component):
    """Requests to accesses on AXI4-Lite, whole registers, one at a time.

    Timing: a request taken in cycle t is on the bus from t + 1; the reply is offered in the cycle after the bus's.

    Members:
        request: `register_request_layout`.
        reply: `register_reply_layout`; registers.
        bus: the AXI4-Lite master.
    """

    request: stream.Interface
    reply: stream.Interface
    bus: AxiLiteBus

    def __init__(self, address_bits: int) -> None:
        self._address_bits = address_bits
        super().__init__(
            {
                "request": In(stream.Signature(register_request_layout(address_bits))),
                "reply": Out(stream.Signature(register_reply_layout())),
                "bus": Out(AxiLiteSignature(address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Address and data are dropped as they are taken; then the response is awaited."""
        m = Module()
        bus = self.bus
        busy = Signal()
        address = Signal(self._address_bits, reset_less=True)
        value = Signal(32, reset_less=True)
        m.d.comb += [
            self.request.ready.eq(~busy & ~self.reply.valid),
            bus.aw.payload.address.eq(address),
            bus.ar.payload.address.eq(address),
            bus.w.payload.data.eq(value),
            bus.w.payload.strobe.eq(-1),
            bus.b.ready.eq(busy),
            bus.r.ready.eq(busy),
        ]
        for channel in (bus.aw, bus.w, bus.ar):
            with m.If(channel.ready):
                m.d.sync += channel.valid.eq(0)
        with m.If(self.reply.ready):
            m.d.sync += self.reply.valid.eq(0)
        with m.If(self.request.valid & self.request.ready):
            request = self.request.payload
            m.d.sync += [
                busy.eq(1),
                address.eq(request.address),
                value.eq(request.value),
                bus.aw.valid.eq(request.write),
                bus.w.valid.eq(request.write),
                bus.ar.valid.eq(~request.write),
            ]
        with m.If(busy & (bus.b.valid | bus.r.valid)):
            m.d.sync += [busy.eq(0), self.reply.valid.eq(1)]
        with m.If(busy & bus.b.valid):
            m.d.sync += [
                self.reply.payload.value.eq(0),
                self.reply.payload.outcome.eq(outcome_of(bus.b.payload.response)),
            ]
        with m.If(busy & bus.r.valid):
            m.d.sync += [
                self.reply.payload.value.eq(bus.r.payload.data),
                self.reply.payload.outcome.eq(outcome_of(bus.r.payload.response)),
            ]
        return m
