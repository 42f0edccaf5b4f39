"""Real networks on the generated RTL: every bit of the golden outputs, every cycle as predicted."""

import random
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.tflite import load_tflite
from tests.commit_seed import commit_seed
from tests.engine_bench import EngineBench
from tests.models.networks import NETWORKS, golden_cases

MLPERF = tuple(network for network in NETWORKS if network.startswith("mlperf_"))
BUFFERS = (32, 64, 128, 256)
MEMORIES = tuple(
    MemoryModel(latency=latency, bytes_per_cycle=Fraction(rate)) for latency in (32, 100) for rate in (8, 2)
)


def check(
    folder: Path, network: str, preset: str, buffer_kib: int, memory: MemoryModel, cases: int | None
) -> None:
    """Run the first `cases` of a network (None: all) against its golden outputs; the bench compares the cycles."""
    config = replace(PRESETS[preset], buffer_kib=buffer_kib)
    graph = load_tflite(folder / network / "model.tflite")
    bench = EngineBench(graph, config, memory)
    golden = golden_cases(folder / network, len(graph.inputs), len(graph.outputs))
    for case in islice(golden, cases):
        for actual, expected in zip(bench.run(case.inputs), case.outputs, strict=True):
            np.testing.assert_array_equal(
                actual, expected, err_msg=f"{network} on {preset}, case {case.name}"
            )


@pytest.mark.parametrize("network", NETWORKS)
def test_every_case_is_bit_exact_on_u55_128(shared_models: Path, network: str) -> None:
    check(shared_models, network, "u55-128", 128, MemoryModel(), None)


@pytest.mark.parametrize("network", MLPERF)
@pytest.mark.parametrize("preset", ["u55-32", "u55-64", "u55-256"])
def test_first_cases_are_bit_exact_on_the_other_presets(
    shared_models: Path, network: str, preset: str
) -> None:
    check(shared_models, network, preset, PRESETS[preset].buffer_kib, MemoryModel(), 2)


@pytest.mark.slow
@pytest.mark.parametrize("network", MLPERF)
@pytest.mark.parametrize("preset", ["u55-32", "u55-64", "u55-256"])
def test_every_case_is_bit_exact_on_the_other_presets(shared_models: Path, network: str, preset: str) -> None:
    check(shared_models, network, preset, PRESETS[preset].buffer_kib, MemoryModel(), None)


@pytest.mark.parametrize("network", ["cfu_mbv2_035_160", "mlperf_ic_resnet8", "mlperf_vww_mbv1_025_96"])
def test_maps_larger_than_the_buffer_are_tiled(shared_models: Path, network: str) -> None:
    check(shared_models, network, "u55-128", 32, MemoryModel(), 1)


def _points() -> list[tuple[str, str, int, MemoryModel]]:
    return [
        (network, preset, buffer_kib, memory)
        for preset in PRESETS
        for buffer_kib in BUFFERS
        for network in NETWORKS
        for memory in MEMORIES
    ]


def _identify(value: object) -> str | None:
    if isinstance(value, MemoryModel):
        return f"latency {value.latency}, {value.bytes_per_cycle} bytes a cycle"
    return None


@pytest.mark.parametrize(
    ("network", "preset", "buffer_kib", "memory"),
    random.Random(commit_seed()).sample(
        [point for point in _points() if point[1:3] in {("u55-128", 32), ("u55-128", 128), ("u55-64", 128)}],
        12,
    ),
    ids=_identify,
)
def test_cycles_are_as_predicted_at_points_drawn_by_the_commit(
    shared_models: Path, network: str, preset: str, buffer_kib: int, memory: MemoryModel
) -> None:
    check(shared_models, network, preset, buffer_kib, memory, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "preset", "buffer_kib", "memory"), _points(), ids=_identify)
def test_cycles_are_as_predicted_everywhere(
    shared_models: Path, network: str, preset: str, buffer_kib: int, memory: MemoryModel
) -> None:
    check(shared_models, network, preset, buffer_kib, memory, 1)
