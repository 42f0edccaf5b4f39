"""A very small accelerator: inverts one beat of memory."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from celosia.generators.chassis.register_map import ADDRESS_BITS
from celosia.hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiSignature


class Inverter(wiring.Component):
    """Whatever register is written: the beat at that address is read, its inverse written to the next address, and the
    interrupt raised until the next write. Every register reads as the value last written.
    """

    csr: AxiLiteBus
    bus: AxiBus
    interrupt: Signal

    def __init__(self, address_bits: int = 32) -> None:
        super().__init__(
            {
                "csr": In(AxiLiteSignature(ADDRESS_BITS)),
                "bus": Out(AxiSignature(address_bits, 64)),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        csr, bus = self.csr, self.bus
        place = Signal(32)
        written = Signal()
        m.d.comb += [
            written.eq(csr.aw.valid & csr.w.valid & ~csr.b.valid),
            csr.aw.ready.eq(written),
            csr.w.ready.eq(written),
            csr.ar.ready.eq(~csr.r.valid),
        ]
        with m.If(csr.b.ready):
            m.d.sync += csr.b.valid.eq(0)
        with m.If(csr.r.ready):
            m.d.sync += csr.r.valid.eq(0)
        with m.If(csr.ar.valid & csr.ar.ready):
            m.d.sync += [csr.r.valid.eq(1), csr.r.payload.data.eq(place)]
        m.d.comb += [
            bus.ar.payload.address.eq(place),
            bus.aw.payload.address.eq(place + 8),
            bus.w.payload.strobe.eq(-1),
            bus.w.payload.last.eq(1),
            bus.r.ready.eq(1),
            bus.b.ready.eq(1),
        ]
        for channel in (bus.ar, bus.aw, bus.w):
            with m.If(channel.ready):
                m.d.sync += channel.valid.eq(0)
        with m.If(written):
            m.d.sync += [csr.b.valid.eq(1), place.eq(csr.w.payload.data)]
            m.d.sync += [bus.ar.valid.eq(1), self.interrupt.eq(0)]
        with m.If(bus.r.valid):
            m.d.sync += [bus.w.payload.data.eq(~bus.r.payload.data), bus.aw.valid.eq(1), bus.w.valid.eq(1)]
        with m.If(bus.b.valid):
            m.d.sync += self.interrupt.eq(1)
        return m
