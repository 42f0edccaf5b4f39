"""A design for a board with a Xilinx device, as a project that a user's own Vivado builds."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from amaranth.hdl import Elaboratable

from celosia.generators.top import TOP_NAME
from celosia.generators.verilog import verilog_from_rtlil
from celosia.hdl.sdram_transfer import BEAT_BITS

from .accelerator_instance import AcceleratorInstance
from .board import BlockRamMemory, Board
from .board_sources import BOARD_NAME, file_text
from .board_top import BoardTop
from .memory_module import block_ram_module
from .xilinx_part import XilinxPart
from .xilinx_pll import XilinxPllSettings

ACCELERATOR_FILE = f"{TOP_NAME}.v"
BOARD_FILE = f"{BOARD_NAME}.v"
MEMORY_FILE = "memory.v"
PINS_FILE = "pins.xdc"
TIMING_FILE = "timing.xdc"
SCRIPT_FILE = "build.tcl"
BITSTREAM_FILE = f"{BOARD_NAME}.bit"
"""What the script makes."""

_RTLIL_FILE = f"{BOARD_NAME}.il"
_MHZ = 1_000_000
_NANOSECONDS = 1_000_000_000

# Rendered by the platform, in place of its own project.
_TEMPLATES = {
    "{{name}}.il": "{{emit_rtlil()}}",
    PINS_FILE: """\
# Pins and I/O standards, as amaranth-boards has them.
{% for port, pin, attributes in platform.iter_port_constraints_bits() -%}
set_property PACKAGE_PIN {{pin}} [get_ports {{port|tcl_quote}}]
{% for attribute, value in attributes.items() -%}
set_property {{attribute}} {{value|tcl_quote}} [get_ports {{port|tcl_quote}}]
{% endfor %}
{% endfor %}
{{get_override("add_constraints")|default("# The board needs nothing else.")}}
""",
    "oscillator": """\
{% for port, frequency in platform.iter_port_clock_constraints() -%}
{{port|hierarchy("/")}}
{% endfor %}
""",
    "inputs": """\
{% for port, pin, attributes in platform.iter_port_constraints_bits() -%}
{{port}}
{% endfor %}
""",
}

_TIMING = """\
# Clocks, and what has no timing. Vivado works out the MMCM's clock itself; here it gets a name.
create_clock -name oscillator -period {period:.3f} [get_ports {{{oscillator}}}]
set mmcm [get_cells -hierarchical -filter {{REF_NAME == MMCME2_ADV}}]
create_generated_clock -name accelerator [get_pins -of_objects $mmcm -filter {{REF_PIN_NAME == CLKOUT0}}]

# The serial line runs at the oscillator; bytes cross to the accelerator in asynchronous queues.
set_clock_groups -asynchronous -group [get_clocks oscillator] -group [get_clocks accelerator]

# Resets rise whenever they will and fall through synchronisers, whose registers alone have an asynchronous preset.
set synchronisers [get_cells -hierarchical -filter {{REF_NAME == FDPE}}]
set_false_path -to [get_pins -of_objects $synchronisers -filter {{REF_PIN_NAME == PRE}}]

# The serial line and the lights belong to no clock.
set_false_path -from [get_ports {{{inputs}}}]
set_false_path -to [get_ports {{{outputs}}}]
"""

_SCRIPT = """\
# {title}: from Verilog to {bitstream}. Run it with: vivado -mode batch -source {script}
# The accelerator's clock is {megahertz:.6g} MHz. If timing.rpt says that this is too fast, the script ends without a
# bitstream: take a slower one with 'celosia build {board} --clock MHZ'.
cd [file dirname [file normalize [info script]]]
create_project -in_memory -part {part}
foreach name {{{sources}}} {{
  read_verilog $name
}}
foreach name {{{constraints}}} {{
  read_xdc $name
}}

synth_design -top {top} -part {part}
report_utilization -file utilization_synthesis.rpt
write_checkpoint -force synthesis.dcp

opt_design
place_design
phys_opt_design
route_design
write_checkpoint -force route.dcp

report_timing_summary -delay_type min_max -max_paths 10 -report_unconstrained -file timing.rpt
report_clock_interaction -file clock_interaction.rpt
report_utilization -hierarchical -file utilization.rpt
report_io -file io.rpt
report_drc -file drc.rpt
report_methodology -file methodology.rpt
report_power -file power.rpt

foreach kind {{max min}} {{
  set slack [get_property SLACK [get_timing_paths -delay_type $kind -max_paths 1]]
  puts "slack ($kind): $slack ns"
  if {{$slack < 0}} {{
    puts stderr "timing is missed by [expr {{-$slack}}] ns: see timing.rpt"
    exit 1
  }}
}}

set_property BITSTREAM.GENERAL.COMPRESS TRUE [current_design]
write_bitstream -force -bin_file {bitstream}
"""


@dataclass(frozen=True, slots=True)
class VivadoProject:
    """All but the accelerator's own text, `ACCELERATOR_FILE`, which belongs beside it.

    Attributes:
        files: names and texts.
    """

    files: tuple[tuple[str, str], ...]


def vivado_project(board: Board, clocks: XilinxPllSettings, *, address_bits: int) -> VivadoProject:
    """The project for an accelerator with a memory port of `address_bits`; the same text whenever it is made.

    Raises:
        TypeError: the board has no Xilinx device, or no block RAM as memory.
        BuildError: amaranth-boards is not installed.
        VerilogError: Yosys failed.
    """
    part, memory = board.part, board.memory
    if not isinstance(part, XilinxPart) or not isinstance(memory, BlockRamMemory):
        raise TypeError(f"board must have a Xilinx device and block RAM as memory, unlike {board.name}")
    accelerator = AcceleratorInstance(address_bits, BEAT_BITS)
    top: Elaboratable = BoardTop(board, accelerator, address_bits=address_bits, clocks=clocks)
    rendered = _project_platform(board).build(top, name=BOARD_NAME, do_build=False, emit_src=False).files
    texts = {name: file_text(content) for name, content in rendered.items()}
    (oscillator,) = texts["oscillator"].split()
    pins = texts["inputs"].split()
    timing = _TIMING.format(
        period=float(Fraction(_NANOSECONDS, board.oscillator)),
        oscillator=oscillator,
        inputs=" ".join(pin for pin in pins if pin.startswith("uart_0__rx")),
        outputs=" ".join(pin for pin in pins if pin.startswith(("uart_0__tx", board.leds.resource))),
    )
    script = _SCRIPT.format(
        title=board.title,
        board=board.name,
        script=SCRIPT_FILE,
        bitstream=BITSTREAM_FILE,
        megahertz=float(clocks.frequencies[0] / _MHZ),
        part=part.vivado_name,
        sources=f"{ACCELERATOR_FILE} {MEMORY_FILE} {BOARD_FILE}",
        constraints=f"{PINS_FILE} {TIMING_FILE}",
        top=BOARD_NAME,
    )
    return VivadoProject(
        (
            (BOARD_FILE, verilog_from_rtlil(texts[_RTLIL_FILE])),
            (MEMORY_FILE, block_ram_module(address_bits, memory.size)),
            (PINS_FILE, _stripped(texts[PINS_FILE])),
            (TIMING_FILE, timing),
            (SCRIPT_FILE, script),
        )
    )


def _project_platform(board: Board) -> Any:
    """The board's platform, which renders our templates and not its own."""
    platform = type(board.platform())
    return type(f"Project{platform.__name__}", (platform,), {"file_templates": _TEMPLATES})()


def _stripped(text: str) -> str:
    """Without indentation, which comes with what a platform adds itself, and without empty lines."""
    return "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())
