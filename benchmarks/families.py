"""The MLPerf Tiny networks on every family at equal multiply-accumulates a cycle, and what each engine takes of ECP5.

    make bench-families                                 (or python -m benchmarks.families, in the checkout)
    python -m benchmarks.families --macs 64 --keep build/families

Every point runs the first golden case on the simulated engine, compares its bits, and takes cycles and bytes from the
engine's own counters. Areas are those of the engine alone, between shift registers, after `synth_ecp5`: nothing is
placed. A netlist takes one to five minutes; `--keep DIR` keeps its figures, which are taken from there for as long as
the Verilog is the same. The table goes to the terminal and into docs/performance.md.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from celosia.boards.errors import BuildError
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.family import Family
from celosia.generators.families import FAMILIES, PRESETS
from celosia.generators.generate import engine_verilog
from celosia.hdl.ecp5_platform import Ecp5Platform
from celosia.host.session import InferenceSession
from celosia.host.tflite import load_tflite
from tests.models.networks import NETWORKS, golden_cases

from .area import engine_netlist

REPOSITORY = Path(__file__).resolve().parent.parent
MODELS = REPOSITORY.parent / "shared" / "models"
PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- families:begin -->", "<!-- families:end -->"
SCORED = tuple(network for network in NETWORKS if network.startswith("mlperf_"))
MACS = (64, 256)


@dataclass(frozen=True)
class Point:
    """What one network costs on one engine."""

    network: str
    preset: str
    cycles: int
    utilization: float
    memory_bytes: int
    host_operators: tuple[str, ...]


@dataclass(frozen=True)
class Cells:
    """What an engine takes: LUT4 as nextpnr counts them, MULT18X18D, DP16KD."""

    luts: int
    multipliers: int
    block_rams: int


def presets_of(macs: int, families: Sequence[Family[Any]] = FAMILIES) -> list[str]:
    """The first preset of each family that computes so many MACs a cycle; a family may have none."""
    found = []
    for family in families:
        names = [name for name, config in family.presets.items() if config.peak_macs == macs]
        found += names[:1]
    return found


def measure(network: str, preset: str) -> Point:
    """Run the network's first case; it must be bit-exact."""
    folder = MODELS / network
    graph = load_tflite(folder / "model.tflite")
    case = next(golden_cases(folder, len(graph.inputs), len(graph.outputs)))
    with InferenceSession(folder / "model.tflite", device=f"sim:{preset}") as session:
        names = [entry.name for entry in session.get_inputs()]
        outputs = session.run(None, dict(zip(names, case.inputs, strict=True)))
        for output, golden in zip(outputs, case.outputs, strict=True):
            np.testing.assert_array_equal(output, golden)
        profile = session.profile()
        return Point(
            network,
            preset,
            profile.cycles,
            profile.mac_utilization,
            profile.bytes_read + profile.bytes_written,
            session.program.host_operators,
        )


def cells_of(config: EngineConfig, folder: Path) -> Cells:
    """What the engine takes; figures of the same Verilog that are in `folder` already are taken from there.

    Raises:
        BuildError: Yosys is missing or failed.
    """
    text = engine_verilog(config, Ecp5Platform()).text
    figures = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    if figures.exists():
        return Cells(**json.loads(figures.read_text(encoding="utf-8")))
    folder.mkdir(parents=True, exist_ok=True)
    netlist = engine_netlist(config, folder)
    cells = Cells(netlist.luts, netlist.cells.get("MULT18X18D", 0), netlist.cells.get("DP16KD", 0))
    figures.write_text(json.dumps(asdict(cells)), encoding="utf-8")
    return cells


def table(points: Iterable[Point], cells: dict[str, Cells]) -> str:
    """Markdown: a line a network and engine; those of the same network and MACs are neighbours."""
    lines = [
        "| network | MACs a cycle | preset | cycles | utilisation | bytes of memory traffic | LUT4 | MULT18X18D "
        "| DP16KD | on the host |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for point in sorted(points, key=_place):
        area = cells[point.preset]
        lines.append(
            f"| {point.network} | {PRESETS[point.preset].peak_macs} | {point.preset} | {point.cycles:,} "
            f"| {point.utilization:.1%} | {point.memory_bytes:,} | {area.luts:,} | {area.multipliers} "
            f"| {area.block_rams} | {', '.join(point.host_operators)} |"
        )
    return "\n".join(lines)


def _place(point: Point) -> tuple[str, int, int]:
    return point.network, PRESETS[point.preset].peak_macs, list(PRESETS).index(point.preset)


def written(page: str, text: str) -> str:
    """`page` with `text` between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> None:
    """Measure, print, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--macs", type=int, nargs="+", default=MACS, help="MACs a cycle to compare at")
    parser.add_argument("--keep", type=Path, help="keep netlists and figures in this folder")
    parser.add_argument("--print", action="store_true", help="leave docs/performance.md alone")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    presets = [preset for macs in arguments.macs for preset in presets_of(macs)]
    if not presets:
        sys.exit(f"bench-families: no family has a preset of {arguments.macs} MACs a cycle")
    runs = [(network, preset) for preset in presets for network in SCORED]
    points = [measure(*run) for run in track(runs, "Running networks", console=console)]
    with tempfile.TemporaryDirectory(prefix="celosia-families-") as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        try:
            cells = {
                preset: cells_of(PRESETS[preset], folder / preset)
                for preset in track(presets, "Synthesizing", console=console)
            }
        except BuildError as error:
            sys.exit(f"bench-families: {error}")
    text = table(points, cells)
    if not arguments.print:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
