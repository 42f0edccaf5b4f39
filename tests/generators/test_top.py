"""The top module's ports: names, widths and directions by which Xilinx's tools infer AXI interfaces."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from celosia.generators.chassis.register_map import ADDRESS_BITS
from celosia.generators.top import CelosiaTop
from celosia.generators.verilog import write_verilog
from celosia.hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiReadBus, AxiReadSignature, AxiSignature

BURST = "id:1 addr:{address} len:8 size:3 burst:2 lock:1 cache:4 prot:3 valid:1"
MASTER_OUTPUTS = (
    f"aw: {BURST} w: data:{{data}} strb:{{bytes}} last:1 valid:1 b: ready:1 ar: {BURST} r: ready:1"
)
MASTER_INPUTS = (
    "aw: ready:1 w: ready:1 b: id:1 resp:2 valid:1 ar: ready:1 r: id:1 data:{data} resp:2 last:1 valid:1"
)
SLAVE_INPUTS = (
    "aw: addr:12 prot:3 valid:1 w: data:32 strb:4 valid:1 b: ready:1 ar: addr:12 prot:3 valid:1 r: ready:1"
)
SLAVE_OUTPUTS = "aw: ready:1 w: ready:1 b: resp:2 valid:1 ar: ready:1 r: data:32 resp:2 valid:1"


class Nothing(wiring.Component):
    """An accelerator that answers nothing."""

    csr: AxiLiteBus
    bus: AxiBus
    interrupt: Signal

    weights_bus: AxiReadBus

    def __init__(self, address_bits: int, data_bits: int, weights_bits: int = 0) -> None:
        members = {
            "csr": In(AxiLiteSignature(ADDRESS_BITS)),
            "bus": Out(AxiSignature(address_bits, data_bits)),
            "interrupt": Out(1),
        }
        if weights_bits:
            members["weights_bus"] = Out(AxiReadSignature(address_bits, weights_bits))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        raise AssertionError("only its ports are wanted")


def names(prefix: str, text: str) -> dict[str, int]:
    """Port widths by name, of `channel: name:width ..` lists."""
    widths = {}
    channel = ""
    for word in text.split():
        name, _, width = word.partition(":")
        if width:
            widths[f"{prefix}_{channel}{name}"] = int(width)
        else:
            channel = name
    return widths


def test_ports_have_the_names_that_tools_infer() -> None:
    address, data = 40, 64
    top = CelosiaTop(Nothing(address, data), address, data)
    sizes = {"address": address, "data": data, "bytes": data // 8}
    outputs = {
        "irq": 1,
        **names("m_axi", MASTER_OUTPUTS.format(**sizes)),
        **names("s_axil", SLAVE_OUTPUTS),
    }
    inputs = {
        "aclk": 1,
        "aresetn": 1,
        **names("m_axi", MASTER_INPUTS.format(**sizes)),
        **names("s_axil", SLAVE_INPUTS),
    }
    for direction, expected in (("output", outputs), ("input", inputs)):
        found = {name: len(port) for name, port in top.ports.items() if top.directions[name] == direction}
        assert found == expected


def test_a_port_for_weights_only_reads_and_may_be_wider() -> None:
    one, two = (CelosiaTop(Nothing(40, 64, bits), 40, 64, bits) for bits in (0, 256))
    added = {name: len(port) for name, port in two.ports.items() if name not in one.ports}
    reads = f"ar: {BURST} ready:1 r: id:1 data:{{data}} resp:2 last:1 valid:1 ready:1"
    assert added == names("m_axi_weights", reads.format(address=40, data=256))
    assert {two.directions[f"m_axi_weights_{name}"] for name in ("araddr", "arvalid", "rready")} == {"output"}
    assert {two.directions[f"m_axi_weights_{name}"] for name in ("arready", "rdata", "rvalid")} == {"input"}


class WeightsEcho(Nothing):
    """Raises the interrupt with the lowest bit of a weight that comes, and offers a burst of them all the time."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat = self.weights_bus.r
        m.d.comb += [
            self.interrupt.eq(beat.valid & beat.payload.data[0]),
            self.weights_bus.ar.valid.eq(1),
        ]
        return m


def test_a_port_for_weights_is_wired_to_the_engine() -> None:
    text = write_verilog(CelosiaTop(WeightsEcho(32, 64, 256), 32, 64, 256), "An echo.").text
    assert "assign m_axi_weights_arsize = 3'h5;" in text
    assert "assign m_axi_weights_arvalid = 1'h1;" in text
    assert "assign m_axi_arsize = 3'h3;" in text
    assert "input [255:0] m_axi_weights_rdata;" in text


class Echo(Nothing):
    """Raises the interrupt for as long as a write's address is offered, and offers a read burst all the time."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [self.interrupt.eq(self.csr.aw.valid), self.bus.ar.valid.eq(1)]
        return m


def test_the_top_is_wires_around_the_engine() -> None:
    text = write_verilog(CelosiaTop(Echo(32, 64), 32, 64), "An echo.").text
    assert text.startswith("// An echo.\n// Written by Amaranth ")
    assert "module celosia(" in text
    assert "assign m_axi_arburst = 2'h1;" in text
    assert "assign m_axi_arsize = 3'h3;" in text
