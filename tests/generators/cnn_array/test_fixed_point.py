"""Fixed-point networks on the CNN array: its command interpreter, and its RTL, against the NumPy kernels."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.fixed_point import FixedPointScaling
from celosia.generators.cnn_array.config import PRESETS, CnnArrayConfig
from celosia.generators.mac_engine.config import PRESETS as MAC_ENGINES
from celosia.host.binary_point import Rounding
from celosia.host.compiler import compile_graph
from celosia.host.fixed_point_builder import FixedPointBuilder
from celosia.host.graph import Graph
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from tests.engine_bench import EngineBench
from tests.interpreter_device import InterpreterDevice

FIXED_16 = PRESETS["catapult-8x8-fixed16"]
FIXED_18 = replace(FIXED_16, operand_bits=18)


def network(bits: int, rounding: Rounding, images: int = 1) -> Graph:
    """Every kind of operator that is on the array, with results that do not all saturate."""
    draw, limit = np.random.default_rng(bits), 1 << bits - 1
    builder = FixedPointBuilder("fixed", bits=bits, rounding=rounding)

    def weights(*shape: int) -> np.ndarray:
        return draw.integers(-limit, limit, shape)

    image = builder.input((images, 7, 9, 5), fraction_bits=bits - 4)
    hidden = builder.convolution(
        image,
        weights(12, 3, 3, 5),
        bits - 1,
        fraction_bits=bits - 7,
        stride=(2, 2),
        bias=draw.integers(-limit * limit, limit * limit, 12),
        activation="RELU",
    )
    pooled = builder.max_pool(hidden, (2, 2), stride=(1, 1), padding="SAME")
    mean = builder.average_pool(hidden, (2, 2), stride=(1, 1), padding="SAME")
    summed = builder.add(pooled, mean, fraction_bits=bits - 8)
    pooled = builder.subtract(summed, pooled, fraction_bits=bits - 8, activation="RELU")
    apart = builder.depthwise_convolution(pooled, weights(3, 3, 12), bits - 1, fraction_bits=bits - 9)
    padded = builder.relu(builder.pad(apart, (0, 1, 2, 0), (0, 0, 1, 0)))
    flat = builder.reshape(padded, (images, -1))
    logits = builder.fully_connected(flat, weights(10, flat.shape[1]), bits + 2, fraction_bits=bits - 9)
    return builder.build([logits, hidden])


def image(graph: Graph, seed: int) -> np.ndarray:
    tensor = graph.tensor(graph.inputs[0])
    low, high = tensor.numbers.limits
    return np.random.default_rng(seed).integers(low, high + 1, tensor.shape).astype(tensor.dtype)


@pytest.mark.parametrize("rounding", ["EVEN", "AWAY"])
@pytest.mark.parametrize("config", [FIXED_16, FIXED_18], ids=["16", "18"])
def test_the_command_interpreter_agrees_with_the_kernels(config: CnnArrayConfig, rounding: Rounding) -> None:
    graph = network(config.operand_bits, rounding, images=2)
    program = compile_graph(graph, config)
    assert not program.host_operators
    given = image(graph, 1)
    values = Runtime(program, InterpreterDevice(config)).run([given])
    for output, expected in zip(program.outputs, run_graph(graph, [given]), strict=True):
        assert (expected[0] != expected[1]).any()
        assert len(np.unique(expected)) > 10
        np.testing.assert_array_equal(values[output], expected)


def sums(bits: int, rounding: Rounding) -> Graph:
    """ADD and SUB of every order and alignment, and operands that repeat over the other."""
    builder = FixedPointBuilder("sums", bits=bits, rounding=rounding)
    coarse = builder.input((1, 5, 6, 21), fraction_bits=3)
    fine = builder.input((1, 5, 6, 21), fraction_bits=7)
    channels = builder.input((1, 1, 1, 21), fraction_bits=-2)
    pixels = builder.input((1, 5, 6, 1), fraction_bits=3)
    return builder.build(
        [
            builder.add(coarse, fine, fraction_bits=5),
            builder.subtract(fine, coarse, fraction_bits=2),
            builder.subtract(channels, coarse, fraction_bits=1, activation="RELU"),
            builder.subtract(coarse, pixels, fraction_bits=3),
        ]
    )


def random_inputs(graph: Graph, seed: int) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    tensors = [graph.tensor(index) for index in graph.inputs]
    return [
        draw.integers(tensor.numbers.limits[0], tensor.numbers.limits[1] + 1, tensor.shape).astype(
            tensor.dtype
        )
        for tensor in tensors
    ]


@pytest.mark.parametrize("rounding", ["EVEN", "AWAY"])
@pytest.mark.parametrize("config", [FIXED_16, FIXED_18], ids=["16", "18"])
def test_sums_are_those_of_the_kernels(config: CnnArrayConfig, rounding: Rounding) -> None:
    graph = sums(config.operand_bits, rounding)
    program, given = compile_graph(graph, config), random_inputs(graph, 3)
    assert not program.host_operators
    values = Runtime(program, InterpreterDevice(config)).run(given)
    for output, expected in zip(program.outputs, run_graph(graph, given), strict=True):
        assert len(np.unique(expected)) > 10
        np.testing.assert_array_equal(values[output], expected)


@pytest.mark.parametrize("rounding", ["EVEN", "AWAY"])
def test_the_engine_s_sums_are_those_of_the_kernels(rounding: Rounding) -> None:
    """In the predicted cycles."""
    graph = sums(18, rounding)
    bench, given = EngineBench(graph, FIXED_18), random_inputs(graph, 4)
    for actual, expected in zip(bench.run(given), run_graph(graph, given), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(("kernel", "is_on_array"), [((2, 4), True), ((1, 1), True), ((3, 3), False)])
def test_means_of_a_power_of_two_of_pixels_are_on_the_array(
    kernel: tuple[int, int], is_on_array: bool
) -> None:
    builder = FixedPointBuilder("mean", bits=16, rounding="AWAY")
    image = builder.input((1, 6, 8, 3), fraction_bits=4)
    graph = builder.build([builder.average_pool(image, kernel, activation="RELU")])
    program, given = compile_graph(graph, FIXED_16), random_inputs(graph, 5)
    assert bool(program.host_operators) != is_on_array
    values = Runtime(program, InterpreterDevice(FIXED_16)).run(given)
    (expected,) = run_graph(graph, given)
    np.testing.assert_array_equal(values[program.outputs[0]], expected)
    if not is_on_array:
        reasons = [reason for section in program.sections for reason in getattr(section, "reasons", ())]
        assert reasons == ["means of fixed-point numbers must be of a power of two of pixels, not 9"]


@pytest.mark.slow
@pytest.mark.parametrize("rounding", ["EVEN", "AWAY"])
@pytest.mark.parametrize("config", [FIXED_16, FIXED_18], ids=["16", "18"])
def test_the_engine_agrees_with_the_kernels(config: CnnArrayConfig, rounding: Rounding) -> None:
    """In the predicted cycles."""
    graph = network(config.operand_bits, rounding)
    bench = EngineBench(graph, config)
    for seed in range(2):
        given = image(graph, seed)
        for actual, expected in zip(bench.run([given]), run_graph(graph, [given]), strict=True):
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("config", [PRESETS["catapult-8x8"], FIXED_18, MAC_ENGINES["u55-32"]])
def test_an_engine_of_another_width_leaves_them_to_the_host(config: CnnArrayConfig) -> None:
    program = compile_graph(network(16, "EVEN"), config)
    assert not program.engine_sections
    reasons = [reason for section in program.sections for reason in getattr(section, "reasons", ())]
    assert any("Operands must have the engine's width" in reason for reason in reasons), reasons


def test_parameter_words_carry_biases_of_48_bits() -> None:
    bias = np.array([0, -1, 1 << 31, -(1 << 31) - 1, (1 << 47) - 1, -(1 << 47)])
    low, high, shift = FixedPointScaling(bias, 5, True, -1, 1, 16).parameter_words
    total = low + (high.astype(np.int64) << 32)
    np.testing.assert_array_equal((total + (1 << 47)) % (1 << 48) - (1 << 47), bias)
    assert high.min() >= 0
    assert high.max() < 1 << 16
    assert set(shift) == {-5}
    with pytest.raises(ValueError, match=r"right_shift must be in 0..31, not 32"):
        FixedPointScaling(bias, 32, True, -1, 1, 16)
