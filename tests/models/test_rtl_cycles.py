"""Real networks on the generated RTL, in every buffer and behind every memory: exactly the predicted cycles.

Points that share an engine run in one process, which builds or finds it once.
"""

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import PRESETS
from tests.commit_seed import commit_seed
from tests.cycle_report import report_cycles
from tests.families import OFTEN_BUILT, SIMULATED
from tests.models.golden_bench import check_golden
from tests.models.networks import NETWORKS

BUFFERS = (32, 64, 128, 256)
MEMORIES = tuple(
    MemoryModel(latency=latency, bytes_per_cycle=Fraction(rate)) for latency in (32, 100) for rate in (8, 2)
)
BUILT = (
    *((preset, PRESETS[preset].buffer_kib) for preset in OFTEN_BUILT),
    ("u55-128", 32),
)
"""Engines (preset, KiB of buffer) that other tests need as well."""

Point = tuple[str, str, int, MemoryModel]
RecordProperty = Callable[[str, object], None]


def points(preset: str, buffer_kib: int) -> list[Point]:
    return [(network, preset, buffer_kib, memory) for network in NETWORKS for memory in MEMORIES]


def drawn_points() -> list[Point]:
    """Twelve on engines that there are, four on one more."""
    draw = random.Random(commit_seed())
    others = [(preset, kib) for preset in OFTEN_BUILT for kib in BUFFERS if (preset, kib) not in BUILT]
    return [
        *draw.sample([point for engine in BUILT for point in points(*engine)], 12),
        *draw.sample(points(*draw.choice(others)), 4),
    ]


def grouped(chosen: list[Point]) -> list[object]:
    return [
        pytest.param(*point, marks=pytest.mark.xdist_group(f"{point[1]} {point[2]} KiB")) for point in chosen
    ]


def identify(value: object) -> str | None:
    if isinstance(value, MemoryModel):
        return f"latency {value.latency}, {value.bytes_per_cycle} bytes a cycle"
    return None


@pytest.mark.parametrize(("network", "preset", "buffer_kib", "memory"), grouped(drawn_points()), ids=identify)
def test_cycles_are_as_predicted_at_points_drawn_by_the_commit(
    shared_models: Path,
    network: str,
    preset: str,
    buffer_kib: int,
    memory: MemoryModel,
    record_property: RecordProperty,
) -> None:
    cycles = check_golden(shared_models, network, preset, buffer_kib, memory, 1)
    report_cycles(record_property, network, preset, buffer_kib, memory, cycles)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "preset", "buffer_kib", "memory"),
    grouped([point for preset in SIMULATED for kib in BUFFERS for point in points(preset, kib)]),
    ids=identify,
)
def test_cycles_are_as_predicted_everywhere(
    shared_models: Path,
    network: str,
    preset: str,
    buffer_kib: int,
    memory: MemoryModel,
    record_property: RecordProperty,
) -> None:
    cycles = check_golden(shared_models, network, preset, buffer_kib, memory, 1)
    report_cycles(record_property, network, preset, buffer_kib, memory, cycles)
