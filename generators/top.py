"""The top module `celosia`: an accelerator's streams as ports that Xilinx's tools infer as AXI."""

from typing import Any

from amaranth.hdl import ClockDomain, Elaboratable, Module, Signal
from amaranth.lib import wiring

from .chassis.register_map import ADDRESS_BITS, REGISTER_BITS
from .chassis.run_control import RUN_DOMAIN

TOP_NAME = "celosia"
CLOCK = "aclk"

_BUS = "m_axi"
_WEIGHTS = "m_axi_weights"
_BURST_INCREMENTING = 1
_CACHE_NORMAL_BUFFERABLE = 0b0011
_PROTECTION_NONE = 0


def _burst(address_bits: int) -> dict[str, int]:
    """What a master drives on an address channel."""
    return {
        "id": 1,
        "addr": address_bits,
        "len": 8,
        "size": 3,
        "burst": 2,
        "lock": 1,
        "cache": 4,
        "prot": 3,
        "valid": 1,
    }


class CelosiaTop(Elaboratable):
    """Flat ports around `engine`, in one clock domain.

    `aclk`; `aresetn`, active low and synchronous to `aclk`; `irq`, a level; an AXI4-Lite slave `s_axil_*`; an
    AXI4 master `m_axi_*` that uses ID 0, incrementing bursts of whole beats, normal bufferable memory. With
    `weights_bits`, another such master `m_axi_weights_*` that only reads.

    Args:
        engine: a component with members `csr` (an AXI4-Lite slave), `bus` (an AXI4 master), `interrupt`, and with
            `weights_bits` `weights_bus` (an AXI4 master that only reads).
        address_bits, data_bits: widths of `bus`.
        weights_bits: width of the data of `weights_bus`; 0 if there is none.
    """

    def __init__(
        self, engine: wiring.Component, address_bits: int, data_bits: int, weights_bits: int = 0
    ) -> None:
        self.engine = engine
        self.ports: dict[str, Signal] = {}
        self.directions: dict[str, str] = {}
        self._declare("input", {CLOCK: 1, "aresetn": 1})
        self._declare("output", {"irq": 1})
        self._declare_csr()
        self._declare_bus(address_bits, data_bits)
        if weights_bits:
            self._declare_reads(_WEIGHTS, address_bits, weights_bits)
        self._address_bits = address_bits
        self._data_bits = data_bits
        self._weights_bits = weights_bits

    def elaborate(self, platform: object) -> Module:
        """Nothing but wires."""
        m = Module()
        engine: Any = self.engine
        m.submodules.engine = engine
        domain: Any = ClockDomain("sync")
        run: Any = ClockDomain(RUN_DOMAIN)
        domain.clk = run.clk = self.ports[CLOCK]
        m.domains += [domain, run]
        m.d.comb += [domain.rst.eq(~self.ports["aresetn"]), self.ports["irq"].eq(engine.interrupt)]
        self._connect_csr(m, engine.csr)
        self._connect_reads(m, _BUS, self._data_bits, engine.bus)
        if self._weights_bits:
            self._connect_reads(m, _WEIGHTS, self._weights_bits, engine.weights_bus)
        self._connect_writes(m, engine.bus)
        return m

    def _declare(self, direction: str, widths: dict[str, int]) -> None:
        for name, width in widths.items():
            self.ports[name] = Signal(width, name=name)
            self.directions[name] = direction

    def _declare_csr(self) -> None:
        address = {"awaddr": ADDRESS_BITS, "awprot": 3, "awvalid": 1}
        self._declare("input", {f"s_axil_{name}": width for name, width in address.items()})
        self._declare("output", {"s_axil_awready": 1})
        self._declare(
            "input", {"s_axil_wdata": REGISTER_BITS, "s_axil_wstrb": REGISTER_BITS // 8, "s_axil_wvalid": 1}
        )
        self._declare("output", {"s_axil_wready": 1, "s_axil_bresp": 2, "s_axil_bvalid": 1})
        self._declare("input", {"s_axil_bready": 1})
        self._declare("input", {"s_axil_araddr": ADDRESS_BITS, "s_axil_arprot": 3, "s_axil_arvalid": 1})
        self._declare(
            "output",
            {"s_axil_arready": 1, "s_axil_rdata": REGISTER_BITS, "s_axil_rresp": 2, "s_axil_rvalid": 1},
        )
        self._declare("input", {"s_axil_rready": 1})

    def _declare_bus(self, address_bits: int, data_bits: int) -> None:
        self._declare("output", {f"m_axi_aw{name}": width for name, width in _burst(address_bits).items()})
        self._declare("input", {"m_axi_awready": 1})
        self._declare(
            "output",
            {"m_axi_wdata": data_bits, "m_axi_wstrb": data_bits // 8, "m_axi_wlast": 1, "m_axi_wvalid": 1},
        )
        self._declare("input", {"m_axi_wready": 1, "m_axi_bid": 1, "m_axi_bresp": 2, "m_axi_bvalid": 1})
        self._declare("output", {"m_axi_bready": 1})
        self._declare_reads(_BUS, address_bits, data_bits)

    def _declare_reads(self, bus: str, address_bits: int, data_bits: int) -> None:
        self._declare("output", {f"{bus}_ar{name}": width for name, width in _burst(address_bits).items()})
        self._declare("input", {f"{bus}_arready": 1})
        self._declare(
            "input",
            {
                f"{bus}_rid": 1,
                f"{bus}_rdata": data_bits,
                f"{bus}_rresp": 2,
                f"{bus}_rlast": 1,
                f"{bus}_rvalid": 1,
            },
        )
        self._declare("output", {f"{bus}_rready": 1})

    def _connect_csr(self, m: Module, csr: Any) -> None:
        ports = self.ports
        for channel in ("aw", "ar"):
            stream = getattr(csr, channel)
            m.d.comb += [
                stream.payload.address.eq(ports[f"s_axil_{channel}addr"]),
                stream.valid.eq(ports[f"s_axil_{channel}valid"]),
                ports[f"s_axil_{channel}ready"].eq(stream.ready),
            ]
        m.d.comb += [
            csr.w.payload.data.eq(ports["s_axil_wdata"]),
            csr.w.payload.strobe.eq(ports["s_axil_wstrb"]),
            csr.w.valid.eq(ports["s_axil_wvalid"]),
            ports["s_axil_wready"].eq(csr.w.ready),
            ports["s_axil_bresp"].eq(csr.b.payload.response),
            ports["s_axil_bvalid"].eq(csr.b.valid),
            csr.b.ready.eq(ports["s_axil_bready"]),
            ports["s_axil_rdata"].eq(csr.r.payload.data),
            ports["s_axil_rresp"].eq(csr.r.payload.response),
            ports["s_axil_rvalid"].eq(csr.r.valid),
            csr.r.ready.eq(ports["s_axil_rready"]),
        ]

    def _connect_burst(self, m: Module, prefix: str, data_bits: int, stream: Any) -> None:
        ports = self.ports
        m.d.comb += [
            ports[f"{prefix}addr"].eq(stream.payload.address),
            ports[f"{prefix}len"].eq(stream.payload.length),
            ports[f"{prefix}size"].eq((data_bits // 8).bit_length() - 1),
            ports[f"{prefix}burst"].eq(_BURST_INCREMENTING),
            ports[f"{prefix}cache"].eq(_CACHE_NORMAL_BUFFERABLE),
            ports[f"{prefix}prot"].eq(_PROTECTION_NONE),
            ports[f"{prefix}valid"].eq(stream.valid),
            stream.ready.eq(ports[f"{prefix}ready"]),
            ports[f"{prefix}id"].eq(0),
            ports[f"{prefix}lock"].eq(0),
        ]

    def _connect_reads(self, m: Module, name: str, data_bits: int, bus: Any) -> None:
        ports = self.ports
        self._connect_burst(m, f"{name}_ar", data_bits, bus.ar)
        m.d.comb += [
            bus.r.payload.data.eq(ports[f"{name}_rdata"]),
            bus.r.payload.response.eq(ports[f"{name}_rresp"]),
            bus.r.payload.last.eq(ports[f"{name}_rlast"]),
            bus.r.valid.eq(ports[f"{name}_rvalid"]),
            ports[f"{name}_rready"].eq(bus.r.ready),
        ]

    def _connect_writes(self, m: Module, bus: Any) -> None:
        ports = self.ports
        self._connect_burst(m, f"{_BUS}_aw", self._data_bits, bus.aw)
        m.d.comb += [
            ports["m_axi_wdata"].eq(bus.w.payload.data),
            ports["m_axi_wstrb"].eq(bus.w.payload.strobe),
            ports["m_axi_wlast"].eq(bus.w.payload.last),
            ports["m_axi_wvalid"].eq(bus.w.valid),
            bus.w.ready.eq(ports["m_axi_wready"]),
            bus.b.payload.response.eq(ports["m_axi_bresp"]),
            bus.b.valid.eq(ports["m_axi_bvalid"]),
            ports["m_axi_bready"].eq(bus.b.ready),
        ]
