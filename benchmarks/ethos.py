"""Cycles of the published networks on the RTL, beside Arm's estimate for its Ethos-U55 at the same MACs.

    make bench-ethos                (or python -m benchmarks.ethos, in the checkout)

Every point runs the first golden case on the simulated engine, compares its bits, and takes the cycles from the
engine's own counter. The table goes to the terminal and into docs/performance.md.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.session import InferenceSession
from celosia.host.tflite import load_tflite
from tests.models.networks import NETWORKS, golden_cases

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- ethos:begin -->", "<!-- ethos:end -->"
SCORED = tuple(network for network in NETWORKS if network.startswith("mlperf_"))


@dataclass(frozen=True)
class Point:
    """One network on one preset."""

    network: str
    macs_per_cycle: int
    cycles: int
    ethos_cycles: int
    utilization: float
    host_operators: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Our cycles for one of Arm's."""
        return self.cycles / self.ethos_cycles


def ethos_cycles() -> dict[tuple[str, int], int]:
    """Arm's estimates, everything in one SRAM, by network and MACs a cycle."""
    with (SHARED / "anchors" / "ethos_u55.csv").open(newline="") as file:
        return {
            (row["model"], int(row["macs_per_cycle"])): int(row["cycles_total"])
            for row in csv.DictReader(file)
            if row["memory_mode"] == "sram_only"
        }


def measure(network: str, preset: str, ethos: dict[tuple[str, int], int]) -> Point:
    """Run the network's first case; it must be bit-exact."""
    folder = SHARED / "models" / network
    graph = load_tflite(folder / "model.tflite")
    case = next(golden_cases(folder, len(graph.inputs), len(graph.outputs)))
    with InferenceSession(folder / "model.tflite", device=f"sim:{preset}") as session:
        names = [entry.name for entry in session.get_inputs()]
        outputs = session.run(None, dict(zip(names, case.inputs, strict=True)))
        for output, golden in zip(outputs, case.outputs, strict=True):
            np.testing.assert_array_equal(output, golden)
        profile = session.profile()
        macs = session.program.config.macs
        return Point(
            network,
            macs,
            profile.cycles,
            ethos[network, macs],
            profile.mac_utilization,
            session.program.host_operators,
        )


def geometric_mean(points: list[Point]) -> float:
    """Of the ratios."""
    return math.exp(sum(math.log(point.ratio) for point in points) / len(points))


def table(points: list[Point]) -> str:
    """Markdown: a line a point, the geometric mean of the scored ones at the end."""
    lines = [
        "| network | MACs a cycle | cycles | Ethos-U55 | ratio | utilisation | on the host |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for point in points:
        lines.append(
            f"| {point.network} | {point.macs_per_cycle} | {point.cycles:,} | {point.ethos_cycles:,} "
            f"| {point.ratio:.3f} | {point.utilization:.1%} | {', '.join(point.host_operators)} |"
        )
    scored = [point for point in points if point.network in SCORED]
    lines.append("")
    lines.append(
        f"Geometric mean of the ratio over the {len(scored)} points of the {len(SCORED)} MLPerf Tiny networks: "
        f"**{geometric_mean(scored):.4f}**, the highest {max(point.ratio for point in scored):.3f}."
    )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write the page."""
    ethos = ethos_cycles()
    runs = [(network, preset) for preset in PRESETS for network in NETWORKS]
    points = [
        measure(network, preset, ethos)
        for network, preset in track(runs, "Running networks", console=Console(stderr=True))
    ]
    points.sort(key=lambda point: (point.network, point.macs_per_cycle))
    text = table(points)
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
    print(text)


if __name__ == "__main__":
    main()
