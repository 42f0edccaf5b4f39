"""Feature maps larger than the unified buffer on the generated RTL: same bits, and the cycles that were predicted."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.families import find_preset
from celosia.host.reference import run_graph
from celosia.host.tflite import parse_tflite
from tests.engine_bench import EngineBench
from tests.families import DEFAULTS, often
from tests.large_maps import OPERATORS, random_large_model
from tests.tflite_writer import random_inputs

FILES = 10


@pytest.mark.parametrize("preset", often(DEFAULTS))
@pytest.mark.parametrize("operator", OPERATORS)
def test_maps_of_several_writers(operator: str, preset: str) -> None:
    config = replace(find_preset(preset), buffer_kib=32)
    largest = 0
    for seed in range(FILES):
        data, description = random_large_model(operator, seed)
        graph = parse_tflite(data, description).require_graph()
        bench = EngineBench(graph, config)
        assert not bench.program.host_operators, description
        largest = max(largest, *(tensor.size for tensor in graph.tensors if not tensor.is_constant))
        inputs = random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], seed)
        (actual,), (expected,) = bench.run(inputs), run_graph(graph, inputs)
        np.testing.assert_array_equal(actual, expected, err_msg=description)
    assert largest > config.buffer_kib * 1024
