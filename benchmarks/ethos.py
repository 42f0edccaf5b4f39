"""Cycles of the published networks on the RTL, beside Arm's estimate for its Ethos-U55 at the same MACs.

    make bench-ethos                (or python -m benchmarks.ethos, in the checkout)

Every point runs the first golden case on the simulated engine, compares its bits, and takes the cycles from the
engine's own counter. The tables go to the terminal and into docs/performance.md.
"""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.profile import LayerProfile
from celosia.host.program import Program
from celosia.host.session import InferenceSession
from celosia.host.tflite import load_tflite
from tests.models.networks import NETWORKS, golden_cases

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- ethos:begin -->", "<!-- ethos:end -->"
SCORED = tuple(network for network in NETWORKS if network.startswith("mlperf_"))
SMALL_BUFFER_KIB = 64
PORT_BYTES = 8
LAYERS_SHOWN = 5
CAUSES = {
    "active": "reads whose lanes or cores have less than a MAC each to do",
    "stall_weights": "waiting for weights",
    "stall_ifm": "waiting for LOAD",
    "stall_ofm": "waiting for the output stage, or for a map that another layer writes",
    "stall_dma": "no COMPUTE at hand: start, end, or movement alone",
}


@dataclass(frozen=True)
class Point:
    """One network on one engine; `bytes_moved` is what must pass the port at least once."""

    network: str
    macs_per_cycle: int
    cycles: int
    ethos_cycles: int
    macs: int
    bytes_moved: int
    host_operators: tuple[str, ...]
    layers: tuple[LayerProfile, ...]

    @property
    def ratio(self) -> float:
        """Our cycles for one of Arm's."""
        return self.cycles / self.ethos_cycles

    @property
    def utilization(self) -> float:
        """Of the multipliers."""
        return self.macs / (self.cycles * self.macs_per_cycle)

    @property
    def floor(self) -> int:
        """Cycles at the peak rate of the multipliers or of the port, the slower of the two."""
        return max(-(-self.macs // self.macs_per_cycle), -(-self.bytes_moved // PORT_BYTES))


@dataclass(frozen=True)
class LostLayer:
    """A layer and the cycles that it takes beyond its floor."""

    point: Point
    layer: LayerProfile
    floor: int

    @property
    def share(self) -> float:
        """Of the whole network's cycles."""
        return (self.layer.cycles - self.floor) / self.point.cycles

    @property
    def causes(self) -> str:
        """Where the lost cycles are, the largest first; what makes less than a tenth of them is left out."""
        lost = {name: getattr(self.layer, name) for name in CAUSES}
        lost["active"] = max(0, lost["active"] - self.floor)
        total = sum(lost.values())
        largest = sorted(lost, key=lambda name: -lost[name])
        return "; ".join(f"{lost[name]:,} {CAUSES[name]}" for name in largest if 10 * lost[name] >= total > 0)


def ethos_cycles() -> dict[tuple[str, int], int]:
    """Arm's estimates, everything in one SRAM, by network and MACs a cycle."""
    with (SHARED / "anchors" / "ethos_u55.csv").open(newline="") as file:
        return {
            (row["model"], int(row["macs_per_cycle"])): int(row["cycles_total"])
            for row in csv.DictReader(file)
            if row["memory_mode"] == "sram_only"
        }


def bytes_moved(program: Program) -> int:
    """Constants (weights as they are stored), inputs and outputs, each once; no commands, no maps in between."""
    return sum(
        section.queue_offset + section.input_bytes + section.output_bytes
        for section in program.engine_sections
    )


def measure(network: str, preset: str, settings: Sequence[str], ethos: dict[tuple[str, int], int]) -> Point:
    """Run the network's first case; it must be bit-exact."""
    folder = SHARED / "models" / network
    graph = load_tflite(folder / "model.tflite")
    case = next(golden_cases(folder, len(graph.inputs), len(graph.outputs)))
    with InferenceSession(folder / "model.tflite", device=f"sim:{preset}", settings=settings) as session:
        names = [entry.name for entry in session.get_inputs()]
        outputs = session.run(None, dict(zip(names, case.inputs, strict=True)))
        for output, golden in zip(outputs, case.outputs, strict=True):
            np.testing.assert_array_equal(output, golden)
        profile, program = session.profile(), session.program
        return Point(
            network,
            program.config.peak_macs,
            profile.cycles,
            ethos[network, program.config.peak_macs],
            profile.macs,
            bytes_moved(program),
            program.host_operators,
            profile.layers,
        )


def geometric_mean(ratios: Iterable[float]) -> float:
    """Of positive numbers."""
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms))


def mean_line(points: Sequence[Point]) -> str:
    """The score."""
    scored = [point for point in points if point.network in SCORED]
    return (
        f"Geometric mean of the ratio over the {len(scored)} points of the {len(SCORED)} MLPerf Tiny networks: "
        f"**{geometric_mean(point.ratio for point in scored):.4f}**, the highest "
        f"{max(point.ratio for point in scored):.3f}"
    )


def main_table(points: Sequence[Point]) -> str:
    """A line a point, the geometric means at the end."""
    lines = [
        "| network | MACs a cycle | cycles | Ethos-U55 | ratio | utilisation | floor | cycles / floor | on the host |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for point in points:
        lines.append(
            f"| {point.network} | {point.macs_per_cycle} | {point.cycles:,} | {point.ethos_cycles:,} "
            f"| {point.ratio:.3f} | {point.utilization:.1%} | {point.floor:,} | {point.cycles / point.floor:.2f} "
            f"| {', '.join(point.host_operators)} |"
        )
    scored = [point for point in points if point.network in SCORED]
    at_floor = geometric_mean(point.floor / point.ethos_cycles for point in scored)
    lines += ["", f"{mean_line(points)}; at the floor it would be {at_floor:.4f}."]
    return "\n".join(lines)


def small_table(points: Sequence[Point]) -> str:
    """A line a network, a column an engine, with the small buffer."""
    engines = sorted({point.macs_per_cycle for point in points})
    lines = [
        f"With a buffer of {SMALL_BUFFER_KIB} KiB in every engine, cycles and ratio:",
        "",
        f"| network | {' | '.join(f'{macs} MACs' for macs in engines)} |",
        f"|---|{'--:|' * len(engines)}",
    ]
    cells = {
        (point.network, point.macs_per_cycle): f"{point.cycles:,} ({point.ratio:.3f})" for point in points
    }
    for network in NETWORKS:
        lines.append(f"| {network} | {' | '.join(cells[network, macs] for macs in engines)} |")
    return "\n".join([*lines, "", f"{mean_line(points)}."])


def farthest_layers(points: Sequence[Point]) -> list[LostLayer]:
    """The layers of the scored networks that lose most of their network's cycles, each on its worst engine."""
    worst: dict[tuple[str, str], LostLayer] = {}
    for point in points:
        if point.network not in SCORED:
            continue
        for layer in point.layers:
            moved = layer.bytes_read + layer.bytes_written
            floor = max(-(-layer.macs // point.macs_per_cycle), -(-moved // PORT_BYTES))
            lost, place = LostLayer(point, layer, floor), (point.network, layer.name)
            if place not in worst or lost.share > worst[place].share:
                worst[place] = lost
    return sorted(worst.values(), key=lambda lost: -lost.share)[:LAYERS_SHOWN]


def farthest_table(points: Sequence[Point]) -> str:
    """Where the cycles beyond the floor go."""
    lines = [
        f"The {LAYERS_SHOWN} layers furthest from their floor, by the share of their network's cycles that they lose, "
        "each on the engine where it loses most. A layer's floor is what its MACs, and the bytes that pass the port "
        "meanwhile, take at the peak rate.",
        "",
        "| network | layer | MACs a cycle | cycles | floor | lost of the network | cycles lost to |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for lost in farthest_layers(points):
        lines.append(
            f"| {lost.point.network} | {lost.layer.name} | {lost.point.macs_per_cycle} | {lost.layer.cycles:,} "
            f"| {lost.floor:,} | {lost.share:.1%} | {lost.causes} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write the page."""
    ethos = ethos_cycles()
    runs = [
        (network, preset, settings)
        for settings in ((), (f"buffer_kib={SMALL_BUFFER_KIB}",))
        for preset in PRESETS
        for network in NETWORKS
    ]
    measured = [
        (settings, measure(network, preset, settings, ethos))
        for network, preset, settings in track(runs, "Running networks", console=Console(stderr=True))
    ]
    points = [point for settings, point in measured if not settings]
    points.sort(key=lambda point: (point.network, point.macs_per_cycle))
    small = [point for settings, point in measured if settings]
    text = "\n\n".join([main_table(points), farthest_table(points), small_table(small)])
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
