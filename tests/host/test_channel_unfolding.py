"""Groups of a convolution that are parts of a brick are read as pixels: the same results in fewer steps."""

import numpy as np
import pytest

from celosia.generators.chassis.layer import Layer
from celosia.generators.cnn_array.config import PRESETS
from celosia.host.channel_unfolding import unfold_channels
from celosia.host.fixed_point_builder import FixedPointBuilder
from celosia.host.graph import Graph
from celosia.host.partition import partition

CONFIG = PRESETS["catapult-61x64"]


def grouped(groups: int, inputs: int, stride: int = 1, dilation: int = 1) -> Graph:
    """A convolution of so many groups, of so many channels each."""
    builder = FixedPointBuilder()
    image = builder.input((1, 9, 9, groups * inputs), fraction_bits=8)
    draw = np.random.default_rng(1)
    weights = draw.integers(-99, 99, (groups * 64, 3, 3, inputs))
    ofm = builder.convolution(
        image, weights, 8, fraction_bits=8, stride=(stride, stride), dilation=(dilation, dilation)
    )
    return builder.build([ofm])


def layers_of(graph: Graph) -> list[Layer]:
    (section,) = partition(graph, CONFIG).sections
    return [layer for assignment in section.assignments for layer in assignment.layers]


def test_a_group_is_a_neighbouring_pixel() -> None:
    layers = layers_of(grouped(2, 48))
    first, second = unfold_channels(layers, {layers[0].ifm}, CONFIG.brick_channels)
    for layer in (first, second):
        assert (layer.ifm_shape.width, layer.ifm_shape.channels, layer.ifm_channel) == (18, 48, 0)
        assert (layer.window.stride_x, layer.window.dilation_x) == (2, 2)
        assert (layer.window.stride_y, layer.window.dilation_y) == (1, 1)
    assert (first.window.pad_left, second.window.pad_left) == (2, 1)


@pytest.mark.parametrize(
    ("graph", "in_memory"),
    [
        (grouped(2, 64), True),  # groups are whole bricks
        (grouped(4, 48), True),  # four pixels would be a dilation of 4
        (grouped(2, 48, dilation=2), True),
        (grouped(2, 48, stride=3), True),
        (grouped(2, 48), False),
    ],
)
def test_others_stay_as_they_are(graph: Graph, in_memory: bool) -> None:
    layers = layers_of(graph)
    names = {layers[0].ifm} if in_memory else set[str]()
    assert unfold_channels(layers, names, CONFIG.brick_channels) == layers
