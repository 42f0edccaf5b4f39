"""What the array makes of its cycles, from the counters of the RTL."""

from fractions import Fraction

import numpy as np
import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.systolic.config import PRESETS
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from tests.built_graphs import int8
from tests.engine_bench import EngineBench

pytestmark = pytest.mark.slow  # 32 x 32 takes minutes to build


def perceptron(batch: int, width: int, layers: int) -> Graph:
    """Fully connected layers of the published MLP0's ratio of tile load to tile size."""
    builder = GraphBuilder("perceptron")
    value = builder.input((batch, width), scale=0.5)
    for layer in range(layers):
        value = builder.fully_connected(
            value, int8((width, width), layer), 0.004, scale=0.5, activation="RELU"
        )
    return builder.build([value])


def convolutions(batch: int, size: int, channels: int, layers: int) -> Graph:
    builder = GraphBuilder("convolutions")
    value = builder.input((batch, size, size, channels), scale=0.5)
    for layer in range(layers):
        value = builder.convolution(
            value, int8((channels, 3, 3, channels), layer), 0.004, scale=0.5, activation="RELU"
        )
    return builder.build([value])


def causes(graph: Graph, memory: MemoryModel, inputs: np.ndarray) -> tuple[dict[str, int], int]:
    """Cycles by cause, and all of them; the run is bit-exact in the predicted cycles."""
    bench = EngineBench(graph, PRESETS["tpu-32x32"], memory)
    bench.run([inputs])
    layers = bench.profile.layers
    found = {
        "active": sum(layer.active for layer in layers),
        "shift": sum(layer.own["weight_shift"] for layer in layers),
        "stall": sum(layer.stall_weights for layer in layers),
    }
    rest = sum(layer.stall_ifm + layer.stall_ofm + layer.stall_dma + layer.own["vector"] for layer in layers)
    assert sum(found.values()) + rest == bench.cycles
    return found, bench.cycles


def test_stalls_break_down_as_published() -> None:
    """Weights limited to the share of the original's bandwidth: 14.8 / 19.0 / 66.2 % of the matrix time."""
    memory = MemoryModel(weights_bytes_per_cycle=Fraction(6071, 1000))
    found, _ = causes(perceptron(25, 256, 5), memory, int8((25, 256)))
    matrix = sum(found.values())
    for name, published in (("active", 14.8), ("shift", 19.0), ("stall", 66.2)):
        assert abs(100 * found[name] / matrix - published) <= 1, name


def test_convolutions_keep_the_array_busy() -> None:
    found, cycles = causes(convolutions(8, 19, 32, 16), MemoryModel(), int8((8, 19, 19, 32)))
    assert found["active"] >= 0.93 * cycles
