"""Maps of several writers larger than the buffer are assembled band by band: same bits, nothing on the host."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.layer import Layer, MapShape, written_shape
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.layering.context import copy_layer
from celosia.host.reference import run_graph
from celosia.host.row_bands import in_bands
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.any_order import in_any_order
from tests.interpreter_device import InterpreterDevice
from tests.large_maps import OPERATORS, random_large_model
from tests.tflite_writer import random_inputs

FILES = 20


def part(height: int, width: int, y: int = 0, x: int = 0) -> Layer:
    """A copy of `height` x `width` pixels to (y, x) of map "whole"."""
    return copy_layer("copy", 0, f"from {y}, {x}", "whole", MapShape(height, width, 8), offset=(y, x, 0))


def test_a_band_is_written_by_every_layer_with_rows_in_it() -> None:
    left, right = part(5, 2), part(5, 3, x=2)
    layers, bands = in_bands([left, right], {"whole": 2})
    assert [(band.low, band.high) for band in bands] == [(0, 2), (2, 4), (4, 5)]
    assert [layer.ofm for layer in layers] == [band.name for band in bands for _ in range(2)]
    assert [layer.ofm_shape.height for layer in layers] == [2, 2, 2, 2, 1, 1]
    assert [layer.window.pad_top for layer in layers] == [0, 0, -2, -2, -4, -4]
    assert written_shape(layers, bands[0].name) == MapShape(2, 5, 8)


def test_bands_end_where_parts_end() -> None:
    layers, bands = in_bands([part(3, 4), part(6, 4, y=3)], {"whole": 9})
    assert [(band.low, band.high) for band in bands] == [(0, 3), (3, 9)]
    assert [layer.ifm for layer in layers] == ["from 0, 0", "from 3, 0"]


def test_what_runs_among_the_writers_runs_before_them() -> None:
    other = copy_layer("other", 1, "elsewhere", "from 0, 2", MapShape(4, 4, 8))
    layers, _ = in_bands([part(4, 2), other, part(4, 4, x=2)], {"whole": 4})
    assert layers[0] is other


@pytest.mark.parametrize("buffer_kib", [8, 16])
@pytest.mark.parametrize("operator", OPERATORS)
def test_large_maps_run_on_the_engine_bit_for_bit(operator: str, buffer_kib: int) -> None:
    config = replace(PRESETS["u55-128"], buffer_kib=buffer_kib)
    cut = 0
    for seed in range(FILES):
        data, description = random_large_model(operator, seed)
        graph = parse_tflite(data, description).require_graph()
        program = compile_graph(graph, config)
        assert not program.host_operators, description
        (section,) = program.engine_sections
        cut += len(section.layers) > len(compile_graph(graph, PRESETS["u55-128"]).engine_sections[0].layers)
        inputs = random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], seed)
        expected = run_graph(graph, inputs)
        for runnable in (program, in_any_order(program, seed)):
            values = Runtime(runnable, InterpreterDevice(config)).run(inputs)
            np.testing.assert_array_equal(values[graph.outputs[0]], expected[0], err_msg=description)
    assert cut, "no map had to be cut"
