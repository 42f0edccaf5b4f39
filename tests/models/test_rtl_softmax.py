"""SOFTMAX on the generated RTL beside other work, and of many channels: bits and cycles."""

from fractions import Fraction

import numpy as np
import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.graph import Graph
from celosia.host.reference import run_graph
from celosia.host.tflite import parse_tflite
from tests.engine_bench import EngineBench
from tests.tflite_builder import ModelBuilder

CONFIG = PRESETS["u55-128"]
MEMORIES = (MemoryModel(), MemoryModel(latency=5), MemoryModel(latency=7, bytes_per_cycle=Fraction(7, 3)))


def add_softmax(model: ModelBuilder, *shape: int) -> tuple[int, int]:
    """Its ifm and ofm."""
    ifm = model.tensor(shape, scale=0.1)
    ofm = model.tensor(shape, scale=1 / 256, zero_point=-128)
    model.operator("SOFTMAX", [ifm], [ofm], "SoftmaxOptions", beta=1.0)
    return ifm, ofm


def check(graph: Graph, memory: MemoryModel) -> None:
    bench = EngineBench(graph, CONFIG, memory)
    assert not bench.program.host_operators
    generator = np.random.default_rng(1)
    inputs = [
        generator.integers(-128, 128, graph.tensor(index).shape).astype(np.int8) for index in graph.inputs
    ]
    for actual, expected in zip(bench.run(inputs), run_graph(graph, inputs), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("memory", MEMORIES, ids=str)
def test_its_writes_hold_up_a_load_by_the_predicted_cycles(memory: MemoryModel) -> None:
    """While its pixels are written, the next operator's map is loaded into the same banks."""
    model = ModelBuilder()
    values, probabilities = add_softmax(model, 20, 64)
    image = model.tensor((1, 40, 48, 16), scale=0.5)
    positive = model.tensor((1, 40, 48, 16), scale=0.5)
    model.operator("RELU", [image], [positive])
    content = model.pack([values, image], [probabilities, positive])
    check(parse_tflite(content, "model").require_graph(), memory)


@pytest.mark.parametrize("channels", [1, 8, 9, 1000, 2048])
def test_numbers_of_channels(channels: int) -> None:
    model = ModelBuilder()
    values, probabilities = add_softmax(model, 2, 3, channels)
    check(parse_tflite(model.pack([values], [probabilities]), "model").require_graph(), MEMORIES[0])
