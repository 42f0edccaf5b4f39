"""Random shapes of convolutions on the generated RTL: every bit and every predicted cycle."""

import random
from dataclasses import dataclass, replace

import numpy as np
import pytest

from celosia.generators.cnn_array.config import PRESETS, CnnArrayConfig
from celosia.host.attributes import Activation, Padding
from celosia.host.compiler import compile_graph
from celosia.host.fixed_point_builder import FixedPointBuilder
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from tests.built_graphs import int8, int32
from tests.engine_bench import EngineBench
from tests.interpreter_device import InterpreterDevice

SHAPES, SHAPES_A_TEST = 60, 10
"""Of `make test`, a third for each width of operands."""
MANY_SHAPES, SHAPES_A_SLOW_TEST = 1000, 50
_FIXED_16 = PRESETS["catapult-8x8-fixed16"]
_ROUNDS = replace(_FIXED_16, channel_axis="columns", turns=2)
SMALL = {
    "8 bits": PRESETS["catapult-8x8"],
    "16 bits, 5 x 8 in rounds": replace(_ROUNDS, rows=5, taps=2, kernel_kib=8, buffer_kib=64, data_bits=128),
    "18 bits": replace(_FIXED_16, operand_bits=18),
}
"""One design of each width, and what only large arrays have in one that is quick to compile."""
MEDIUM = {
    "16 bits, 13 x 16 in rounds": replace(
        _ROUNDS, rows=13, columns=16, taps=4, kernel_kib=32, buffer_kib=128, data_bits=256
    ),
}
TOO_LARGE = "catapult-61x64"
"""To simulate; `test_alexnet` runs its commands."""
CONFIGS = {**{name: config for name, config in PRESETS.items() if name != TOO_LARGE}, **SMALL, **MEDIUM}
FIXED_POINT = {name: config for name, config in {**PRESETS, **CONFIGS}.items() if config.operand_bits != 8}
_MOST_MACS = 4_000_000
_MOST_BYTES = 40_000


def _log_uniform(draw: random.Random, low: int, high: int) -> int:
    return min(high, int(low * ((high + 1) / low) ** draw.random()))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a convolution of any numbers is like."""

    image: tuple[int, int]
    inputs: int
    outputs: int
    groups: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: Padding
    activation: Activation


def random_shape(draw: random.Random) -> Shape:
    """Drawn again until it is small enough to simulate."""
    while True:
        groups = draw.choice([1, 1, 1, 2, 3, 4])
        inputs, outputs = (groups * _log_uniform(draw, 1, 512 // groups) for _ in range(2))
        kernel = draw.randint(1, 11), draw.randint(1, 11)
        stride = draw.randint(1, 4), draw.randint(1, 4)
        dilation = (draw.randint(1, 2), draw.randint(1, 2)) if stride == (1, 1) else (1, 1)
        spans = [(size - 1) * gap + 1 for size, gap in zip(kernel, dilation, strict=True)]
        image = spans[0] + draw.randint(0, 12), spans[1] + draw.choice([draw.randint(0, 12), 40])
        pixels = -(-image[0] // stride[0]) * -(-image[1] // stride[1])
        macs = pixels * outputs * inputs // groups * kernel[0] * kernel[1]
        if macs <= _MOST_MACS and max(image[0] * image[1] * inputs, pixels * outputs) <= _MOST_BYTES:
            break
    padding: Padding = "SAME" if draw.random() < 0.5 else "VALID"
    activation: Activation = "RELU" if draw.random() < 0.5 else "NONE"
    return Shape(image, inputs, outputs, groups, kernel, stride, dilation, padding, activation)


def int8_convolution(seed: int) -> Graph:
    """One CONV_2D."""
    draw = random.Random(seed)
    shape = random_shape(draw)
    builder = GraphBuilder(f"convolution {seed}")
    ifm = builder.input((1, *shape.image, shape.inputs), scale=0.5, zero_point=draw.randint(-128, 127))
    scales = np.random.default_rng(seed).uniform(0.001, 0.01, shape.outputs)
    ofm = builder.convolution(
        ifm,
        int8((shape.outputs, *shape.kernel, shape.inputs // shape.groups), seed),
        scales if draw.random() < 0.5 else 0.01,
        scale=draw.choice([0.5, 2.0, 20.0]),
        zero_point=draw.randint(-128, 127),
        bias=int32(shape.outputs),
        stride=shape.stride,
        dilation=shape.dilation,
        padding=shape.padding,
        activation=shape.activation,
    )
    return builder.build([ofm])


def fixed_point_convolution(seed: int, bits: int) -> Graph:
    """One CONV_2D whose results rarely saturate."""
    draw, values, limit = random.Random(seed), np.random.default_rng(seed), 1 << bits - 1
    shape = random_shape(draw)
    products = shape.kernel[0] * shape.kernel[1] * shape.inputs // shape.groups
    spread = (products.bit_length() + 1) // 2  # bits that a sum of so many random products has more than one
    builder = FixedPointBuilder(f"convolution {seed}", bits=bits, rounding=draw.choice(["EVEN", "AWAY"]))
    ifm = builder.input((1, *shape.image, shape.inputs), fraction_bits=draw.randint(0, bits))
    weights = values.integers(-limit, limit, (shape.outputs, *shape.kernel, shape.inputs // shape.groups))
    shift = min(31, bits - 1 + spread - draw.randint(0, 2))
    weight_fraction = draw.randint(0, bits)
    ofm = builder.convolution(
        ifm,
        weights,
        weight_fraction,
        fraction_bits=ifm.tensor.numbers.fraction_bits + weight_fraction - shift,
        bias=values.integers(-limit * limit, limit * limit, shape.outputs) if draw.random() < 0.7 else None,
        stride=shape.stride,
        dilation=shape.dilation,
        padding=shape.padding,
        activation=shape.activation,
    )
    return builder.build([ofm])


def convolution(seed: int, config: CnnArrayConfig) -> Graph:
    bits = config.operand_bits
    return int8_convolution(seed) if bits == 8 else fixed_point_convolution(seed, bits)


def random_image(graph: Graph, seed: int) -> np.ndarray:
    tensor = graph.tensor(graph.inputs[0])
    low, high = (-128, 127) if tensor.fixed_point is None else tensor.fixed_point.limits
    return np.random.default_rng(seed).integers(low, high + 1, tensor.shape).astype(tensor.dtype)


def check(name: str, seed: int) -> None:
    config = CONFIGS[name]
    graph = convolution(seed, config)
    bench = EngineBench(graph, config)
    assert not bench.program.host_operators
    image = random_image(graph, seed)
    (actual,), (expected,) = bench.run([image]), run_graph(graph, [image])
    np.testing.assert_array_equal(actual, expected, err_msg=f"shape {seed} on {name}")


def check_commands(config: CnnArrayConfig, seeds: range) -> None:
    for seed in seeds:
        graph = convolution(seed, config)
        program = compile_graph(graph, config)
        assert not program.host_operators
        image = random_image(graph, seed)
        values = Runtime(program, InterpreterDevice(config)).run([image])
        (expected,) = run_graph(graph, [image])
        np.testing.assert_array_equal(
            values[program.outputs[0]], expected, err_msg=f"shape {seed} on {config.title}"
        )


@pytest.mark.parametrize("first", range(0, SHAPES, SHAPES_A_TEST))
def test_sixty_shapes(first: int) -> None:
    name = list(SMALL)[first * len(SMALL) // SHAPES]
    for seed in range(first, first + SHAPES_A_TEST):
        check(name, seed)


@pytest.mark.parametrize("name", [name for name in FIXED_POINT if name not in SMALL])
def test_shapes_of_fixed_point_on_the_command_interpreter(name: str) -> None:
    """The commands and what they mean; the engine has its turn in the slow tests, if it is not too large."""
    check_commands(FIXED_POINT[name], range(SHAPES_A_TEST))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "8 bits"])
@pytest.mark.parametrize("first", range(SHAPES, SHAPES + MANY_SHAPES, SHAPES_A_SLOW_TEST))
def test_a_thousand_shapes(first: int, name: str) -> None:
    for seed in range(first, first + SHAPES_A_SLOW_TEST):
        check(name, seed)
