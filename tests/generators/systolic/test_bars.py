"""What the array makes of its cycles, from the counters of the RTL."""

from fractions import Fraction

import numpy as np
import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.tiles.commands import Mode
from celosia.generators.chassis.tiles.loop_sequencer import SETUP_CYCLES
from celosia.generators.systolic.compute import fill_latency
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


def product(batch: int, rows: int, depth: int, columns: int) -> Graph:
    """batch x rows times depth x columns."""
    builder = GraphBuilder("product")
    value = builder.input((batch, rows, depth), scale=0.5)
    weights = int8((columns, depth))
    return builder.build([builder.fully_connected(value, weights, 0.004, scale=0.5, keep_dims=True)])


def causes(
    graph: Graph, memory: MemoryModel, inputs: np.ndarray, preset: str = "tpu-32x32"
) -> tuple[dict[str, int], int]:
    """Cycles by cause, and all of them, which are the predicted ones."""
    bench = EngineBench(graph, PRESETS[preset], memory)
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


@pytest.mark.parametrize(
    ("preset", "batch", "rows", "depth", "columns"),
    [
        ("tpu-16x16", 1, 16, 128, 128),
        ("tpu-16x16", 1, 34, 128, 128),
        ("tpu-16x16", 2, 17, 70, 90),
        ("tpu-16x16", 4, 25, 256, 64),
        ("tpu-16x16", 1, 200, 128, 64),
        ("tpu-16x16", 8, 64, 64, 64),
        # A tile of 1,024 bytes takes 64 cycles to come: 32 x 32 keeps its bar from 64 rows on.
        ("tpu-32x32", 1, 64, 128, 128),
        ("tpu-32x32", 2, 50, 100, 90),
        ("tpu-32x32", 1, 200, 256, 64),
        ("tpu-32x32", 8, 64, 64, 96),
    ],
)
def test_a_product_takes_no_longer_than_its_bar(
    preset: str, batch: int, rows: int, depth: int, columns: int
) -> None:
    """From buffer to accumulators, with 16 bytes of weights a cycle."""
    config, length = PRESETS[preset], batch * rows
    memory = MemoryModel(weights_bytes_per_cycle=Fraction(16))
    inputs = int8((batch, rows, depth))
    found, _ = causes(product(batch, rows, depth, columns), memory, inputs, preset)
    ends = SETUP_CYCLES + fill_latency(config, Mode.DENSE)
    tiles = -(-depth // config.rows) * -(-columns // config.columns)
    assert found["active"] == tiles * length
    cycles = sum(found.values()) + ends
    assert cycles <= tiles * max(length, config.rows) + 3 * (config.rows + config.columns) + 64
    if length >= 34:  # SCALE-Sim's formula, where loading weights is not hidden
        assert cycles < tiles * (length + 2 * config.rows + config.columns - 2) - 1


@pytest.mark.parametrize(("preset", "channels"), [("tpu-16x16", 16)])
def test_long_products_multiply_in_99_of_100_cycles(preset: str, channels: int) -> None:
    """2,116 rows and a reduction of nine tiles."""
    memory = MemoryModel(weights_bytes_per_cycle=Fraction(16))
    found, _ = causes(convolutions(1, 46, channels, 3), memory, int8((1, 46, 46, channels)), preset)
    assert found["active"] >= 0.99 * sum(found.values())


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
