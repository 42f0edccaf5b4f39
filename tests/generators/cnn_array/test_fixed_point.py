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
