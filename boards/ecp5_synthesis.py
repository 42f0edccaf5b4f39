"""From Verilog to a netlist of ECP5 cells, with Yosys."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celosia.generators.whole_file import write_whole

from .ecp5_pll import PLL_OUTPUTS
from .wheel_tool import YOSYS, ToolCost

_MULTIPLIER = "MULT18X18D"
_KEPT_MULTIPLIER = "KEPT_MULTIPLIER"
KEPT_MULTIPLIER_FILE = "kept_multiplier.v"
_KEPT_INPUTS = (
    *(f"{operand}{bit}" for operand in "ABC" for bit in range(18)),
    *("SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB", "CLK0", "CE0", "RST0"),
)
_KEPT_PARAMETERS = ("REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_OUTPUT_CLK", "GSR")
_KEPT_OUTPUTS = tuple(f"P{bit}" for bit in range(36))
# Without the wide cells that join LUT4, of which the mapper makes too many for speed, and with ABC rather than ABC9: a
# tenth less area than by Yosys' own choices, and shorter paths. Yosys' script for ABC maps once; mapping the result
# again costs 0.3 % of the area of u55-64 and takes nearly a nanosecond from its longest paths.
_MAPPING = "strash; dch -f; if; mfs2; lutpack -S 1"
_ABC_SCRIPT = f"strash; &get -n; &fraig -x; &put; scorr; dc2; {_MAPPING}; {_MAPPING}"
_SCRIPT = """\
read_verilog {files}
read_verilog -lib {kept}
chtype -set {kept_name} t:{name}
synth_ecp5 -top {top} -run :map_luts
techmap -map +/lattice/latches_map.v
abc -lut 4 -dress -script {abc_script}
clean
synth_ecp5 -top {top} -run map_cells:
chtype -set {name} t:{kept_name}
write_json {netlist}
"""


NETLIST_FILE = "netlist.json"
SYNTHESIS_FILE = "synthesis.ys"
SYNTHESIS_ARGUMENTS = ("-q", "-l", "yosys.log", "-s", SYNTHESIS_FILE)
"""Of Yosys, in the folder of the sources."""
_CARRY_LUTS = 2
"""LUT4 in a CCU2C."""
_MEMORY_LUTS = 6
"""LUT4 for a TRELLIS_DPR16X4: four that remember, and two given up for the write port."""


@dataclass(frozen=True, slots=True)
class Netlist:
    """Cells of the device, not yet placed.

    Attributes:
        file: for nextpnr.
        cells: how many of each kind.
        pll_nets: for each output of the PLL that is used, in order, all names of its net.
        cost: of synthesis.
    """

    file: Path
    cells: dict[str, int]
    pll_nets: tuple[frozenset[str], ...]
    cost: ToolCost

    @property
    def luts(self) -> int:
        """LUT4 as nextpnr counts them: of logic, in carry chains and for memories."""
        of_kind = self.cells.get
        return (
            of_kind("LUT4", 0)
            + _CARRY_LUTS * of_kind("CCU2C", 0)
            + _MEMORY_LUTS * of_kind("TRELLIS_DPR16X4", 0)
        )


def write_synthesis(sources: Sequence[tuple[str, str]], top: str, folder: Path) -> None:
    """Put the Verilog `sources`, each a file's name and its text, and the script `synthesis.ys` into `folder`."""
    for name, text in (*sources, (KEPT_MULTIPLIER_FILE, _kept_multiplier())):
        write_whole(folder / name, text)
    script = _SCRIPT.format(
        files=" ".join(name for name, _ in sources),
        kept=KEPT_MULTIPLIER_FILE,
        name=_MULTIPLIER,
        kept_name=_KEPT_MULTIPLIER,
        top=top,
        netlist=NETLIST_FILE,
        abc_script="+" + _ABC_SCRIPT.replace("; ", ";").replace(" ", ","),
    )
    write_whole(folder / SYNTHESIS_FILE, script)


def run_synthesis(top: str, folder: Path) -> Netlist:
    """Synthesize what `write_synthesis` put into `folder`; all hierarchy is dissolved.

    Raises:
        BuildError: Yosys is missing or failed.
    """
    cost = YOSYS.run(SYNTHESIS_ARGUMENTS, folder, "synthesis")
    netlist = folder / NETLIST_FILE
    module = json.loads(netlist.read_text(encoding="utf-8"))["modules"][top]
    cells = Counter(cell["type"] for cell in module["cells"].values())
    return Netlist(netlist, dict(cells), _pll_nets(module), cost)


def _pll_nets(module: Mapping[str, Any]) -> tuple[frozenset[str], ...]:
    plls = [cell["connections"] for cell in module["cells"].values() if cell["type"] == "EHXPLLL"]
    bits = [pll[output][0] for pll in plls for output in PLL_OUTPUTS if pll.get(output)]
    names: dict[int, set[str]] = {bit: set() for bit in bits}
    for name, net in module["netnames"].items():
        for index, bit in enumerate(net["bits"]):
            if bit in names:
                place = index + net.get("offset", 0)
                names[bit].add(name if len(net["bits"]) == 1 else f"{name}[{place}]")
    return tuple(frozenset(names[bit]) for bit in bits)


def synthesize(sources: Sequence[tuple[str, str]], top: str, folder: Path) -> Netlist:
    """Both of these.

    Products must be instances already (`hdl.ecp5_multiplier`): Yosys infers MULT18X18D without its registers.

    Raises:
        BuildError: Yosys is missing or failed.
    """
    write_synthesis(sources, top, folder)
    return run_synthesis(top, folder)


def _kept_multiplier() -> str:
    """A black box with the ports and parameters of MULT18X18D that are used here.

    With registers switched on, the block itself ends Yosys 0.70's ABC pass without a message, so that it goes
    through synthesis under another name.
    """
    ports = [f"input {name}" for name in _KEPT_INPUTS] + [f"output {name}" for name in _KEPT_OUTPUTS]
    parameters = "".join(f'  parameter {name} = "";\n' for name in _KEPT_PARAMETERS)
    return f"(* blackbox *)\nmodule {_KEPT_MULTIPLIER}({', '.join(ports)});\n{parameters}endmodule\n"
