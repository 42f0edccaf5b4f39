"""Networks from the graph builder, a batch in one command list, on the RTL of every family: bits and cycles."""

import numpy as np
import pytest

import celosia
from celosia.generators.families import find_preset
from celosia.host.compiler import compile_graph
from celosia.host.reference import run_graph
from tests.built_graphs import BUILT
from tests.engine_bench import EngineBench
from tests.families import SMALLEST
from tests.tflite_writer import random_inputs

IMAGES = 3
ON_HOST = {"QUANTIZE", "DEQUANTIZE", "SOFTMAX"}
"""What no family must compute."""


@pytest.mark.parametrize("preset", SMALLEST)
@pytest.mark.parametrize("name", BUILT)
def test_a_batch_is_bit_exact_and_takes_the_predicted_cycles(name: str, preset: str) -> None:
    graph = BUILT[name](IMAGES)
    bench = EngineBench(graph, find_preset(preset))
    inputs = random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], 7)
    for actual, expected in zip(bench.run(inputs), run_graph(graph, inputs), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("preset", SMALLEST)
@pytest.mark.parametrize("name", BUILT)
def test_a_batch_is_one_command_list_between_what_the_host_computes(name: str, preset: str) -> None:
    program = compile_graph(BUILT[name](IMAGES), find_preset(preset))
    assert len(program.engine_sections) == 1
    assert {operator.split(" ")[0] for operator in program.host_operators} <= ON_HOST


def test_a_session_takes_a_network_that_was_built() -> None:
    graph = BUILT["depthwise"](2)
    (image,) = random_inputs([((2, 8, 8, 8), "int8")], 3)
    with celosia.InferenceSession(graph, device=f"sim:{SMALLEST[0]}") as session:
        (output,) = session.run(None, {"input0": image})
        assert session.profile().cycles == session.profile().predicted_cycles > 0
    np.testing.assert_array_equal(output, run_graph(graph, [image])[0])
