"""A board's memory as a Verilog module of its own, for boards on which a vendor's controller may take its place."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from celosia.generators.verilog import module_verilog
from celosia.hdl.axi import RESPONSE_BITS, AxiBus, AxiSignature
from celosia.hdl.axi_block_ram import AxiBlockRam
from celosia.hdl.sdram_transfer import BEAT_BITS
from celosia.hdl.verilog_platform import VerilogPlatform

MEMORY_NAME = "board_memory"
"""The module. Its ports are `aclk`, `aresetn`, `ready` and the AXI4 slave `s_axi_*`, without IDs."""

_INCREMENTING = 1
_HEAD = """\
// The board's memory: {kibibytes} KiB of block RAM behind AXI4. A module of the same ports, for instance around a
// vendor's controller, may take its place. Bursts are incrementing, of whole beats, and answered in their order.
"""


class MemoryInstance(wiring.Component):
    """The module `MEMORY_NAME` by its ports, in the domain `sync`.

    Members:
        bus: `AxiSignature`, flipped.
        ready: the memory answers; a controller has calibrated its chip.
    """

    bus: AxiBus
    ready: Signal

    def __init__(self, address_bits: int) -> None:
        super().__init__({"bus": In(AxiSignature(address_bits, BEAT_BITS)), "ready": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """One instance."""
        m = Module()
        bus: Any = self.bus
        arguments: dict[str, Any] = {}
        for name, stream, is_input in _channels(bus):
            to_memory, from_memory = ("i", "o") if is_input else ("o", "i")
            arguments[f"{to_memory}_s_axi_{name}valid"] = stream.valid
            arguments[f"{from_memory}_s_axi_{name}ready"] = stream.ready
            for field, value in _fields(name, stream):
                arguments[f"{to_memory}_s_axi_{name}{field}"] = value
        m.submodules.memory = Instance(
            MEMORY_NAME,
            i_aclk=ClockSignal(),
            i_aresetn=~ResetSignal(),
            o_ready=self.ready,
            **arguments,
            **{f"i_s_axi_{name}size": Const((BEAT_BITS // 8).bit_length() - 1, 3) for name in ("aw", "ar")},
            **{f"i_s_axi_{name}burst": Const(_INCREMENTING, 2) for name in ("aw", "ar")},
        )
        return m


def block_ram_module(address_bits: int, size: int) -> str:
    """Verilog of the module `MEMORY_NAME` with `size` bytes of block RAM.

    Raises:
        ValueError: no `AxiBlockRam` has that size.
        VerilogError: Yosys failed.
    """
    top = BlockRamModule(address_bits, size)
    return _HEAD.format(kibibytes=size >> 10) + module_verilog(
        top, MEMORY_NAME, list(top.ports.values()), VerilogPlatform()
    )


class BlockRamModule(Elaboratable):
    """An `AxiBlockRam` with the ports of `MEMORY_NAME`."""

    def __init__(self, address_bits: int, size: int) -> None:
        self._ram = AxiBlockRam(address_bits=address_bits, data_bits=BEAT_BITS, size=size)
        address = {"addr": address_bits, "len": 8, "size": 3, "burst": 2, "valid": 1, "ready": 1}
        widths = {
            **dict.fromkeys(("aclk", "aresetn", "ready"), 1),
            **{
                f"s_axi_{channel}{name}": width for channel in ("aw", "ar") for name, width in address.items()
            },
            **{"s_axi_wdata": BEAT_BITS, "s_axi_wstrb": BEAT_BITS // 8},
            **{f"s_axi_{name}": 1 for name in ("wlast", "wvalid", "wready", "bvalid", "bready")},
            **{"s_axi_bresp": RESPONSE_BITS, "s_axi_rdata": BEAT_BITS, "s_axi_rresp": RESPONSE_BITS},
            **{f"s_axi_{name}": 1 for name in ("rlast", "rvalid", "rready")},
        }
        self.ports = {name: Signal(width, name=name) for name, width in widths.items()}

    def elaborate(self, platform: object) -> Module:
        """Nothing but wires; it is ready from the first cycle after reset."""
        m = Module()
        ports = self.ports
        domain: Any = ClockDomain("sync")
        domain.clk = ports["aclk"]
        m.domains += domain
        m.d.comb += domain.rst.eq(~ports["aresetn"])
        m.submodules.ram = self._ram
        m.d.sync += ports["ready"].eq(1)
        for name, stream, is_input in _channels(self._ram.bus):
            pairs = [("valid", stream.valid), *_fields(name, stream)]
            for field, value in pairs:
                port = ports[f"s_axi_{name}{field}"]
                m.d.comb += value.eq(port) if is_input else port.eq(value)
            ready = ports[f"s_axi_{name}ready"]
            m.d.comb += ready.eq(stream.ready) if is_input else stream.ready.eq(ready)
        return m


def _channels(bus: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name, stream, and whether it goes into the memory."""
    return (
        ("aw", bus.aw, True),
        ("w", bus.w, True),
        ("b", bus.b, False),
        ("ar", bus.ar, True),
        ("r", bus.r, False),
    )


def _fields(channel: str, stream: Any) -> list[tuple[str, Any]]:
    """AXI's names for the payload's parts."""
    payload = stream.payload
    match channel:
        case "w":
            return [("data", payload.data), ("strb", payload.strobe), ("last", payload.last)]
        case "b":
            return [("resp", payload.response)]
        case "r":
            return [("data", payload.data), ("resp", payload.response), ("last", payload.last)]
        case _:
            return [("addr", payload.address), ("len", payload.length)]
