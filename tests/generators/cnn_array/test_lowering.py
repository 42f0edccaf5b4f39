"""Lowering at its edges: kernels that no kernel buffer holds, and maps larger than a tile or the buffer."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.cnn_array.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.reference import trace_graph
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.host.models import pooling_graph
from tests.interpreter_device import InterpreterDevice
from tests.tflite_builder import ModelBuilder


def convolution_graph(kernel: tuple[int, int], depth: int, outputs: int, image: tuple[int, int]) -> Graph:
    """A CONV_2D, SAME."""
    model = ModelBuilder()
    data = np.random.default_rng(0).integers(-127, 128, (outputs, *kernel, depth), np.int8)
    ifm = model.tensor((1, *image, depth), scale=0.5)
    weights = model.tensor(data.shape, scale=0.01, data=data)
    ofm = model.tensor((1, *image, outputs), scale=3.0)
    options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    model.operator("CONV_2D", [ifm, weights], [ofm], "Conv2DOptions", padding=0, **options)
    return parse_tflite(model.pack([ifm], [ofm]), "convolution").require_graph()


GRAPHS = {
    "the last column of a wide map": pooling_graph(5, 300, 9, 3, padding=0),
    "a kernel larger than the kernel buffers": pooling_graph(60, 60, 20, 60, padding=1),
    "a reduction larger than the kernel buffers, over a wide map": convolution_graph((3, 7), 64, 9, (3, 280)),
    "many passes of output channels": convolution_graph((1, 1), 40, 200, (4, 5)),
}


@pytest.mark.parametrize("kernel_kib", [2, 32])
@pytest.mark.parametrize("preset", ["catapult-8x8", "catapult-16x16"])
@pytest.mark.parametrize("name", GRAPHS)
def test_they_run_bit_exactly(name: str, preset: str, kernel_kib: int) -> None:
    config = replace(PRESETS[preset], kernel_kib=kernel_kib)
    graph = GRAPHS[name]
    program = compile_graph(graph, config)
    assert not program.host_operators
    shape = graph.tensor(graph.inputs[0]).shape
    ifm = np.random.default_rng(1).integers(-128, 128, shape, np.int8)
    results = Runtime(program, InterpreterDevice(config)).run([ifm])
    expected = trace_graph(graph, [ifm])
    for index in graph.outputs:
        np.testing.assert_array_equal(results[index], expected[index])
