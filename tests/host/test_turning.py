"""Maps of one column lie on their side on the engine; nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.partition import partition
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.interpreter_device import InterpreterDevice
from tests.tflite_builder import ModelBuilder

CONFIG = PRESETS["u55-128"]


def over_time(length: int, channels: int = 12) -> Graph:
    """[1, length, 1, channels] -> DEPTHWISE_CONV_2D 5x1 of stride 2 (SAME) -> ADD of a channel vector."""
    generator = np.random.default_rng(length)
    model = ModelBuilder()
    signal = model.tensor((1, length, 1, channels), scale=0.5, zero_point=-7)
    weights = model.tensor(
        (1, 5, 1, channels), scale=0.01, data=generator.integers(-127, 128, (1, 5, 1, channels), np.int8)
    )
    size = -(-length // 2)
    filtered = model.tensor((1, size, 1, channels), scale=0.25, zero_point=3)
    options = {"strideH": 2, "strideW": 2, "dilationHFactor": 1, "dilationWFactor": 1, "depthMultiplier": 1}
    model.operator(
        "DEPTHWISE_CONV_2D", [signal, weights], [filtered], "DepthwiseConv2DOptions", padding=0, **options
    )
    offsets = model.tensor(
        (1, 1, 1, channels), scale=0.1, data=generator.integers(-128, 128, (1, 1, 1, channels), np.int8)
    )
    moved = model.tensor((1, size, 1, channels), scale=0.3)
    model.operator("ADD", [filtered, offsets], [moved], "AddOptions")
    return parse_tflite(model.pack([signal], [moved]), "over_time.tflite").require_graph()


@pytest.mark.parametrize("kib", [4, 128])
@pytest.mark.parametrize("length", [2, 7, 40, 300])
def test_results_do_not_depend_on_it(length: int, kib: int) -> None:
    graph = over_time(length)
    config = replace(CONFIG, buffer_kib=kib)
    program = compile_graph(graph, config)
    assert program.host_operators == ()
    inputs = [np.random.default_rng(2).integers(-128, 128, (1, length, 1, 12)).astype(np.int8)]
    values = Runtime(program, InterpreterDevice(config)).run(inputs)
    np.testing.assert_array_equal(values[graph.outputs[0]], run_graph(graph, inputs)[0])


def test_time_becomes_the_row() -> None:
    layers = [layer for entry in partition(over_time(40), CONFIG).assignments for layer in entry.layers]
    assert [(layer.ofm_shape.height, layer.ofm_shape.width) for layer in layers] == [(1, 20), (1, 20)]
    assert (layers[0].window.height, layers[0].window.width, layers[0].window.stride_x) == (1, 5, 2)
    assert (layers[1].broadcast.rows, layers[1].broadcast.pixels) == (False, True)


def test_a_long_signal_stays_upright_so_that_it_can_be_cut() -> None:
    layers = [layer for entry in partition(over_time(20000), CONFIG).assignments for layer in entry.layers]
    assert layers[0].ofm_shape.width == 1
