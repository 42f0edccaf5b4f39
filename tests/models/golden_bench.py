"""A published network on the simulated engine, against its golden outputs."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import PRESETS
from celosia.host.tflite import load_tflite
from tests.engine_bench import EngineBench
from tests.models.networks import golden_cases

__all__ = ["check_golden"]


def check_golden(
    models: Path, network: str, preset: str, buffer_kib: int, memory: MemoryModel, cases: int | None
) -> int:
    """Run the first `cases` of a network (None: all): every bit, every predicted cycle. Returns the cycles of one."""
    config = replace(PRESETS[preset], buffer_kib=buffer_kib)
    graph = load_tflite(models / network / "model.tflite")
    bench = EngineBench(graph, config, memory)
    golden = golden_cases(models / network, len(graph.inputs), len(graph.outputs))
    for case in islice(golden, cases):
        for actual, expected in zip(bench.run(case.inputs), case.outputs, strict=True):
            np.testing.assert_array_equal(
                actual, expected, err_msg=f"{network} on {preset}, case {case.name}"
            )
    return bench.cycles
