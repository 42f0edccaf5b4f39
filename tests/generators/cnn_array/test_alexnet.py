"""The five convolutions of AlexNet on the fixed-point arrays' RTL: every bit, every cycle, and how few cycles.

Sizes: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, in the
usual form without the loss of a pixel. Each convolution is a network of its own, from memory to memory.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from celosia.generators.cnn_array.config import PRESETS
from celosia.host.attributes import Padding
from celosia.host.fixed_point_builder import FixedPointBuilder
from celosia.host.graph import Graph
from celosia.host.reference import run_graph
from tests.engine_bench import EngineBench

TOTAL_MACS = 665_784_864
LEAST_UTILIZATION, LEAST_OF_A_LAYER = 0.80, 0.60


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


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["catapult-8x8-fixed16", "catapult-16x16-fixed16"])
def test_they_run_at_four_fifths_of_the_peak(preset: str) -> None:
    config, cycles = PRESETS[preset], 0
    for layer in ALEXNET:
        bench = EngineBench(layer.graph(), config)
        assert not bench.program.host_operators
        draw = np.random.default_rng(layer.image)
        image = draw.integers(-2000, 2000, (1, layer.image, layer.image, layer.inputs)).astype(np.int16)
        (actual,), (expected,) = bench.run([image]), run_graph(layer.graph(), [image])
        assert len(np.unique(expected)) > 1000
        np.testing.assert_array_equal(actual, expected, err_msg=f"{layer}")
        utilization = layer.macs / (bench.program.predicted_cycles * config.peak_macs)
        assert utilization >= LEAST_OF_A_LAYER, f"{layer}: {utilization:.1%}"
        cycles += bench.program.predicted_cycles  # which the bench found the engine to take
    assert cycles <= TOTAL_MACS / (LEAST_UTILIZATION * config.peak_macs), cycles
