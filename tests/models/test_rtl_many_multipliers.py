"""Engines larger than any preset, with the cores of 512 and 1024 multipliers: real networks on their RTL."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.tflite import load_tflite
from tests.engine_bench import EngineBench
from tests.models.networks import NETWORKS, golden_cases


@pytest.mark.slow
@pytest.mark.parametrize("macs", [512, 1024])
@pytest.mark.parametrize("network", NETWORKS)
def test_first_cases_are_bit_exact_in_the_predicted_cycles(
    shared_models: Path, network: str, macs: int
) -> None:
    folder = shared_models / network
    graph = load_tflite(folder / "model.tflite")
    bench = EngineBench(graph, replace(PRESETS["u55-256"], macs=macs))
    for case in islice(golden_cases(folder, len(graph.inputs), len(graph.outputs)), 2):
        for actual, expected in zip(bench.run(case.inputs), case.outputs, strict=True):
            np.testing.assert_array_equal(actual, expected, err_msg=f"{network}, case {case.name}")
