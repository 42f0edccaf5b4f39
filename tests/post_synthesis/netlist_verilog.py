"""The netlist that is placed and routed, as Verilog that simulates."""

import json
from pathlib import Path

from celosia.boards.ecp5_synthesis import Netlist
from celosia.boards.wheel_tool import YOSYS
from tests.post_synthesis.twins import twin_text

# Cells become what Yosys' own models of them say: as instances of modules, tens of thousands of them would take
# Verilator many times as long. Block RAMs and multipliers stay instances, of the twins.
_SCRIPT = """\
read_json {netlist}
cd {top}
delete t:$scopeinfo
techmap -autoproc -map +/lattice/common_sim.vh -map +/lattice/ccu2c_sim.vh
techmap -autoproc -map +/lattice/common_sim.vh
opt_expr
opt_clean -purge
cd
select -assert-none {top}/t:LUT4 {top}/t:CCU2C {top}/t:TRELLIS_FF {top}/t:TRELLIS_DPR16X4
select {top}
write_verilog -noattr -selected {result}
"""


def netlist_verilog(netlist: Netlist, top: str) -> str:
    """The module `top` of the netlist's file, without the twins of its block RAMs and multipliers.

    Raises:
        BuildError: Yosys is missing or failed.
    """
    folder = netlist.file.parent
    result = folder / "simulated.v"
    script = _SCRIPT.format(netlist=netlist.file.name, top=top, result=result.name)
    (folder / "simulation.ys").write_text(script, encoding="utf-8")
    YOSYS.run(["-q", "-s", "simulation.ys"], folder, "simulation")
    return result.read_text(encoding="utf-8")


def simulated(netlist: Netlist, top: str) -> str:
    """`netlist_verilog` with the twins: complete."""
    return f"{netlist_verilog(netlist, top)}\n{twin_text()}"


def driven_resets(netlist: Path) -> list[str]:
    """Block RAMs whose reset is driven by logic: reads through it are reported to fail on silicon."""
    return [
        name
        for module in json.loads(netlist.read_text(encoding="utf-8"))["modules"].values()
        for name, cell in module["cells"].items()
        if cell["type"] == "DP16KD"
        for pin in ("RSTA", "RSTB")
        if cell["connections"].get(pin, ["0"]) != ["0"]
    ]
