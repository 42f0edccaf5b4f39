"""The reference kernels against TensorFlow Lite Micro: 2,000 files over each operator's whole stated range."""

from collections.abc import Iterator

import numpy as np
import pytest

from celosia.hdl.arithmetic_model import multiply_by_quantized_multiplier, quantize_multiplier
from celosia.host.errors import ModelError
from celosia.host.graph import Graph
from celosia.host.reference import run_graph
from celosia.host.tflite import parse_tflite
from tests.tflite_builder import ModelBuilder
from tests.tflite_oracle import OracleRejects, TfliteMicroOracle
from tests.tflite_writer import BATCHED, OPERATORS, random_inputs, random_model

FILES_PER_OPERATOR = 100
BATCHES = 20


@pytest.fixture(scope="module")
def oracle() -> Iterator[TfliteMicroOracle]:
    with TfliteMicroOracle() as oracle:
        yield oracle


def test_there_are_2000_files() -> None:
    assert len(OPERATORS) * FILES_PER_OPERATOR >= 2000


def accepted(oracle: TfliteMicroOracle, data: bytes, description: str, seed: int) -> Graph | None:
    """The graph of a file; None of one that the oracle must reject, too: activation bounds beyond 32 bits."""
    try:
        return parse_tflite(data, description).require_graph()
    except ModelError:
        with pytest.raises(OracleRejects):
            oracle.run(data, _inputs_of_file(data, seed))
        return None


@pytest.mark.parametrize("operator", OPERATORS)
def test_outputs_equal_tflite_micro(oracle: TfliteMicroOracle, operator: str) -> None:
    refused = varied = 0
    for seed in range(FILES_PER_OPERATOR):
        data, description = random_model(operator, seed)
        graph = accepted(oracle, data, description, seed)
        if graph is None:
            refused += 1
            continue
        inputs = random_inputs(
            [(graph.tensor(index).shape, graph.tensor(index).dtype) for index in graph.inputs], seed
        )
        (expected,) = oracle.run(data, inputs)
        (output,) = run_graph(graph, inputs)
        assert output.dtype == expected.dtype
        np.testing.assert_array_equal(output, expected, err_msg=description)
        varied += np.unique(expected).size > 2
    assert refused <= FILES_PER_OPERATOR // 20, "the files must test kernels, not refusals"
    assert varied >= FILES_PER_OPERATOR // 4, "the results must not all be clamped"


@pytest.mark.parametrize("operator", BATCHED)
def test_outputs_for_batches_equal_tflite_micro(oracle: TfliteMicroOracle, operator: str) -> None:
    refused = 0
    for seed in range(BATCHES):
        data, description = random_model(operator, seed, more_images=1 + seed % 3)
        graph = accepted(oracle, data, description, seed)
        if graph is None:
            refused += 1
            continue
        inputs = random_inputs(
            [(graph.tensor(index).shape, graph.tensor(index).dtype) for index in graph.inputs], seed
        )
        np.testing.assert_array_equal(
            run_graph(graph, inputs)[0], oracle.run(data, inputs)[0], err_msg=description
        )
    assert refused <= BATCHES // 10, "the files must test kernels, not refusals"


def _inputs_of_file(data: bytes, seed: int) -> list[np.ndarray]:
    surveyed = parse_tflite(data, "refused").operators[0]
    return random_inputs([(tensor.shape, tensor.dtype) for tensor in surveyed.inputs[:1]], seed)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_every_pair_of_operands(oracle: TfliteMicroOracle, kind: str) -> None:
    """A last-bit error of a multiplier shows in few elements: all 65,536 pairs, at several scales."""
    values = np.arange(-128, 128).astype(np.int8)
    inputs = [values.reshape(256, 1), values.reshape(1, 256)]
    generator = np.random.default_rng(7)
    for _ in range(8):
        left, right = 2.0 ** generator.uniform(-8, -1, 2)
        ofm_scale = left * right * 32 if kind == "MUL" else max(left, right) * 1.7
        model = ModelBuilder()
        operands = [
            model.tensor(
                (256, 1), scale=float(np.float32(left)), zero_point=int(generator.integers(-128, 128))
            ),
            model.tensor(
                (1, 256), scale=float(np.float32(right)), zero_point=int(generator.integers(-128, 128))
            ),
        ]
        ofm = model.tensor((256, 256), scale=float(np.float32(ofm_scale)), zero_point=-3)
        model.operator(kind, operands, [ofm], f"{kind.title()}Options", fusedActivationFunction=0)
        data = model.pack(operands, [ofm])
        (expected,) = oracle.run(data, inputs)
        (output,) = run_graph(parse_tflite(data, kind).require_graph(), inputs)
        np.testing.assert_array_equal(output, expected)


def _weights_of_zero(
    kind: str, scales: tuple[float, float, float], biases: np.ndarray
) -> tuple[bytes, np.ndarray]:
    """A layer whose accumulators are ``biases``, for ifm, weights and ofm ``scales``; and its input."""
    pixel = () if kind == "FULLY_CONNECTED" else (1, 1)
    model = ModelBuilder()
    ifm = model.tensor((1, *pixel, 1), scale=scales[0])
    shape = (biases.size, *pixel, 1)
    weights = model.tensor(shape, scale=scales[1], data=np.zeros(shape, np.int8))
    bias = model.tensor((biases.size,), "int32", float(np.float32(scales[0] * scales[1])), data=biases)
    ofm = model.tensor((1, *pixel, biases.size), scale=scales[2])
    if kind == "FULLY_CONNECTED":
        model.operator(kind, [ifm, weights, bias], [ofm], "FullyConnectedOptions", fusedActivationFunction=0)
    else:
        ones = dict.fromkeys(("strideH", "strideW", "dilationHFactor", "dilationWFactor"), 1)
        model.operator(kind, [ifm, weights, bias], [ofm], "Conv2DOptions", padding=1, **ones)
    return model.pack([ifm], [ofm]), np.zeros((1, *pixel, 1), np.int8)


@pytest.mark.parametrize("kind", ["FULLY_CONNECTED", "CONV_2D"])
def test_the_product_of_scales_is_taken_in_double_precision(oracle: TfliteMicroOracle, kind: str) -> None:
    """Accumulators at which a product of scales rounded to float32 would give another result."""
    generator = np.random.default_rng(8)
    tested = 0
    for _ in range(40):
        ifm_scale, weights_scale = (np.float32(scale) for scale in 2.0 ** generator.uniform(-8, -1, 2))
        product = float(ifm_scale) * float(weights_scale)
        ofm_scale = float(np.float32(product * 2.0 ** generator.uniform(8, 14)))
        accumulators = np.arange(int(-128 * ofm_scale / product), int(128 * ofm_scale / product))
        exact, rounded = (
            multiply_by_quantized_multiplier(accumulators, *quantize_multiplier(real / ofm_scale))
            for real in (product, float(ifm_scale * weights_scale))
        )
        biases = accumulators[exact != rounded].astype(np.int32)
        if biases.size:
            data, ifm = _weights_of_zero(kind, (float(ifm_scale), float(weights_scale), ofm_scale), biases)
            (expected,) = oracle.run(data, [ifm])
            (output,) = run_graph(parse_tflite(data, kind).require_graph(), [ifm])
            np.testing.assert_array_equal(output, expected)
            tested += biases.size
    assert tested >= 20
