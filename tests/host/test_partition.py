"""Which operators run on the engine, which on the host, and every reason why."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.graph import Graph
from celosia.host.partition import HOST_KINDS, partition
from celosia.host.tflite import parse_tflite
from tests.host.models import mixed_graph, pooling_graph
from tests.tflite_builder import ModelBuilder
from tests.tflite_writer import OPERATORS, random_model

CONFIG = PRESETS["u55-128"]


def convolution_graph(batch: int = 1, stride: int = 1, channels: int = 3, size: int = 20) -> Graph:
    """A CONV_2D of 3 x 3, VALID, with as many output channels."""
    model = ModelBuilder()
    after = (size - 3) // stride + 1
    image = model.tensor((batch, size, size, channels), scale=0.5)
    data = np.ones((channels, 3, 3, channels), np.int8)
    weights = model.tensor(data.shape, scale=0.5, data=data)
    ofm = model.tensor((batch, after, after, channels), scale=0.5)
    options = {"strideH": stride, "strideW": stride, "dilationHFactor": 1, "dilationWFactor": 1}
    model.operator("CONV_2D", [image, weights], [ofm], "Conv2DOptions", padding=1, **options)
    return parse_tflite(model.pack([image], [ofm]), "convolution.tflite").require_graph()


def test_sections_alternate_in_order() -> None:
    split = partition(mixed_graph(), CONFIG)
    assert [section.on_engine for section in split.sections] == [True, False, True]
    names = [assignment.operator.name for assignment in split.assignments]
    assert names == ["CONV_2D #0", "QUANTIZE #1", "MEAN #2"]


def test_what_runs_on_the_engine_has_layers_and_no_reasons() -> None:
    for assignment in partition(mixed_graph(), CONFIG).assignments:
        assert bool(assignment.layers) == assignment.on_engine == (not assignment.reasons)


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - set(HOST_KINDS) - {"NETWORK", "RESHAPE"}))
def test_every_other_operator_runs_on_the_engine(operator: str) -> None:
    runs = []
    for seed in range(20):
        graph = parse_tflite(random_model(operator, seed)[0], "model").graph
        runs += [] if graph is None else [partition(graph, CONFIG).assignments[0].on_engine]
    assert np.mean(runs) > 0.7


@pytest.mark.parametrize("operator", HOST_KINDS)
def test_host_operators_say_so(operator: str) -> None:
    graph = parse_tflite(random_model(operator, 0)[0], "model").require_graph()
    (assignment,) = partition(graph, CONFIG).assignments
    assert assignment.reasons == (f"{operator} runs on the host for now",)


def test_a_batch_is_a_layer_for_each_image() -> None:
    (assignment,) = partition(convolution_graph(batch=3), CONFIG).assignments
    assert [layer.row_bounds for layer in assignment.layers] == [(0, 20), (20, 40), (40, 60)]


def test_every_broken_rule_is_listed() -> None:
    graph = convolution_graph(stride=4, channels=700)
    (assignment,) = partition(graph, replace(CONFIG, buffer_kib=32)).assignments
    strides, rows = assignment.reasons
    assert strides == "Strides must be 1 to 3 (found 4 x 4)"
    assert rows.startswith(
        "The rows that one row of the ofm needs, and that row, must fit the unified buffer"
    )
    assert rows.endswith(" (found 45760 bytes for 32768)")


def test_a_refused_operator_runs_on_the_host_with_that_reason() -> None:
    split = partition(mixed_graph(), CONFIG, {2: "no room"})
    assert split.assignments[2].reasons == ("no room",)
    assert [section.on_engine for section in split.sections] == [True, False]


def test_reshape_moves_nothing_and_shares_its_bytes() -> None:
    graph = parse_tflite(random_model("RESHAPE", 0)[0], "model").require_graph()
    split = partition(graph, CONFIG)
    assert split.root[graph.outputs[0]] == graph.inputs[0]
    assert [section.on_engine for section in split.sections] == [False]
    assert split.assignments[0].reasons == ()


def test_padding_that_does_not_count_makes_one_layer_for_each_share() -> None:
    (valid,) = partition(pooling_graph(8, 8, 4, 3, padding=1), CONFIG).assignments
    (same,) = partition(pooling_graph(8, 8, 4, 3, padding=0), CONFIG).assignments
    assert (len(valid.layers), len(same.layers)) == (1, 9)
