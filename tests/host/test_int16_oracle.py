"""The kernels of int16 activations against TensorFlow Lite Micro, over each operator's whole stated range."""

from collections.abc import Iterator

import numpy as np
import pytest

from celosia.host.errors import ModelError
from celosia.host.reference import run_graph
from celosia.host.tflite import parse_tflite
from tests.tflite_int16_writer import INT16_OPERATORS, random_int16_model
from tests.tflite_oracle import OracleRejects, TfliteMicroOracle
from tests.tflite_writer import random_inputs

FILES_PER_OPERATOR = 100


@pytest.fixture(scope="module")
def oracle() -> Iterator[TfliteMicroOracle]:
    with TfliteMicroOracle() as oracle:
        yield oracle


@pytest.mark.parametrize("operator", INT16_OPERATORS)
def test_outputs_equal_tflite_micro(oracle: TfliteMicroOracle, operator: str) -> None:
    refused = varied = 0
    for seed in range(FILES_PER_OPERATOR):
        data, description = random_int16_model(operator, seed)
        try:
            graph = parse_tflite(data, description).require_graph()
        except ModelError:
            refused += 1  # rescaling factors and activation bounds beyond their ranges
            continue
        inputs = random_inputs([(graph.tensor(index).shape, "int16") for index in graph.inputs], seed)
        try:
            (expected,) = oracle.run(data, inputs)
        except OracleRejects as rejection:
            raise AssertionError(description) from rejection
        (output,) = run_graph(graph, inputs)
        assert output.dtype == expected.dtype == np.int16
        np.testing.assert_array_equal(output, expected, err_msg=description)
        varied += np.unique(expected).size > 2
    assert refused <= FILES_PER_OPERATOR // 8, "the files must test kernels, not refusals"
    assert varied >= FILES_PER_OPERATOR // 4, "the results must not all be clamped"
