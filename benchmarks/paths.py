"""The longest paths and the size of the engine on Lattice ECP5 by an estimate, before place and route.

    python -m benchmarks.paths u55-64 --paths 20         (in the checkout, after make bench-area's set-up)

Two minutes for a preset: synthesis takes nearly all of them. `benchmarks.area` tells the clock that is really reached.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.area import engine_netlist
from celosia.boards.errors import BuildError
from celosia.boards.netlist_paths import TimingPath, longest_paths
from celosia.boards.port_frame import FRAME_NAME
from celosia.generators.families import PRESETS

_ENGINE = "module_between.engine."


def described(path: TimingPath) -> str:
    """A line for its end, and one for its way: components, each with its fan-out if many inputs hang on it."""
    way = " > ".join(
        name.removeprefix(_ENGINE) + (f" (x{fan_out})" if fan_out > 16 else "")
        for name, fan_out in zip(path.components, path.fan_outs, strict=True)
    )
    return f"{path.nanoseconds:6.1f} ns  {path.end.removeprefix(_ENGINE)}\n           {way}"


def main() -> None:
    """Synthesize, estimate, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("preset", choices=sorted(PRESETS))
    parser.add_argument("--paths", type=int, default=20, help="how many are printed (default: 20)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="celosia-paths-") as scratch:
        try:
            with Console(stderr=True).status(f"synthesis of {arguments.preset}"):
                netlist = engine_netlist(PRESETS[arguments.preset], Path(scratch))
            paths = longest_paths(netlist.file, FRAME_NAME)
        except BuildError as error:
            sys.exit(f"paths: {error}")
    for path in paths[: arguments.paths]:
        print(described(path))
    cells = netlist.cells
    logic, carry, memory = cells["LUT4"], 2 * cells["CCU2C"], 4 * cells["TRELLIS_DPR16X4"]
    print(
        f"{logic + carry + memory:,} LUT4 before packing: {logic:,} logic, {carry:,} carry, {memory:,} memory "
        f"(and {memory // 2:,} to write it); {cells['TRELLIS_FF']:,} registers"
    )


if __name__ == "__main__":
    main()
