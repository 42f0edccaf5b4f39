"""The reference kernels reproduce the golden outputs of every published network, before any hardware."""

from pathlib import Path

import numpy as np
import pytest

from celosia.host.reference import run_graph
from celosia.host.tflite import load_tflite

NETWORKS = (
    "cfu_magic_wand",
    "cfu_mbv2_035_160",
    "mlperf_ad01_fc_ae",
    "mlperf_ic_resnet8",
    "mlperf_kws_dscnn",
    "mlperf_sww_strm",
    "mlperf_vww_mbv1_025_96",
    "tflm_hello_world",
    "tflm_micro_speech",
)


def test_every_shared_network_is_tested(shared_models: Path) -> None:
    assert {folder.name for folder in shared_models.iterdir() if folder.is_dir()} == set(NETWORKS)


@pytest.mark.parametrize("network", NETWORKS)
def test_outputs_equal_the_golden_ones(shared_models: Path, network: str) -> None:
    graph = load_tflite(shared_models / network / "model.tflite")
    with np.load(shared_models / network / "cases.npz") as cases:
        names = sorted({key.rsplit(".", 1)[0] for key in cases.files})
        assert names
        for name in names:
            inputs = [cases[f"{name}.in{index}"] for index in range(len(graph.inputs))]
            for index, output in enumerate(run_graph(graph, inputs)):
                golden = cases[f"{name}.out{index}"]
                assert output.dtype == golden.dtype
                np.testing.assert_array_equal(output, golden, err_msg=f"case {name}, output {index}")
