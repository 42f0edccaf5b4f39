"""An accelerator whose Verilog is a file of its own, as a component among others."""

from typing import Any

from amaranth.hdl import ClockSignal, Const, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from celosia.generators.chassis.register_map import ADDRESS_BITS
from celosia.generators.top import CLOCK, TOP_NAME
from celosia.hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiSignature


class AcceleratorInstance(wiring.Component):
    """The module `celosia` (`generators.top`) by its ports: the same text that is simulated is what is built.

    Clock and reset are those of `sync`.

    Members:
        csr: AXI4-Lite, flipped.
        bus: AXI4.
        interrupt: level.
    """

    csr: AxiLiteBus
    bus: AxiBus
    interrupt: Signal

    def __init__(self, address_bits: int, data_bits: int) -> None:
        super().__init__(
            {
                "csr": In(AxiLiteSignature(ADDRESS_BITS)),
                "bus": Out(AxiSignature(address_bits, data_bits)),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One instance; of the memory's answers the ID is not looked at, since all are asked for with ID 0."""
        m = Module()
        csr: Any = self.csr
        bus: Any = self.bus
        m.submodules.accelerator = Instance(
            TOP_NAME,
            **{f"i_{CLOCK}": ClockSignal()},
            i_aresetn=~ResetSignal(),
            o_irq=self.interrupt,
            **_register_address("aw", csr.aw),
            i_s_axil_wdata=csr.w.payload.data,
            i_s_axil_wstrb=csr.w.payload.strobe,
            i_s_axil_wvalid=csr.w.valid,
            o_s_axil_wready=csr.w.ready,
            o_s_axil_bresp=csr.b.payload.response,
            o_s_axil_bvalid=csr.b.valid,
            i_s_axil_bready=csr.b.ready,
            **_register_address("ar", csr.ar),
            o_s_axil_rdata=csr.r.payload.data,
            o_s_axil_rresp=csr.r.payload.response,
            o_s_axil_rvalid=csr.r.valid,
            i_s_axil_rready=csr.r.ready,
            **_burst_address("aw", bus.aw),
            o_m_axi_wdata=bus.w.payload.data,
            o_m_axi_wstrb=bus.w.payload.strobe,
            o_m_axi_wlast=bus.w.payload.last,
            o_m_axi_wvalid=bus.w.valid,
            i_m_axi_wready=bus.w.ready,
            i_m_axi_bid=Const(0),
            i_m_axi_bresp=bus.b.payload.response,
            i_m_axi_bvalid=bus.b.valid,
            o_m_axi_bready=bus.b.ready,
            **_burst_address("ar", bus.ar),
            i_m_axi_rid=Const(0),
            i_m_axi_rdata=bus.r.payload.data,
            i_m_axi_rresp=bus.r.payload.response,
            i_m_axi_rlast=bus.r.payload.last,
            i_m_axi_rvalid=bus.r.valid,
            o_m_axi_rready=bus.r.ready,
        )
        return m


def _register_address(channel: str, stream: Any) -> dict[str, Any]:
    prefix = f"s_axil_{channel}"
    return {
        f"i_{prefix}addr": stream.payload.address,
        f"i_{prefix}prot": Const(0, 3),
        f"i_{prefix}valid": stream.valid,
        f"o_{prefix}ready": stream.ready,
    }


def _burst_address(channel: str, stream: Any) -> dict[str, Any]:
    """Size, burst type, ID and the like are constants that nothing on a board looks at."""
    prefix = f"m_axi_{channel}"
    return {
        f"o_{prefix}addr": stream.payload.address,
        f"o_{prefix}len": stream.payload.length,
        f"o_{prefix}valid": stream.valid,
        f"i_{prefix}ready": stream.ready,
    }
