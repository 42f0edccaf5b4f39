"""The published networks with golden outputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["NETWORKS", "GoldenCase", "golden_cases"]

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


@dataclass(frozen=True)
class GoldenCase:
    """Inputs and golden outputs, in the network's order."""

    name: str
    inputs: list[np.ndarray]
    outputs: list[np.ndarray]


def golden_cases(folder: Path, inputs: int, outputs: int) -> Iterator[GoldenCase]:
    """The cases of the network in `folder`, by rising name."""
    with np.load(folder / "cases.npz") as arrays:
        names = sorted({key.rsplit(".", 1)[0] for key in arrays.files})
        assert names
        for name in names:
            yield GoldenCase(
                name,
                [arrays[f"{name}.in{index}"] for index in range(inputs)],
                [arrays[f"{name}.out{index}"] for index in range(outputs)],
            )
