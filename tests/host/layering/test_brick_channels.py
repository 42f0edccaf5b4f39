"""How many channels a brick has decides which layers an operator becomes, and which channels may be left out."""

import numpy as np
import pytest

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization
from celosia.host.channel_split import split_channels
from celosia.host.graph_builder import GraphBuilder
from celosia.host.layering.layers import layers_of
from celosia.host.unread_channels import leave_out_unread_channels


def convolution(ifm: str, ofm: str, weights: np.ndarray) -> Layer:
    outputs, _, _, inputs = weights.shape
    return Layer(
        name=ofm,
        operator=0,
        kind=LayerKind.CONVOLUTION,
        ifm=ifm,
        ofm=ofm,
        ifm_shape=MapShape(6, 6, inputs),
        ofm_shape=MapShape(6, 6, outputs),
        requantization=Requantization.identity(outputs),
        weights=weights,
    )


@pytest.mark.parametrize(
    ("brick_channels", "kinds"),
    [
        (8, [LayerKind.MAXIMUM, LayerKind.MAXIMUM]),
        (16, [LayerKind.CONVOLUTION, LayerKind.CONVOLUTION, LayerKind.ADD]),
    ],
)
def test_concatenation_copies_only_to_whole_bricks(brick_channels: int, kinds: list[LayerKind]) -> None:
    builder = GraphBuilder()
    parts = [builder.input((1, 4, 4, 8), scale=0.5) for _ in range(2)]
    graph = builder.build([builder.concatenate(parts, -1)])
    layers = layers_of(graph, graph.operators[0], ["left", "right"], "both", brick_channels)
    assert [layer.kind for layer in layers] == kinds


@pytest.mark.parametrize(("brick_channels", "left"), [(8, 24), (16, 32), (32, 32)])
def test_whole_bricks_are_left_out(brick_channels: int, left: int) -> None:
    first = np.ones((32, 1, 1, 4), np.int8)
    second = np.ones((8, 1, 1, 32), np.int8)
    second[..., 5:13] = 0  # 24 channels are read
    layers = [convolution("ifm", "middle", first), convolution("middle", "ofm", second)]
    assert leave_out_unread_channels(layers, {"ofm"}, brick_channels)[0].ofm_shape.channels == left


@pytest.mark.parametrize(
    ("brick_channels", "parts"), [(8, (16, 24)), (16, (16, 24)), (32, (32, 8)), (64, None)]
)
def test_maps_are_cut_between_bricks(brick_channels: int, parts: tuple[int, int] | None) -> None:
    pool = Layer(
        name="pool",
        operator=1,
        kind=LayerKind.MAXIMUM,
        ifm="middle",
        ofm="ofm",
        ifm_shape=MapShape(6, 6, 40),
        ofm_shape=MapShape(6, 6, 40),
        requantization=Requantization.identity(40),
    )
    layers = [convolution("ifm", "middle", np.ones((40, 1, 1, 4), np.int8)), pool]
    cut = split_channels(layers, pool, {"ofm"}, brick_channels)
    found = None if cut is None else tuple(layer.ofm_shape.channels for layer in cut if layer.name == "pool")
    assert found == parts
