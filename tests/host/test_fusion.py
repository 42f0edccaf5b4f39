"""Layers merged into their neighbours: fewer runs, the same bits."""

import numpy as np
import pytest

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.interpreter_device import InterpreterDevice
from tests.tflite_builder import ModelBuilder

CONFIG = PRESETS["u55-128"]
SHAPE = (1, 6, 5, 8)


class Network:
    """A chain of operators, one call each."""

    def __init__(self, shape: tuple[int, ...] = SHAPE, scale: float = 0.05, zero_point: int = 4) -> None:
        self.model = ModelBuilder()
        self.input = self.last = self.model.tensor(shape, scale=scale, zero_point=zero_point)
        self.shape = shape
        self.results: list[int] = []

    def _add(
        self, kind: str, inputs: list[int], result: int, options: str | None, **values: object
    ) -> "Network":
        self.model.operator(kind, inputs, [result], options, **values)
        self.last = result
        self.results.append(result)
        return self

    def logistic(self) -> "Network":
        return self._add(
            "LOGISTIC", [self.last], self.model.tensor(self.shape, scale=1 / 256, zero_point=-128), None
        )

    def scalar(
        self, kind: str, value: int, constant_scale: float, scale: float, zero_point: int
    ) -> "Network":
        constant = self.model.tensor((), scale=constant_scale, data=np.array(value, np.int8))
        result = self.model.tensor(self.shape, scale=scale, zero_point=zero_point)
        options = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}[kind]
        return self._add(kind, [self.last, constant], result, options)

    def convolution(self, padding: int, zero_point: int = 4) -> "Network":
        generator = np.random.default_rng(3)
        weights = self.model.tensor(
            (8, 3, 3, 8), scale=0.01, data=generator.integers(-127, 128, (8, 3, 3, 8), np.int8)
        )
        cut = 2 if padding else 0
        self.shape = (1, self.shape[1] - cut, self.shape[2] - cut, 8)
        result = self.model.tensor(self.shape, scale=0.05, zero_point=zero_point)
        options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
        return self._add("CONV_2D", [self.last, weights], result, "Conv2DOptions", padding=padding, **options)

    def pad(self) -> "Network":
        paddings = np.array([[0, 0], [1, 2], [2, 1], [0, 0]], np.int32)
        amounts = self.model.tensor((4, 2), "int32", data=paddings)
        self.shape = (1, self.shape[1] + 3, self.shape[2] + 3, self.shape[3])
        return self._add(
            "PAD", [self.last, amounts], self.model.tensor(self.shape, scale=0.05, zero_point=4), "PadOptions"
        )

    def graph(self, *outputs: int) -> Graph:
        content = self.model.pack([self.input], list(outputs) or [self.last])
        return parse_tflite(content, "chain.tflite").require_graph()


def layers_of(graph: Graph) -> list[str]:
    return [
        layer.name for section in compile_graph(graph, CONFIG).engine_sections for layer in section.layers
    ]


def check(graph: Graph) -> None:
    """The interpreter's results equal the reference kernels'."""
    inputs = [np.random.default_rng(5).integers(-128, 128, SHAPE).astype(np.int8)]
    program = compile_graph(graph, CONFIG)
    values = Runtime(program, InterpreterDevice(CONFIG)).run(inputs)
    for index, expected in zip(graph.outputs, run_graph(graph, inputs), strict=True):
        np.testing.assert_array_equal(values[index], expected)


def test_a_chain_of_unary_operators_is_one_table() -> None:
    graph = Network().scalar("MUL", 100, 0.02, 0.08, -3).scalar("SUB", 9, 0.1, 0.07, 5).logistic().graph()
    assert layers_of(graph) == ["MUL #0 + SUB #1 + LOGISTIC #2"]
    check(graph)


def test_a_table_joins_the_convolution_before_it() -> None:
    graph = Network().convolution(0).logistic().graph()
    assert layers_of(graph) == ["CONV_2D #0 + LOGISTIC #1"]
    check(graph)


def test_operators_that_cancel_out_cost_nothing() -> None:
    # times two in real numbers, with the scale doubled: the stored values stay
    graph = Network().scalar("MUL", 100, 0.02, 0.1, 4).convolution(0).graph()
    assert layers_of(graph) == ["MUL #0 + CONV_2D #1"]
    check(graph)


@pytest.mark.parametrize("padding", [0, 1])
def test_padding_joins_the_convolution_behind_it(padding: int) -> None:
    graph = Network().pad().convolution(padding).graph()
    assert layers_of(graph) == ["PAD #0 + CONV_2D #1"]
    check(graph)


def test_a_result_that_is_wanted_outside_is_written() -> None:
    network = Network().convolution(0)
    middle = network.last
    graph = network.logistic().graph(middle, middle + 1)
    assert layers_of(graph) == ["CONV_2D #0", "LOGISTIC #1"]
    check(graph)


def test_a_result_with_two_readers_is_written() -> None:
    network = Network().convolution(0)
    middle = network.last
    network.logistic()
    first = network.last
    network.last = middle
    graph = network.scalar("ADD", 9, 0.1, 0.07, 5).graph(first, network.last)
    assert layers_of(graph) == ["CONV_2D #0", "LOGISTIC #1", "ADD #2"]
    check(graph)
