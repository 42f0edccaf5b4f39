"""Area and clock of the engine alone on Lattice ECP5, by nextpnr's own totals.

    make bench-area                                  (or python -m benchmarks.area, in the checkout)
    python -m benchmarks.area u55-64 --seeds 1       (some presets only: the other rows of the table stay)

Every preset is synthesized once and then placed and routed once for each seed, between shift registers, because the
engine has more ports than a package has pins. Hours: about 20 minutes a route of u55-64 on a quiet machine. The table
goes to the terminal and into docs/performance.md.
"""

import argparse
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from celosia.boards.ecp5_part import LFE5U_85F
from celosia.boards.ecp5_route import place_and_route
from celosia.boards.ecp5_synthesis import Netlist, synthesize
from celosia.boards.errors import BuildError
from celosia.boards.nextpnr_report import RouteReport
from celosia.boards.part import require_fit
from celosia.boards.port_frame import FRAME_NAME, Port, port_frame
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.generate import engine_design
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.top import CLOCK, TOP_NAME
from celosia.generators.verilog import write_verilog
from celosia.hdl.ecp5_platform import Ecp5Platform

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- area:begin -->", "<!-- area:end -->"
PART = LFE5U_85F
TARGET_MHZ = 105.0
SEEDS = (1, 2, 3)
_HEAD = (
    "| preset | LUT4 | of logic, carry, memory | registers | MULT18X18D | DP16KD | MHz | of seeds | critical path |",
    "|---|--:|---|--:|--:|--:|--:|---|---|",
)


@dataclass(frozen=True)
class Area:
    """One preset, routed with each of `seeds`."""

    preset: str
    seeds: tuple[int, ...]
    reports: tuple[RouteReport, ...]

    @property
    def median(self) -> RouteReport:
        """The report whose Fmax is the median (the lower one of two)."""
        speeds = [report.slowest.fmax_mhz for report in self.reports]
        return self.reports[speeds.index(statistics.median_low(speeds))]

    @property
    def row(self) -> str:
        """Markdown."""
        cells, clock = self.median.utilization, self.median.slowest
        memory = cells.ram_luts + cells.ram_write_luts
        path = clock.critical_path
        names = [name.removeprefix("module_between.engine.") for name in path.components]
        seeds = ", ".join(
            f"{seed}: {report.slowest.fmax_mhz:.1f}"
            for seed, report in zip(self.seeds, self.reports, strict=True)
        )
        return (
            f"| {self.preset} | {cells.luts:,} | {cells.logic_luts:,} + {cells.carry_luts:,} + {memory:,} "
            f"| {cells.flip_flops:,} | {cells.multipliers} | {cells.block_rams} | {clock.fmax_mhz:.1f} | {seeds} "
            f"| `{names[0]}` to `{names[-1]}`, {path.nanoseconds:.1f} ns, "
            f"{path.routing_nanoseconds:.1f} of them wires |"
        )


def engine_netlist(config: EngineConfig, folder: Path) -> Netlist:
    """The engine between shift registers, synthesized in `folder`."""
    design = engine_design(config)
    top = design.top()
    ports = [Port(name, top.directions[name] == "output", len(signal)) for name, signal in top.ports.items()]
    engine = write_verilog(top, design.title, Ecp5Platform())
    sources = (
        (f"{TOP_NAME}.v", engine.text),
        (f"{FRAME_NAME}.v", port_frame(TOP_NAME, CLOCK, ports)),
    )
    return synthesize(sources, FRAME_NAME, folder)


def measure(presets: Sequence[str], seeds: Sequence[int], folder: Path, console: Console) -> Iterator[Area]:
    """Build each preset in a folder of its own under `folder`; those that do not fit are named and left out."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("", total=len(presets) * (1 + len(seeds)))
        for preset in presets:
            workspace = folder / preset
            workspace.mkdir(parents=True, exist_ok=True)
            progress.update(task, description=f"{preset}: synthesis")
            netlist = engine_netlist(PRESETS[preset], workspace)
            progress.advance(task)
            try:
                require_fit(
                    PART,
                    multipliers=netlist.cells.get("MULT18X18D", 0),
                    block_rams=netlist.cells.get("DP16KD", 0),
                )
            except BuildError as error:
                console.print(f"{preset} is left out: {error}")
                progress.advance(task, len(seeds))
                continue
            reports: list[RouteReport] = []
            for seed in seeds:
                progress.update(task, description=f"{preset}: place and route, seed {seed}")
                route = place_and_route(netlist, PART, seed=seed, target_mhz=TARGET_MHZ)
                reports.append(route.report)
                progress.advance(task)
            yield Area(preset, tuple(seeds), tuple(reports))


def merge(page: str, areas: Sequence[Area]) -> str:
    """`page` with the rows of `areas` in its table; rows of other presets stay as they are."""
    before, rest = page.split(BEGIN)
    old, after = rest.split(END)
    rows = {match[1]: match[0] for match in re.finditer(r"^\| (u55-\d+) \|.*$", old, re.MULTILINE)}
    rows |= {area.preset: area.row for area in areas}
    lines = [*_HEAD, *(rows[preset] for preset in PRESETS if preset in rows)]
    return "\n".join([f"{before}{BEGIN}", *lines, f"{END}{after}"])


def main() -> None:
    """Measure, print, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("presets", nargs="*", help=f"some of {', '.join(PRESETS)}; all that fit by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, help="of nextpnr (default: 1 2 3)")
    parser.add_argument(
        "--keep", type=Path, help="keep netlists, logs and bitstreams' sources in this folder"
    )
    arguments = parser.parse_args()
    unknown = [preset for preset in arguments.presets if preset not in PRESETS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: presets are {', '.join(PRESETS)}")
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="celosia-area-") as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        try:
            for area in measure(arguments.presets or list(PRESETS), arguments.seeds, folder, console):
                # Each row is worth hours: none waits for the next.
                PAGE.write_text(merge(PAGE.read_text(encoding="utf-8"), [area]), encoding="utf-8")
                print(area.row, flush=True)
        except BuildError as error:
            sys.exit(f"bench-area: {error}")


if __name__ == "__main__":
    main()
