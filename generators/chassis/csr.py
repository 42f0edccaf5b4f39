"""The control and status registers behind AXI4-Lite, built from a list of `Register`."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...hdl.axi import AxiLiteBus, AxiLiteSignature, Response
from .register_map import ADDRESS_BITS, REGISTER_BITS, Access, Register

_BYTES = REGISTER_BITS // 8


class CsrBlock(wiring.Component):
    """An AXI4-Lite slave that holds the READ_WRITE registers and shows the others to the engine.

    Every register has a port of 32 bits named like it in lower case: an input that is read (READ_ONLY), an
    output that holds what was written (READ_WRITE), an output whose bits pulse for one cycle (COMMAND).
    Byte strobes select the bytes that are written. SLVERR answers an access where no register lies and
    a write to a READ_ONLY register; neither changes anything, and such a read returns zeros.

    One write and one read are handled at a time. Address and data of a write may come in any order; with
    both taken by cycle t, the register (or pulse) shows the write in t + 2, and `b` is valid from t + 2.
    An address read in cycle t is answered from t + 2 with the value of t + 1. No output of the bus
    depends combinationally on an input.

    Members:
        bus: the AXI4-Lite slave.
    """

    bus: AxiLiteBus

    def __init__(self, registers: Sequence[Register]) -> None:
        self._registers = tuple(registers)
        ports: dict[str, wiring.Member] = {"bus": In(AxiLiteSignature(ADDRESS_BITS))}
        for register in registers:
            name = register.name.lower()
            if name in ports:
                raise ValueError(f"register {register.name} is there twice; rename one")
            direction = In if register.access is Access.READ_ONLY else Out
            ports[name] = direction(REGISTER_BITS)
        super().__init__(ports)

    def port(self, register: Register) -> Signal:
        """The port of `register`."""
        return getattr(self, register.name.lower())

    def elaborate(self, platform: object) -> Module:
        """Two independent halves: writes and reads."""
        m = Module()
        self._elaborate_write(m)
        self._elaborate_read(m)
        return m

    def _elaborate_write(self, m: Module) -> None:
        bus = self.bus
        address = Signal(ADDRESS_BITS)
        data = Signal(REGISTER_BITS)
        strobe = Signal(_BYTES)
        has_address = Signal()
        has_data = Signal()
        execute = Signal()
        m.d.comb += [
            bus.aw.ready.eq(~has_address),
            bus.w.ready.eq(~has_data),
            execute.eq(has_address & has_data & ~bus.b.valid),
        ]
        with m.If(bus.aw.valid & bus.aw.ready):
            m.d.sync += [address.eq(bus.aw.payload.address), has_address.eq(1)]
        with m.If(bus.w.valid & bus.w.ready):
            m.d.sync += [data.eq(bus.w.payload.data), strobe.eq(bus.w.payload.strobe), has_data.eq(1)]
        with m.If(bus.b.valid & bus.b.ready):
            m.d.sync += bus.b.valid.eq(0)
        with m.If(execute):
            m.d.sync += [
                has_address.eq(0),
                has_data.eq(0),
                bus.b.valid.eq(1),
                bus.b.payload.response.eq(Response.SLAVE_ERROR),
            ]
        for register in self._registers:
            if register.access is Access.READ_ONLY:
                continue
            held = Signal(REGISTER_BITS, name=f"{register.name.lower()}_held", init=register.reset)
            m.d.comb += self.port(register).eq(held)
            if register.access is Access.COMMAND:
                m.d.sync += held.eq(0)
            with m.If(execute & (address[2:] == register.offset // _BYTES)):
                m.d.sync += bus.b.payload.response.eq(Response.OKAY)
                for byte in range(_BYTES):
                    with m.If(strobe[byte]):
                        m.d.sync += held.word_select(byte, 8).eq(data.word_select(byte, 8))

    def _elaborate_read(self, m: Module) -> None:
        bus = self.bus
        address = Signal(ADDRESS_BITS)
        has_address = Signal()
        # Which register it is stands in a register of its own, so that the choice among all has a whole cycle.
        chosen = Signal(len(self._registers))
        is_chosen = Signal()
        m.d.comb += bus.ar.ready.eq(~has_address & ~is_chosen & ~bus.r.valid)
        with m.If(bus.ar.valid & bus.ar.ready):
            m.d.sync += [address.eq(bus.ar.payload.address), has_address.eq(1)]
        with m.If(bus.r.valid & bus.r.ready):
            m.d.sync += bus.r.valid.eq(0)
        m.d.sync += [
            chosen.eq(Cat(address[2:] == register.offset // _BYTES for register in self._registers)),
            is_chosen.eq(has_address),
        ]
        with m.If(has_address):
            m.d.sync += has_address.eq(0)
        with m.If(is_chosen):
            data: Value = Const(0, REGISTER_BITS)
            for place, register in enumerate(self._registers):
                if register.access is not Access.COMMAND:
                    data |= self.port(register) & chosen[place].replicate(REGISTER_BITS)
            m.d.sync += [
                bus.r.valid.eq(1),
                bus.r.payload.data.eq(data),
                bus.r.payload.response.eq(Mux(chosen.any(), Response.OKAY, Response.SLAVE_ERROR)),
            ]
