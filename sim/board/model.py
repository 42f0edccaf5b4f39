"""The shared library that simulates a board: its Verilated top with `harness.cpp` around it."""

from dataclasses import dataclass
from pathlib import Path

from ..cache import default_cache_directory
from ..compiler import DEFAULT_COMPILER, find_compiler
from ..verilator import Progress, Recipe, build

_HERE = Path(__file__).parent
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_RUNTIME_DEFINES = ("VL_USER_FATAL=1", "VL_USER_FINISH=1", "VL_USER_STOP=1", "VM_TRACE=0", "VM_TRACE_VCD=0")
_LIGHTS = 2


@dataclass(frozen=True, slots=True)
class BoardPorts:
    """Ports of a board's top module, as amaranth-boards names them.

    Attributes:
        top: the module.
        oscillator: its clock pin.
        row_address_bits: width of the SDRAM's address pins.
    """

    top: str
    oscillator: str
    row_address_bits: int


def build_board_model(
    verilog: str,
    ports: BoardPorts,
    *,
    compiler: str = DEFAULT_COMPILER,
    cache_directory: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Build the shared library that simulates the board of `verilog`, or find it in the cache.

    Args:
        verilog: all modules but the device's cells.
        ports: of its top module.
        compiler: "zig", or a C++ compiler on this machine, see `find_compiler`.
        cache_directory: where built models are kept; the user's cache directory by default.
        progress: called while building.

    Raises:
        ToolError: Verilator or the compiler is missing or failed.
        CacheError: the cache directory cannot be used.
    """
    directory = cache_directory or default_cache_directory()
    recipe = Recipe(
        compiler=(chosen := find_compiler(compiler, directory)),
        product="board.so",
        verilate_flags=("--top-module", "bench", "--prefix", "Vbench", "--pins-inout-enables"),
        runtime=_RUNTIME,
        runtime_flags=("-fvisibility=hidden", *(f"-D{define}" for define in _RUNTIME_DEFINES)),
        sources=(_HERE / "harness.cpp",),
        headers=(_HERE / "sdram_chip.h", _HERE / "serial_line.h"),
        source_flags=(),
        link_flags=("-shared", *chosen.link_flags),
    )
    cells = (_HERE / "ecp5_cells.v").read_text(encoding="utf-8")
    return build("\n".join((bench(ports), cells, verilog)), recipe, directory, progress)


def bench(ports: BoardPorts) -> str:
    """The module that the harness sees: the board, its pins by plain names, and the clocks that its PLL gets."""
    return f"""\
module bench(
  input oscillator, input [2:0] pll_clocks, output reg pll_locked = 1'b0,
  input receive, output transmit, output [{_LIGHTS - 1}:0] leds,
  output chip_clk, output chip_cke, output chip_cs_n, output chip_ras_n, output chip_cas_n, output chip_we_n,
  output [1:0] chip_ba, output [{ports.row_address_bits - 1}:0] chip_a, output [1:0] chip_dqm, inout [15:0] chip_dq
);
  {ports.top} board(
    .{ports.oscillator}(oscillator),
    .uart_0__rx__io(receive),
    .uart_0__tx__io(transmit),
    {"".join(f".led_{number}__io(leds[{number}]), " for number in range(_LIGHTS))}
    .sdram_0__clk__io(chip_clk),
    .sdram_0__clk_en__io(chip_cke),
    .sdram_0__cs__io(chip_cs_n),
    .sdram_0__ras__io(chip_ras_n),
    .sdram_0__cas__io(chip_cas_n),
    .sdram_0__we__io(chip_we_n),
    .sdram_0__ba__io(chip_ba),
    .sdram_0__a__io(chip_a),
    .sdram_0__dqm__io(chip_dqm),
    .sdram_0__dq__io(chip_dq)
  );
endmodule
"""
