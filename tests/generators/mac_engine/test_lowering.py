"""Lowering at its edges: maps and kernels that no field of a command holds, weights that no store does."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.reference import trace_graph
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.host.models import pooling_graph
from tests.interpreter_device import InterpreterDevice
from tests.tflite_builder import ModelBuilder


def convolution_graph(kernel: tuple[int, int], depth: int, image: tuple[int, int], dilation: int) -> Graph:
    """A CONV_2D, SAME, of 9 output channels."""
    model = ModelBuilder()
    data = np.random.default_rng(0).integers(-127, 128, (9, *kernel, depth), np.int8)
    ifm = model.tensor((1, *image, depth), scale=0.5)
    weights = model.tensor(data.shape, scale=0.01, data=data)
    ofm = model.tensor((1, *image, 9), scale=3.0)
    options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": dilation}
    model.operator("CONV_2D", [ifm, weights], [ofm], "Conv2DOptions", padding=0, **options)
    return parse_tflite(model.pack([ifm], [ofm]), "convolution").require_graph()


GRAPHS = {
    "the last column of a wide map is a layer of its own": pooling_graph(5, 300, 9, 3, padding=0),
    "a kernel larger than the weight store": pooling_graph(60, 60, 20, 60, padding=1),
    "a reduction larger than the weight store, over a wide map": convolution_graph((3, 7), 64, (3, 280), 2),
    "kernel columns that see nothing but padding": convolution_graph((1, 16), 80, (1, 20), 2),
}


@pytest.mark.parametrize("weight_kib", [4, 24])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", GRAPHS)
def test_it_computes_what_the_reference_kernels_do(name: str, preset: str, weight_kib: int) -> None:
    graph = GRAPHS[name]
    config = replace(PRESETS[preset], weight_kib=weight_kib)
    program = compile_graph(graph, config)
    assert program.host_operators == ()
    inputs = [
        np.random.default_rng(1).integers(-128, 128, graph.tensor(index).shape).astype(np.int8)
        for index in graph.inputs
    ]
    values = Runtime(program, InterpreterDevice(config)).run(inputs)
    expected = trace_graph(graph, inputs)
    for index in graph.outputs:
        np.testing.assert_array_equal(values[index], expected[index])
