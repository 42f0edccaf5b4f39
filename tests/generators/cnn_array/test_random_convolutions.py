"""Random shapes of convolutions on the generated RTL: every bit and every predicted cycle."""

import random

import numpy as np
import pytest

from celosia.generators.cnn_array.config import PRESETS
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from celosia.host.reference import run_graph
from tests.built_graphs import int8, int32
from tests.engine_bench import EngineBench

SHAPES, SHAPES_A_TEST = 60, 10
MANY_SHAPES, SHAPES_A_SLOW_TEST = 1000, 50
_MOST_MACS = 4_000_000
_MOST_BYTES = 40_000


def _log_uniform(draw: random.Random, low: int, high: int) -> int:
    return min(high, int(low * ((high + 1) / low) ** draw.random()))


def convolution(seed: int) -> Graph:
    """One CONV_2D; drawn again until it is small enough to simulate."""
    draw = random.Random(seed)
    while True:
        inputs, outputs = _log_uniform(draw, 1, 512), _log_uniform(draw, 1, 512)
        kernel = draw.randint(1, 11), draw.randint(1, 11)
        stride = draw.randint(1, 3), draw.randint(1, 3)
        dilation = (draw.randint(1, 2), draw.randint(1, 2)) if stride == (1, 1) else (1, 1)
        spans = [(size - 1) * gap + 1 for size, gap in zip(kernel, dilation, strict=True)]
        image = spans[0] + draw.randint(0, 12), spans[1] + draw.choice([draw.randint(0, 12), 40])
        pixels = -(-image[0] // stride[0]) * -(-image[1] // stride[1])
        macs = pixels * outputs * inputs * kernel[0] * kernel[1]
        if macs <= _MOST_MACS and max(image[0] * image[1] * inputs, pixels * outputs) <= _MOST_BYTES:
            break
    builder = GraphBuilder(f"convolution {seed}")
    ifm = builder.input((1, *image, inputs), scale=0.5, zero_point=draw.randint(-128, 127))
    scales = np.random.default_rng(seed).uniform(0.001, 0.01, outputs) if draw.random() < 0.5 else 0.01
    ofm = builder.convolution(
        ifm,
        int8((outputs, *kernel, inputs), seed),
        scales,
        scale=draw.choice([0.5, 2.0, 20.0]),
        zero_point=draw.randint(-128, 127),
        bias=int32(outputs),
        stride=stride,
        dilation=dilation,
        padding="SAME" if draw.random() < 0.5 else "VALID",
        activation="RELU" if draw.random() < 0.5 else "NONE",
    )
    return builder.build([ofm])


def check(preset: str, seed: int) -> None:
    graph = convolution(seed)
    bench = EngineBench(graph, PRESETS[preset])
    assert not bench.program.host_operators
    shape = graph.tensor(graph.inputs[0]).shape
    image = np.random.default_rng(seed).integers(-128, 128, shape, np.int8)
    (actual,), (expected,) = bench.run([image]), run_graph(graph, [image])
    np.testing.assert_array_equal(actual, expected, err_msg=f"shape {seed} on {preset}")


@pytest.mark.parametrize("first", range(0, SHAPES, SHAPES_A_TEST))
def test_sixty_shapes(first: int) -> None:
    for seed in range(first, first + SHAPES_A_TEST):
        check("catapult-8x8", seed)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("first", range(SHAPES, SHAPES + MANY_SHAPES, SHAPES_A_SLOW_TEST))
def test_a_thousand_shapes(first: int, preset: str) -> None:
    for seed in range(first, first + SHAPES_A_SLOW_TEST):
        check(preset, seed)
