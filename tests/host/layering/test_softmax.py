"""SOFTMAX as a layer: its table of exponentials, and what an engine cannot run."""

import numpy as np
import pytest

from celosia.generators.chassis.layer import LayerKind
from celosia.generators.chassis.tiles.softmax_model import softmax
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.graph import Graph
from celosia.host.partition import partition
from celosia.host.reference import run_graph
from celosia.host.tflite import parse_tflite
from tests.tflite_builder import ModelBuilder
from tests.tflite_writer import random_inputs, random_model

CONFIG = PRESETS["u55-128"]


def softmax_graph(shape: tuple[int, ...], scale: float = 0.1, beta: float = 1.0) -> Graph:
    model = ModelBuilder()
    ifm = model.tensor(shape, scale=scale)
    ofm = model.tensor(shape, scale=1 / 256, zero_point=-128)
    model.operator("SOFTMAX", [ifm], [ofm], "SoftmaxOptions", beta=beta)
    return parse_tflite(model.pack([ifm], [ofm]), "softmax.tflite").require_graph()


def check(graph: Graph, values: np.ndarray) -> None:
    """The layer's exponentials give the reference kernel's results."""
    (layer,) = partition(graph, CONFIG).assignments[0].layers
    assert layer.kind is LayerKind.SOFTMAX
    assert layer.exponentials is not None
    (expected,) = run_graph(graph, [values])
    rows = values.reshape(-1, values.shape[-1])
    results = [softmax(row, layer.exponentials) for row in rows]
    np.testing.assert_array_equal(np.reshape(results, values.shape), expected)


@pytest.mark.parametrize("seed", range(20))
def test_random_operators(seed: int) -> None:
    graph = parse_tflite(*random_model("SOFTMAX", seed)).graph
    if graph is not None:
        check(graph, random_inputs([(graph.tensor(graph.inputs[0]).shape, "int8")], seed)[0])


@pytest.mark.parametrize("beta", [1e-5, 1e-3, 1.0, 100.0])
@pytest.mark.parametrize("scale", [1e-2, 0.3, 10.0])
def test_scales_and_betas(scale: float, beta: float) -> None:
    values = np.random.default_rng(1).integers(-128, 128, (40, 17)).astype(np.int8)
    check(softmax_graph(values.shape, scale, beta), values)


@pytest.mark.parametrize("channels", [1, 255, 256, 257, 511, 512, 1023, 1024, 2047, 2048])
def test_channels_all_alike(channels: int) -> None:
    check(softmax_graph((1, channels)), np.full((1, channels), -7, np.int8))


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1, 2049), "SOFTMAX must be over at most 2,048 channels (found 2049)"),
        ((1, 4097, 1, 2), "SOFTMAX must be over at most 4,096 pixels"),
    ],
    ids=str,
)
def test_too_large_ones_run_on_the_host(shape: tuple[int, ...], reason: str) -> None:
    (assignment,) = partition(softmax_graph(shape), CONFIG).assignments
    assert any(text.startswith(reason) for text in assignment.reasons)
