"""`column_folding`: strided convolutions over shallow images take fewer steps and give the same bits."""

import random
from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode
from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window
from celosia.generators.families import FAMILIES, find_preset
from celosia.host.attributes import Padding
from celosia.host.column_folding import elements_beyond, fold_columns
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from tests.built_graphs import int8, int32
from tests.interpreter_device import InterpreterDevice

FOLDING = [family.default_preset for family in FAMILIES if family.folds_columns]
ALEXNET = Layer(
    name="first",
    operator=0,
    kind=LayerKind.CONVOLUTION,
    ifm="image",
    ofm="edges",
    ifm_shape=MapShape(227, 227, 3),
    ofm_shape=MapShape(55, 55, 96),
    requantization=Requantization.identity(96),
    window=Window(11, 11, 4, 4),
    weights=np.arange(96 * 11 * 11 * 3).astype(np.int8).reshape(96, 11, 11, 3),
)


def convolution(seed: int) -> Graph:
    draw = random.Random(seed)
    channels = draw.randint(1, 4)
    padding: Padding = "SAME" if draw.random() < 0.5 else "VALID"
    kernel = draw.randint(1, 5), draw.randint(2, 11)
    image = (
        draw.choice([1, 1, 2]),
        kernel[0] + draw.randint(0, 6),
        kernel[1] + draw.randint(0, 30),
        channels,
    )
    builder = GraphBuilder(f"convolution {seed}")
    ifm = builder.input(image, scale=0.5, zero_point=draw.randint(-128, 127))
    ofm = builder.convolution(
        ifm,
        int8((9, *kernel, channels), seed),
        0.01,
        scale=2.0,
        bias=int32(9),
        stride=(draw.randint(1, 3), draw.randint(2, 3)),
        padding=padding,
    )
    return builder.build([ofm])


@pytest.mark.parametrize("preset", FOLDING)
def test_results_stay_the_same(preset: str) -> None:
    config, per_row = find_preset(preset), 0
    for seed in range(60):
        graph = convolution(seed)
        program = compile_graph(graph, config)
        assert not program.host_operators
        shape = graph.tensor(graph.inputs[0]).shape
        image = np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)
        values = Runtime(program, InterpreterDevice(config)).run([image])
        (expected,) = run_graph(graph, [image])
        np.testing.assert_array_equal(values[program.outputs[0]], expected, err_msg=f"{graph.name}, {shape}")
        (section,) = program.engine_sections
        words = np.frombuffer(section.content[section.queue_offset :], np.uint8).reshape(-1, COMMAND_BYTES)
        per_row += int((words[:, 0] == Opcode.LOAD).sum()) == shape[0] * shape[1] > 1
    assert per_row > 3, "some rows must be fetched one by one"


def test_a_kernel_of_11_columns_over_3_channels_becomes_one_of_3_over_12() -> None:
    (folded,) = fold_columns([ALEXNET], {"image"}, 16)
    assert (folded.ifm_shape, folded.ifm_row_pitch) == (MapShape(227, 57, 12), 681)
    assert (folded.window, folded.ofm_shape) == (Window(11, 3, 4, 1), ALEXNET.ofm_shape)
    assert elements_beyond([folded], "image") == 3
    assert folded.weights is not None
    assert ALEXNET.weights is not None
    columns = folded.weights.reshape(96, 11, 12, 3)
    np.testing.assert_array_equal(columns[:, :, :11], ALEXNET.weights)
    assert not columns[:, :, 11].any()


@pytest.mark.parametrize(
    "layer",
    [
        replace(ALEXNET, window=Window(11, 11, 4, 1), ofm_shape=MapShape(55, 217, 96)),
        replace(ALEXNET, window=Window(11, 11, 4, 4, pad_left=4), ofm_shape=MapShape(55, 57, 96)),
        replace(ALEXNET, ifm_shape=MapShape(227, 227, 16), weights=np.ones((96, 11, 11, 16), np.int8)),
    ],
    ids=["without a stride", "padding within the last pixel", "channels enough"],
)
def test_what_gains_nothing_or_has_no_place_for_its_padding_stays(layer: Layer) -> None:
    assert fold_columns([layer], {"image"}, 16) == [layer]
    assert fold_columns([ALEXNET], {"another"}, 16) == [ALEXNET]
