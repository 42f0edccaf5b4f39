"""Damaged model files that are still accepted run on the generated RTL, and compute what their graph says."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.families import find_preset
from celosia.host.errors import ModelError
from celosia.host.graph import Graph
from celosia.host.reference import run_graph
from celosia.host.tflite import parse_tflite
from tests.engine_bench import EngineBench
from tests.families import DEFAULTS
from tests.models.networks import NETWORKS
from tests.tflite_mutator import mutate
from tests.tflite_writer import random_inputs

SURVIVORS = 50
LARGE = {"cfu_mbv2_035_160"}
"""Seconds an inference: one survivor is enough."""


def survivors(content: bytes, network: str) -> Iterator[tuple[str, Graph]]:
    """Mutations that differ from the original and are accepted."""
    for seed in count(7000):
        mutated, what = mutate(content, seed)
        try:
            graph = parse_tflite(mutated, f"{network} seed {seed}: {what}").require_graph()
        except ModelError:
            continue
        if mutated != content:
            yield what, graph


@pytest.mark.parametrize("preset", DEFAULTS)
@pytest.mark.parametrize("network", NETWORKS)
def test_survivors_are_bit_exact(shared_models: Path, network: str, preset: str) -> None:
    content = (shared_models / network / "model.tflite").read_bytes()
    wanted = 1 if network in LARGE else -(-(SURVIVORS - len(LARGE)) // (len(NETWORKS) - len(LARGE)))
    for seed, (what, graph) in zip(range(wanted), survivors(content, network), strict=False):
        inputs = random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], seed)
        bench = EngineBench(graph, find_preset(preset))
        for actual, expected in zip(bench.run(inputs), run_graph(graph, inputs), strict=True):
            np.testing.assert_array_equal(actual, expected, err_msg=f"{graph.file}, {what}")
