"""Maps that do not fit the buffer by rows are computed and used up in parts of their channels."""

from dataclasses import replace

import numpy as np

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.interpreter_device import InterpreterDevice
from tests.tflite_builder import ModelBuilder

SMALL = replace(PRESETS["u55-128"], buffer_kib=4)


def pooled_convolution(channels: int) -> Graph:
    """[1, 6, 6, 8] -> CONV_2D 1x1 to `channels` -> AVERAGE_POOL_2D of everything."""
    generator = np.random.default_rng(channels)
    model = ModelBuilder()
    image = model.tensor((1, 6, 6, 8), scale=0.5)
    weights = model.tensor(
        (channels, 1, 1, 8), scale=0.01, data=generator.integers(-127, 128, (channels, 1, 1, 8), np.int8)
    )
    convolved = model.tensor((1, 6, 6, channels), scale=0.25, zero_point=3)
    options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    model.operator("CONV_2D", [image, weights], [convolved], "Conv2DOptions", padding=1, **options)
    pooled = model.tensor((1, 1, 1, channels), scale=0.25, zero_point=3)
    options = {"filterHeight": 6, "filterWidth": 6, "strideH": 1, "strideW": 1}
    model.operator("AVERAGE_POOL_2D", [convolved], [pooled], "Pool2DOptions", padding=1, **options)
    return parse_tflite(model.pack([image], [pooled]), "pooled.tflite").require_graph()


def test_a_pooled_map_larger_than_the_buffer_stays_on_the_engine() -> None:
    graph = pooled_convolution(300)  # 36 pixels of 38 bricks, 10.9 kB, for 4 KiB
    program = compile_graph(graph, SMALL)
    assert program.host_operators == ()
    inputs = [np.random.default_rng(1).integers(-128, 128, (1, 6, 6, 8)).astype(np.int8)]
    values = Runtime(program, InterpreterDevice(SMALL)).run(inputs)
    np.testing.assert_array_equal(values[graph.outputs[0]], run_graph(graph, inputs)[0])


def test_a_map_that_fits_is_not_split() -> None:
    (section,) = compile_graph(pooled_convolution(64), SMALL).engine_sections
    assert len(section.layers) == 2


def test_a_map_that_is_wanted_outside_stays_whole() -> None:
    program = compile_graph(pooled_convolution(300), SMALL, keep_layers=True)
    assert program.host_operators == ("AVERAGE_POOL_2D #1",)
