"""One module with every block of hdl/ but the vendor's, side by side, for the cocotb benches: one build serves all.

Every member of a block is a port `<block>__<path>`, every element of an array one `<block>__<path>__<index>`; AXI
channels are `<block>_axi_<signal>` as AXI tools expect, those of several managers `<block>_<index>_axi_<signal>`.
"""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Const, Elaboratable, Module, Shape, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from celosia.hdl.axi_block_ram import AxiBlockRam
from celosia.hdl.axi_read_arbiter import AxiReadArbiter
from celosia.hdl.axi_sdram import AxiSdram
from celosia.hdl.axi_shared_bus import AxiSharedBus
from celosia.hdl.axi_writer import AxiWriter
from celosia.hdl.brick_buffer import BrickBuffer
from celosia.hdl.burst_splitter import BurstSplitter
from celosia.hdl.byte_packer import BytePacker
from celosia.hdl.byte_unpacker import ByteUnpacker
from celosia.hdl.dual_port_memory import DualPortMemory
from celosia.hdl.fixed_point_round import FixedPointRound
from celosia.hdl.multiplier import Multiplier
from celosia.hdl.requantize import Requantize
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry
from celosia.hdl.skid_buffer import SkidBuffer
from celosia.hdl.stream_queue import StreamQueue
from celosia.hdl.uart import UartReceiver, UartTransmitter
from celosia.hdl.wide_brick_buffer import WideBrickBuffer

CLIENTS = 3
OUTSTANDING = 4
BURST_BEATS = 16
QUEUE_BEATS = 64
SMALL_DEPTH = 3
LARGE_DEPTH = 64
TAG_BITS = 8
BRICKS = 64
PIECES, PIECES_TOGETHER = 4, 2
ROWS, ROW_BITS = 32, 18
METADATA_BITS = 8
SUM_BITS, RESULT_BITS = 48, 16
A_BITS, B_BITS = 18, 17
BLOCK_RAM_BYTES = 1 << 13
MANAGERS = 2
SDRAM_CLOCK = 133_000_000
SDRAM = SdramGeometry()
SDRAM_TIMING = replace(AS4C16M16SA_7, power_up=2000)
"""The real power-up would be most of every simulation."""


def blocks() -> dict[str, wiring.Component]:
    """Every block by the name that its ports begin with."""
    bus = {"address_bits": 32, "data_bits": 64}
    return {
        "small": StreamQueue(8, SMALL_DEPTH),
        "large": StreamQueue(8, LARGE_DEPTH),
        "skid": SkidBuffer(8),
        "splitter": BurstSplitter(**bus, count_bits=12, burst_beats=BURST_BEATS),
        "arbiter": AxiReadArbiter(**bus, clients=CLIENTS, outstanding=OUTSTANDING),
        "writer": AxiWriter(**bus, count_bits=12, burst_beats=BURST_BEATS, queue_beats=QUEUE_BEATS),
        "block_ram": AxiBlockRam(**bus, size=BLOCK_RAM_BYTES),
        "shared": AxiSharedBus(**bus, managers=MANAGERS, outstanding=OUTSTANDING),
        "sdram": AxiSdram(SDRAM, SDRAM_TIMING.cycles(SDRAM_CLOCK)),
        "unpacker": ByteUnpacker(TAG_BITS),
        "packer": BytePacker(),
        "brick_buffer": BrickBuffer(BRICKS),
        "wide_buffer": WideBrickBuffer(BRICKS, PIECES, PIECES_TOGETHER),
        "dual_port": DualPortMemory(ROWS, ROW_BITS),
        "requantize": Requantize(unsigned(METADATA_BITS)),
        "fixed_point": FixedPointRound(RESULT_BITS, SUM_BITS, unsigned(METADATA_BITS)),
        "uart_receiver": UartReceiver(),
        "uart_transmitter": UartTransmitter(),
        "multiplier": Multiplier(signed(A_BITS), unsigned(B_BITS)),
    }


_AXI_FIELDS = {
    "address": "addr",
    "length": "len",
    "data": "data",
    "strobe": "strb",
    "last": "last",
    "response": "resp",
}
_AXI_CONSTANTS = {"id": (1, 0), "size": (3, 3), "burst": (2, 1)}


class BlocksTop(Elaboratable):
    """The blocks and their ports; `ports` is what a conversion to Verilog needs, `inputs` are names of some of them."""

    def __init__(self) -> None:
        self._blocks = blocks()
        self.ports: list[Signal] = []
        self.inputs: set[str] = set()
        self._inputs: list[tuple[Any, Signal]] = []
        self._outputs: list[tuple[Signal, Any]] = []
        for name, block in self._blocks.items():
            for path, member, value in block.signature.flatten(block):
                if isinstance(value, Const):
                    continue
                if path[0] == "bus":
                    self._add_axi(name, str(path[1]), str(path[2]), member.flow, value)
                elif path[0] == "managers":
                    self._add_axi(f"{name}_{path[1]}", str(path[2]), str(path[3]), member.flow, value)
                else:
                    self._add("__".join([name, *map(str, path)]), member.flow, value)

    def _add(self, name: str, flow: Any, value: Any) -> None:
        if isinstance(value.shape(), data.ArrayLayout):
            for index in range(value.shape().length):
                self._add(f"{name}__{index}", flow, value[index])
            return
        port = Signal(Shape.cast(value.shape()).width, name=name)
        self.ports.append(port)
        if flow == In:
            self.inputs.add(name)
            self._inputs.append((value, port))
        else:
            self._outputs.append((port, value))

    def _add_axi(self, name: str, channel: str, part: str, flow: Any, value: Any) -> None:
        prefix = f"{name}_axi_{channel}"
        if part != "payload":
            self._add(f"{prefix}{part}", flow, value)
            return
        for field, _ in value.shape():
            self._add(f"{prefix}{_AXI_FIELDS[field]}", flow, value[field])
        if channel in ("aw", "ar"):
            for signal, (width, constant) in _AXI_CONSTANTS.items():
                value = Signal(width) if flow == In else Const(constant, width)
                self._add(f"{prefix}{signal}", flow, value)
        elif channel in ("b", "r"):
            self._add(f"{prefix}id", flow, Signal(1))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, block in self._blocks.items():
            elaboratable: Any = block
            m.submodules[name] = elaboratable
        m.d.comb += [inner.eq(port) for inner, port in self._inputs]
        m.d.comb += [port.eq(inner) for port, inner in self._outputs]
        return m
