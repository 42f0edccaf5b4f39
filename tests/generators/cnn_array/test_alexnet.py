"""The five convolutions of AlexNet on the fixed-point arrays: every bit, every cycle, and how few cycles.

The small arrays run them on their RTL; the large one, which is too large to simulate, on its command interpreter, and
its exact cycle model counts.

Sizes: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, in the
usual form without the loss of a pixel. Each convolution is a network of its own, from memory to memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.cnn_array.config import PRESETS
from celosia.host.attributes import Padding
from celosia.host.compiler import compile_graph
from celosia.host.fixed_point_builder import FixedPointBuilder
from celosia.host.graph import Graph
from celosia.host.prediction import with_predictions
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from tests.any_order import in_any_order
from tests.engine_bench import EngineBench
from tests.interpreter_device import InterpreterDevice

TOTAL_MACS = 665_784_864
LEAST_UTILIZATION, LEAST_OF_A_LAYER = 0.80, 0.60
LARGE = PRESETS["catapult-61x64"]


@dataclass(frozen=True)
class Convolution:
    """A square kernel over a square image, with 16-bit numbers drawn by a seed."""

    image: int
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    groups: int = 1
    padding: Padding = "SAME"

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        size = -(-self.image // self.stride)
        if self.padding == "VALID":
            size = (self.image - self.kernel) // self.stride + 1
        return size**2 * self.outputs * self.kernel**2 * self.inputs // self.groups

    def graph(self) -> Graph:
        """The network; with RELU."""
        draw = np.random.default_rng([self.kernel, self.outputs])
        shape = self.outputs, self.kernel, self.kernel, self.inputs // self.groups
        builder = FixedPointBuilder("convolution", bits=16, rounding="EVEN")
        image = builder.input((1, self.image, self.image, self.inputs), fraction_bits=8)
        ofm = builder.convolution(
            image,
            draw.integers(-3000, 3000, shape),
            14,
            fraction_bits=7,
            bias=draw.integers(-(1 << 24), 1 << 24, self.outputs),
            stride=(self.stride, self.stride),
            padding=self.padding,
            activation="RELU",
        )
        return builder.build([ofm])


ALEXNET = (
    Convolution(227, 3, 96, 11, stride=4, padding="VALID"),
    Convolution(27, 96, 256, 5, groups=2),
    Convolution(13, 256, 384, 3),
    Convolution(13, 384, 384, 3, groups=2),
    Convolution(13, 384, 256, 3, groups=2),
)


def test_they_are_the_network_s() -> None:
    assert sum(layer.macs for layer in ALEXNET) == TOTAL_MACS


def check_cycles(cycles: Sequence[int], units: int) -> None:
    """Four fifths of the peak in all, three fifths in each layer."""
    for layer, own in zip(ALEXNET, cycles, strict=True):
        utilization = layer.macs / (own * units)
        assert utilization >= LEAST_OF_A_LAYER, f"{layer}: {utilization:.1%}"
    assert sum(cycles) <= TOTAL_MACS / (LEAST_UTILIZATION * units), cycles


def image_of(layer: Convolution) -> np.ndarray:
    draw = np.random.default_rng(layer.image)
    shape = 1, layer.image, layer.image, layer.inputs
    return draw.integers(-2000, 2000, shape).astype(np.int16)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["catapult-8x8-fixed16", "catapult-16x16-fixed16"])
def test_they_run_at_four_fifths_of_the_peak(preset: str) -> None:
    config, cycles = PRESETS[preset], []
    for layer in ALEXNET:
        bench = EngineBench(layer.graph(), config)
        assert not bench.program.host_operators
        image = image_of(layer)
        (actual,), (expected,) = bench.run([image]), run_graph(layer.graph(), [image])
        assert len(np.unique(expected)) > 1000
        np.testing.assert_array_equal(actual, expected, err_msg=f"{layer}")
        cycles.append(bench.program.predicted_cycles)  # which the bench found the engine to take
    check_cycles(cycles, config.peak_macs)


def test_the_large_array_runs_them_at_four_fifths_of_its_peak() -> None:
    memory = MemoryModel(bytes_per_cycle=Fraction(LARGE.data_bits // 8))  # a beat a cycle
    cycles = []
    for layer in ALEXNET:
        program = with_predictions(compile_graph(layer.graph(), LARGE), memory)
        assert not program.host_operators
        cycles.append(program.predicted_cycles)
    check_cycles(cycles, LARGE.peak_macs)


@pytest.mark.parametrize("layer", ALEXNET, ids=lambda layer: f"{layer.kernel}x{layer.kernel} {layer.outputs}")
def test_the_large_array_s_commands_compute_them(layer: Convolution) -> None:
    """Also in other orders in which its queues may run them."""
    program, image = compile_graph(layer.graph(), LARGE), image_of(layer)
    (expected,) = run_graph(layer.graph(), [image])
    assert len(np.unique(expected)) > 1000
    for ordered in (program, in_any_order(program, 1), in_any_order(program, 2)):
        values = Runtime(ordered, InterpreterDevice(LARGE)).run([image])
        np.testing.assert_array_equal(values[program.outputs[0]], expected)
