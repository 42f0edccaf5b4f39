"""The reference kernels reproduce the golden outputs of every published network, before any hardware."""

from pathlib import Path

import numpy as np
import pytest

from celosia.host.reference import run_graph
from celosia.host.tflite import load_tflite
from tests.models.networks import NETWORKS, golden_cases


def test_every_shared_network_is_tested(shared_models: Path) -> None:
    assert {folder.name for folder in shared_models.iterdir() if folder.is_dir()} == set(NETWORKS)


@pytest.mark.parametrize("network", NETWORKS)
def test_outputs_equal_the_golden_ones(shared_models: Path, network: str) -> None:
    graph = load_tflite(shared_models / network / "model.tflite")
    for case in golden_cases(shared_models / network, len(graph.inputs), len(graph.outputs)):
        for index, output in enumerate(run_graph(graph, case.inputs)):
            golden = case.outputs[index]
            assert output.dtype == golden.dtype
            np.testing.assert_array_equal(output, golden, err_msg=f"case {case.name}, output {index}")
