"""Channels that nobody reads are left out, and no result changes."""

from collections.abc import Sequence

import numpy as np
import pytest

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from celosia.host.section_plan import plan_graph
from celosia.host.tflite import parse_tflite
from tests.interpreter_device import InterpreterDevice
from tests.tflite_builder import ModelBuilder

CONVOLUTION = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}


class Network:
    """A chain of operators over maps of 6 x 5 pixels, with random weights."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._model = ModelBuilder()
        self.image = self._map(8)

    def _map(self, channels: int) -> int:
        return self._model.tensor(
            (1, 6, 5, channels), scale=0.5, zero_point=int(self._random.integers(-9, 9))
        )

    def convolution(
        self,
        ifm: int,
        inputs: int,
        outputs: int,
        unread: Sequence[int] = (),
        block: tuple[slice, slice] = (slice(0, 0), slice(0, 0)),
    ) -> int:
        """3 x 3 with padding; weights of the inputs in `unread`, and of the outputs and inputs in `block`, are zero."""
        ofm = self._map(outputs)
        data = self._random.integers(-127, 128, (outputs, 3, 3, inputs)).astype(np.int8)
        data[..., list(unread)] = 0
        data[block[0], :, :, block[1]] = 0
        weights = self._model.tensor(data.shape, scale=0.004, data=data)
        self._model.operator("CONV_2D", [ifm, weights], [ofm], "Conv2DOptions", padding=0, **CONVOLUTION)
        return ofm

    def depthwise(self, ifm: int, channels: int) -> int:
        ofm = self._map(channels)
        data = self._random.integers(-127, 128, (1, 3, 3, channels)).astype(np.int8)
        weights = self._model.tensor(data.shape, scale=0.004, data=data)
        self._model.operator(
            "DEPTHWISE_CONV_2D",
            [ifm, weights],
            [ofm],
            "DepthwiseConv2DOptions",
            padding=0,
            depthMultiplier=1,
            **CONVOLUTION,
        )
        return ofm

    def add(self, one: int, other: int, channels: int) -> int:
        ofm = self._map(channels)
        self._model.operator("ADD", [one, other], [ofm], "AddOptions", fusedActivationFunction=0)
        return ofm

    def softmax(self, ifm: int, channels: int) -> int:
        ofm = self._model.tensor((1, 6, 5, channels), scale=1 / 256, zero_point=-128)
        self._model.operator("SOFTMAX", [ifm], [ofm], "SoftmaxOptions", beta=1.0)
        return ofm

    def graph(self, *outputs: int) -> Graph:
        return parse_tflite(self._model.pack([self.image], outputs), "model").require_graph()


def widths(graph: Graph) -> list[int]:
    """Channels of every layer's ofm."""
    (plan,) = plan_graph(graph, PRESETS["u55-128"]).sections.values()
    return [layer.ofm_shape.channels for layer in plan.layers]


def check_results(graph: Graph) -> None:
    config = PRESETS["u55-128"]
    image = np.random.default_rng(5).integers(-128, 128, (1, 6, 5, 8)).astype(np.int8)
    program = compile_graph(graph, config)
    values = Runtime(program, InterpreterDevice(config)).run([image])
    for index, expected in zip(program.outputs, run_graph(graph, [image]), strict=True):
        np.testing.assert_array_equal(values[index], expected)


@pytest.mark.parametrize(
    ("unread", "left"),
    [
        (range(5, 21), 16),
        (range(0, 32, 2), 16),
        (range(31), 8),
        (range(32), 8),
        (range(8), 24),
        (range(7), 32),  # the bricks stay as many
        (range(0), 32),
    ],
)
def test_whole_bricks_are_left_out_back_to_the_first_layer(unread: Sequence[int], left: int) -> None:
    network = Network()
    wide = network.depthwise(network.convolution(network.image, 8, 32), 32)
    graph = network.graph(network.convolution(wide, 32, 8, unread))
    assert widths(graph) == [left, left, 8]
    check_results(graph)


def test_what_only_an_unread_channel_reads_is_left_out_as_well() -> None:
    network = Network()
    first = network.convolution(network.image, 8, 32)
    # Of the second map only channels 0..7 are read; the weights of the others are all that reads 16..31 of the first.
    second = network.convolution(first, 32, 32, block=(slice(0, 8), slice(16, 32)))
    graph = network.graph(network.convolution(second, 32, 8, range(8, 32)))
    assert widths(graph) == [16, 8, 8]
    check_results(graph)


def test_maps_that_are_added_lose_the_channels_that_neither_reader_needs() -> None:
    network = Network()
    one = network.convolution(network.image, 8, 32)
    other = network.convolution(one, 32, 32, range(4, 28))
    graph = network.graph(network.convolution(network.add(one, other, 32), 32, 8, range(2, 26)))
    assert widths(graph) == [16, 16, 16, 8]
    check_results(graph)


def test_every_reader_counts() -> None:
    network = Network()
    wide = network.convolution(network.image, 8, 32)
    low, high = (network.convolution(wide, 32, 8, unread) for unread in (range(12, 32), range(20)))
    graph = network.graph(low, high)
    assert widths(graph) == [24, 8, 8]
    check_results(graph)


def test_a_map_that_leaves_the_section_keeps_its_channels() -> None:
    network = Network()
    wide = network.convolution(network.image, 8, 32)
    graph = network.graph(wide, network.convolution(wide, 32, 8, range(32)))
    assert widths(graph) == [32, 8]
    check_results(graph)


def test_what_softmax_reads_keeps_its_channels() -> None:
    network = Network()
    wide = network.convolution(network.image, 8, 16)
    probabilities = network.softmax(wide, 16)
    graph = network.graph(network.convolution(probabilities, 16, 8, range(16)))
    assert widths(graph)[0] == 16
    check_results(graph)
