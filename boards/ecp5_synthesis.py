"""From Verilog to a netlist of ECP5 cells, with Yosys."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .wheel_tool import YOSYS

_MULTIPLIER = "MULT18X18D"
_KEPT_MULTIPLIER = "KEPT_MULTIPLIER"
_KEPT_MULTIPLIER_FILE = "kept_multiplier.v"
_KEPT_INPUTS = (
    *(f"{operand}{bit}" for operand in "ABC" for bit in range(18)),
    *("SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB", "CLK0", "CE0", "RST0"),
)
_KEPT_PARAMETERS = ("REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_OUTPUT_CLK", "GSR")
_KEPT_OUTPUTS = tuple(f"P{bit}" for bit in range(36))
# Without the wide cells that join LUT4, of which the mapper makes too many for speed, and with ABC rather than ABC9: a
# tenth less area than by Yosys' own choices, and shorter paths.
_SCRIPT = """\
read_verilog {files}
read_verilog -lib {kept}
chtype -set {kept_name} t:{name}
synth_ecp5 -top {top} -run :map_luts
techmap -map +/lattice/latches_map.v
abc -lut 4 -dress
clean
synth_ecp5 -top {top} -run map_cells:
chtype -set {name} t:{kept_name}
write_json {netlist}
"""


@dataclass(frozen=True, slots=True)
class Netlist:
    """Cells of the device, not yet placed.

    Attributes:
        file: for nextpnr.
        cells: how many of each kind.
    """

    file: Path
    cells: dict[str, int]


def synthesize(sources: Sequence[tuple[str, str]], top: str, folder: Path) -> Netlist:
    """Synthesize the Verilog `sources`, each a file's name and its text, in `folder`; all hierarchy is dissolved.

    Products must be instances already (`hdl.ecp5_multiplier`): Yosys infers MULT18X18D without its registers.

    Raises:
        BuildError: Yosys is missing or failed.
    """
    for name, text in (*sources, (_KEPT_MULTIPLIER_FILE, _kept_multiplier())):
        (folder / name).write_text(text, encoding="utf-8")
    netlist = folder / "netlist.json"
    script = _SCRIPT.format(
        files=" ".join(name for name, _ in sources),
        kept=_KEPT_MULTIPLIER_FILE,
        name=_MULTIPLIER,
        kept_name=_KEPT_MULTIPLIER,
        top=top,
        netlist=netlist.name,
    )
    (folder / "synthesis.ys").write_text(script, encoding="utf-8")
    YOSYS.run(["-q", "-l", "yosys.log", "-s", "synthesis.ys"], folder, "synthesis")
    design = json.loads(netlist.read_text(encoding="utf-8"))
    cells = Counter(cell["type"] for cell in design["modules"][top]["cells"].values())
    return Netlist(netlist, dict(cells))


def _kept_multiplier() -> str:
    """A black box with the ports and parameters of MULT18X18D that are used here.

    With registers switched on, the block itself ends Yosys 0.70's ABC pass without a message, so that it goes
    through synthesis under another name.
    """
    ports = [f"input {name}" for name in _KEPT_INPUTS] + [f"output {name}" for name in _KEPT_OUTPUTS]
    parameters = "".join(f'  parameter {name} = "";\n' for name in _KEPT_PARAMETERS)
    return f"(* blackbox *)\nmodule {_KEPT_MULTIPLIER}({', '.join(ports)});\n{parameters}endmodule\n"
