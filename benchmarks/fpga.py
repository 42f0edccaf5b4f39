"""Complete designs for boards on Lattice ECP5, placed and routed: area, clocks, and what the build takes.

    make bench-fpga                                        (or python -m benchmarks.fpga, in the checkout)
    python -m benchmarks.fpga u55-32 --board ecpix5_85f --seeds 1    (the other rows of the table stay)

Every preset is synthesized once, then placed and routed once for each seed; the seed with the median Fmax of the
accelerator's clock gets its clocks and becomes a bitstream. The table goes to the terminal and into
docs/performance.md. About 15 minutes a route of u55-64 on a quiet machine; with `--keep DIR`, a run that was
interrupted goes on with the next seed.
"""

import argparse
import hashlib
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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

from celosia.boards.board import BOARDS, Board, Toolchain
from celosia.boards.board_sources import BOARD_NAME
from celosia.boards.build_files import write_json
from celosia.boards.build_job import BuildJob
from celosia.boards.build_result import ClockResult, Usage
from celosia.boards.ecp5_build import CONSTRAINTS_FILE, generate_ecp5, pack, usage_of, write_ecp5
from celosia.boards.ecp5_clocks import clock_results, clocks_of, settle_clocks
from celosia.boards.ecp5_part import ecp5_part
from celosia.boards.ecp5_route import Route, place_and_route
from celosia.boards.ecp5_synthesis import Netlist, run_synthesis
from celosia.boards.errors import BuildError
from celosia.boards.nextpnr_report import ClockReport, read_report
from celosia.boards.part import require_fit
from celosia.boards.wheel_tool import ToolCost
from celosia.generators.generate import engine_design
from celosia.generators.mac_engine.config import PRESETS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- fpga:begin -->", "<!-- fpga:end -->"
PRESET = "u55-64"
BOARD = "ulx3s_85f"
SEEDS = (1, 2, 3)
_HEAD = (
    "| board | preset | LUT4 | a MAC | registers | MULT18X18D | DP16KD | Fmax MHz | of seeds | memory's Fmax "
    "| clock | memory's | seconds | GB | critical path |",
    "|---|---|--:|--:|--:|--:|--:|--:|---|---|--:|--:|---|--:|---|",
)
_GB = 1_000_000_000


@dataclass(frozen=True)
class Measurement:
    """One preset on one board.

    Attributes:
        board, preset: names.
        seeds, fmax, memory_fmax: MHz that each seed reached, the accelerator's clock and the SDRAM's, if there is one.
        usage: cells of the median seed.
        clocks: of its bitstream.
        seconds: of generation, synthesis, each route, and packing.
        peak_bytes: of the step that took the most memory.
    """

    board: str
    preset: str
    seeds: tuple[int, ...]
    fmax: tuple[float, ...]
    memory_fmax: tuple[float, ...]
    usage: tuple[Usage, ...]
    clocks: tuple[ClockResult, ...]
    seconds: Mapping[str, Sequence[float]]
    peak_bytes: int

    @property
    def row(self) -> str:
        """Markdown."""
        luts, flip_flops, multipliers, block_rams = (usage.used for usage in self.usage)
        sync, *others = self.clocks
        memory = [clock for clock in others if clock.domain == "memory"]
        path = sync.critical_path
        steps = ", ".join(
            f"{step} {' / '.join(f'{seconds:.0f}' for seconds in each)}"
            for step, each in self.seconds.items()
        )
        cells = (
            self.board,
            self.preset,
            f"{luts:,}",
            f"{luts / PRESETS[self.preset].macs:.0f}",
            f"{flip_flops:,}",
            str(multipliers),
            str(block_rams),
            f"{sync.fmax_mhz:.1f}",
            _by_seed(self.seeds, self.fmax),
            _by_seed(self.seeds, self.memory_fmax),
            f"{sync.clock_mhz:.2f}",
            f"{memory[0].clock_mhz:.2f}" if memory else "",
            steps,
            f"{self.peak_bytes / _GB:.1f}",
            f"`{path.components[0]}` to `{path.components[-1]}`, {path.nanoseconds:.1f} ns, "
            f"{path.routing_nanoseconds:.1f} of them wires",
        )
        return f"| {' | '.join(cells)} |"


def _by_seed(seeds: Sequence[int], speeds: Sequence[float]) -> str:
    return ", ".join(f"{seed}: {speed:.1f}" for seed, speed in zip(seeds, speeds, strict=False))


class Benchmark:
    """Measures presets on one board, in folders of their own under `folder`."""

    def __init__(self, board: Board, folder: Path, console: Console) -> None:
        self._board = board
        self._folder = folder
        self._console = console

    def measure(self, preset: str, seeds: Sequence[int]) -> Measurement:
        """Build `preset` with each of `seeds`.

        Raises:
            BuildError: a tool failed, or the design does not fit.
        """
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        workspace = self._folder / f"{self._board.name}_{preset}"
        workspace.mkdir(parents=True, exist_ok=True)
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as progress:
            task = progress.add_task(f"{preset}: synthesis", total=2 + len(seeds))
            start = time.monotonic()
            job = BuildJob(self._board, engine_design(PRESETS[preset]))
            write_ecp5(self._board, generate_ecp5(job, workspace), workspace, seed=seeds[0])
            generation = time.monotonic() - start
            netlist = run_synthesis(BOARD_NAME, workspace)
            self._require_fit(netlist)
            progress.advance(task)
            routes: list[Route] = []
            for seed in seeds:
                progress.update(task, description=f"{preset}: place and route, seed {seed}")
                routes.append(self._route(netlist, seed))
                progress.advance(task)
            progress.update(task, description=f"{preset}: bitstream")
            return self._result(preset, seeds, netlist, routes, generation)

    def _route(self, netlist: Netlist, seed: int) -> Route:
        """One route; one that the folder has already, of the same netlist, is taken from there."""
        folder = netlist.file.parent
        digest = hashlib.sha256(netlist.file.read_bytes()).hexdigest()
        step = f"route_seed_{seed}"
        record = folder / f"{step}.cost.json"
        if record.exists():
            kept = json.loads(record.read_text(encoding="utf-8"))
            if kept["netlist"] == digest and "placer" in kept:
                report = read_report(folder / f"{step}.json", folder / f"{step}.log")
                cost = ToolCost(kept["seconds"], kept["peak_bytes"])
                return Route(report, folder / f"{step}.config", kept["placer"], cost)
            record.unlink()
        part = ecp5_part(self._board.part)
        route = place_and_route(netlist, part, seed=seed, step=step, constraints=CONSTRAINTS_FILE)
        write_json(record, {"netlist": digest, "placer": route.placer, **asdict(route.cost)})
        return route

    def _require_fit(self, netlist: Netlist) -> None:
        require_fit(
            self._board.part,
            multipliers=netlist.cells.get("MULT18X18D", 0),
            block_rams=netlist.cells.get("DP16KD", 0),
            luts=netlist.luts,
        )

    def _result(
        self, preset: str, seeds: Sequence[int], netlist: Netlist, routes: Sequence[Route], generation: float
    ) -> Measurement:
        board = self._board
        reached = [clocks_of(board, route.report, netlist.pll_nets) for route in routes]
        fmax = [clocks["sync"].fmax_mhz for clocks in reached]
        median = fmax.index(statistics.median_low(fmax))
        clocks = settle_clocks(board, reached[median], None)
        packing = pack(routes[median], clocks, netlist.file.parent)
        costs = (netlist.cost, packing, *(route.cost for route in routes))
        return Measurement(
            board=board.name,
            preset=preset,
            seeds=tuple(seeds),
            fmax=tuple(fmax),
            memory_fmax=tuple(_memory_fmax(reached)),
            usage=usage_of(board.part, routes[median].report),
            clocks=clock_results(board, reached[median], clocks),
            seconds={
                "Verilog": [generation],
                "synthesis": [netlist.cost.seconds],
                "routes": [route.cost.seconds for route in routes],
                "bitstream": [packing.seconds],
            },
            peak_bytes=max(cost.peak_bytes for cost in costs),
        )


def _memory_fmax(reached: Sequence[Mapping[str, ClockReport]]) -> list[float]:
    return [clocks["memory"].fmax_mhz for clocks in reached if "memory" in clocks]


def merge(page: str, measurements: Sequence[Measurement]) -> str:
    """`page` with the rows of `measurements` in its table; rows of other boards and presets stay as they are."""
    before, rest = page.split(BEGIN)
    old, after = rest.split(END)
    rows = {
        (match[1], match[2]): match[0]
        for match in re.finditer(r"^\| (\w+) \| (u55-\d+) \|.*$", old, re.MULTILINE)
    }
    rows |= {(entry.board, entry.preset): entry.row for entry in measurements}
    places = [(board, preset) for board in BOARDS for preset in PRESETS]
    lines = [*_HEAD, *(rows[place] for place in places if place in rows)]
    return "\n".join([f"{before}{BEGIN}", *lines, f"{END}{after}"])


def main() -> None:
    """Measure, print, write the page."""
    boards = [board.name for board in BOARDS.values() if board.toolchain is Toolchain.TRELLIS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("presets", nargs="*", help=f"some of {', '.join(PRESETS)} (default: {PRESET})")
    parser.add_argument("--board", choices=boards, default=BOARD, help=f"default: {BOARD}")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, help="of nextpnr (default: 1 2 3)")
    parser.add_argument(
        "--keep",
        type=Path,
        help="keep netlists, logs and bitstreams in this folder; routes that it has are not made again",
    )
    arguments = parser.parse_args()
    unknown = [preset for preset in arguments.presets if preset not in PRESETS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: presets are {', '.join(PRESETS)}")
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="celosia-fpga-") as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        benchmark = Benchmark(BOARDS[arguments.board], folder, console)
        try:
            for preset in arguments.presets or [PRESET]:
                measurement = benchmark.measure(preset, arguments.seeds)
                # Each row is worth hours: none waits for the next.
                PAGE.write_text(merge(PAGE.read_text(encoding="utf-8"), [measurement]), encoding="utf-8")
                print(measurement.row, flush=True)
        except BuildError as error:
            sys.exit(f"bench-fpga: {error}")


if __name__ == "__main__":
    main()
