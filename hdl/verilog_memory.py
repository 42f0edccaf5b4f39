"""Block RAM in generated Verilog: one small module per shape, without a line for every row."""

from collections.abc import Iterator

from amaranth.hdl import ClockSignal, Instance, MemoryInstance, Module, Shape, Signal
from amaranth.lib.memory import Memory

from .dual_port_memory import DualPortMemory

BLOCK_RAM_BITS = 4096
"""Memories from this size on become block RAM."""

_TEMPLATE = """\
// {depth} rows of {width} bits, one read and one write port, written in parts of {part} bits. A row that is
// written reads as anything in that cycle; the content at power-up is undefined.
module {name}(
  input  wire clk,
  input  wire read_enable,
  input  wire [{address_high}:0] read_address,
  output reg  [{width_high}:0] read_data,
  input  wire [{parts_high}:0] write_enable,
  input  wire [{address_high}:0] write_address,
  input  wire [{width_high}:0] write_data
);
  (* no_rw_check, ram_style = "block", syn_ramstyle = "block_ram" *)
  reg [{width_high}:0] rows [0:{depth_high}];
  integer part;
  always @(posedge clk) begin
    if (read_enable)
      read_data <= rows[read_address];
    for (part = 0; part < {parts}; part = part + 1)
      if (write_enable[part])
        rows[write_address][part * {part} +: {part}] <= write_data[part * {part} +: {part}];
  end
endmodule
"""

_DUAL_TEMPLATE = """\
// {depth} rows of {width} bits, two ports that read or write. What a port reads while it writes, or while the other one
// writes that row, is undefined; so is the content at power-up.
module {name}(
  input  wire clk,
  input  wire [{address_high}:0] address_0,
  input  wire write_enable_0,
  input  wire [{width_high}:0] write_data_0,
  output reg  [{width_high}:0] read_data_0,
  input  wire [{address_high}:0] address_1,
  input  wire write_enable_1,
  input  wire [{width_high}:0] write_data_1,
  output reg  [{width_high}:0] read_data_1
);
  (* no_rw_check, ram_style = "block", syn_ramstyle = "block_ram" *)
  reg [{width_high}:0] rows [0:{depth_high}];
  always @(posedge clk)
    if (write_enable_0)
      rows[address_0] <= write_data_0;
    else
      read_data_0 <= rows[address_0];
  always @(posedge clk)
    if (write_enable_1)
      rows[address_1] <= write_data_1;
    else
      read_data_1 <= rows[address_1];
endmodule
"""


class VerilogMemories:
    """A platform for `amaranth.back.verilog.convert` whose large memories are instances of shared modules.

    Amaranth writes one `initial` line per row of a memory, which for a buffer of 256 KiB means megabytes and
    half a minute. Here an uninitialised memory of at least `BLOCK_RAM_BITS`, with one synchronous write port and
    one synchronous read port in the same domain and without transparency, becomes an instance, and so does a
    `DualPortMemory`; all others are emitted as ever. Append `modules()` to the converted text. Not for simulation in
    Python, which has no view inside an instance.
    """

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}

    def get_memory(self, memory: Memory) -> Instance | Module | MemoryInstance:
        """What stands for `memory` in the netlist; called by `Memory.elaborate`."""
        if not _is_plain_block_ram(memory):
            return memory.elaborate(None)
        (read,), (write,) = memory.read_ports, memory.write_ports
        width = Shape.cast(memory.shape).width
        parts = len(write.en)
        name = f"block_ram_{memory.depth}x{width}" + (f"_in_{parts}" if parts > 1 else "")
        self._modules[name] = _TEMPLATE.format(
            name=name,
            depth=memory.depth,
            width=width,
            parts=parts,
            part=width // parts,
            address_high=len(read.addr) - 1,
            width_high=width - 1,
            parts_high=parts - 1,
            depth_high=memory.depth - 1,
        )
        return Instance(
            name,
            i_clk=ClockSignal(write.domain),
            i_read_enable=read.en,
            i_read_address=read.addr,
            o_read_data=read.data,
            i_write_enable=write.en,
            i_write_address=write.addr,
            i_write_data=write.data,
        )

    def get_dual_port_memory(self, memory: DualPortMemory) -> Instance:
        """What stands for `memory` in the netlist; called by `DualPortMemory.elaborate`."""
        name = f"block_ram_{memory.depth}x{memory.width}_dual"
        self._modules[name] = _DUAL_TEMPLATE.format(
            name=name,
            depth=memory.depth,
            width=memory.width,
            address_high=len(memory.ports[0].address) - 1,
            width_high=memory.width - 1,
            depth_high=memory.depth - 1,
        )
        connections: dict[str, Signal] = {}
        for number, port in enumerate(memory.ports):
            connections |= {
                f"i_address_{number}": port.address,
                f"i_write_enable_{number}": port.write_enable,
                f"i_write_data_{number}": port.write_data,
                f"o_read_data_{number}": port.read_data,
            }
        return Instance(name, i_clk=ClockSignal(), **connections)

    def modules(self) -> str:
        """Verilog of the modules that the converted text refers to, in order of their names."""
        return "\n".join(self._modules[name] for name in sorted(self._modules))

    def __iter__(self) -> Iterator[str]:
        """Names of these modules, in order."""
        return iter(sorted(self._modules))


def _is_plain_block_ram(memory: Memory) -> bool:
    if Shape.cast(memory.shape).width * memory.depth < BLOCK_RAM_BITS or any(memory.init):
        return False
    if len(memory.read_ports) != 1 or len(memory.write_ports) != 1:
        return False
    (read,), (write,) = memory.read_ports, memory.write_ports
    return read.domain == write.domain and not read.transparent_for
