"""The random choices that seeded TFLite files are made of: sizes, scales, data, and what several operators need."""

import math
import zlib
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from tests.tflite_builder import ModelBuilder

__all__ = [
    "ACTIVATIONS",
    "SAME",
    "VALID",
    "Draw",
    "Pair",
    "Writer",
    "activation",
    "convolution_geometry",
    "weights_and_bias",
    "windowed",
]

ACTIVATIONS = (0, 1, 2, 3)  # NONE, RELU, RELU_N1_TO_1, RELU6
SAME, VALID = 0, 1

Pair: TypeAlias = list[int]
"""Height and width."""


class Draw:
    """Random choices of shapes, scales and data; every writer below is a list of draws."""

    def __init__(self, operator: str, seed: int) -> None:
        self.generator = np.random.default_rng([zlib.crc32(operator.encode()), seed])

    def integer(self, low: int, high: int) -> int:
        """Uniform in ``low``..``high``, both included."""
        return int(self.generator.integers(low, high + 1))

    def small(self, high: int) -> int:
        """In 1..``high``, mostly small."""
        return self.integer(1, self.integer(1, high))

    def chance(self, probability: float) -> bool:
        """True with ``probability``."""
        return bool(self.generator.random() < probability)

    def choice(self, *options: int) -> int:
        """One of ``options``."""
        return int(self.generator.choice(options))

    def size(self) -> int:
        """Height or width of an image: mostly small, sometimes large enough to be tiled."""
        return self.integer(20, 40) if self.chance(0.05) else self.integer(1, 12)

    def channels(self) -> int:
        """A number of channels: mostly small, sometimes beyond a few hardware lanes."""
        return self.integer(33, 80) if self.chance(0.1) else self.small(32)

    def scale(self) -> float:
        """A scale, usually ordinary, sometimes extreme, as float32."""
        exponent = self.generator.uniform(-24, 10) if self.chance(0.15) else self.generator.uniform(-10, 0)
        return float(np.float32(2.0**exponent))

    def zero_point(self) -> int:
        """A zero point, often at the ends of int8."""
        return self.choice(-128, 127, 0) if self.chance(0.4) else self.integer(-128, 127)

    def int8(self, *shape: int) -> np.ndarray:
        """Data over all of int8, sometimes only its extremes."""
        if self.chance(0.1):
            return self.generator.choice(np.array([-128, 127], np.int8), shape)
        return self.generator.integers(-128, 128, shape, np.int8)

    def spread(self, scale: float, terms: int) -> float:
        """An ofm scale for a sum of ``terms`` products in steps of ``scale``.

        Usually the results spread over the ofm's range, sometimes they all saturate or all vanish.
        """
        exponent = self.generator.uniform(-26, 26) if self.chance(0.15) else self.generator.uniform(4, 9)
        return max(float(np.float32(scale * math.sqrt(terms) * 2.0**exponent)), 1e-30)


Writer: TypeAlias = Callable[[ModelBuilder, Draw], tuple[list[int], int]]
"""Adds an operator to the model; returns the graph's inputs and its output."""


def activation(model: ModelBuilder, draw: Draw, *shape: int, scale: float | None = None) -> int:
    """Add an int8 tensor of activations with random quantisation."""
    return model.tensor(shape, scale=draw.scale() if scale is None else scale, zero_point=draw.zero_point())


def weights_and_bias(
    model: ModelBuilder, draw: Draw, shape: tuple[int, ...], axis: int, ifm_scale: float
) -> tuple[list[int], float]:
    """Add weights, per tensor or per channel, and usually a bias; returns their indices and the largest scale."""
    channels = shape[axis]
    scales = [draw.scale()] * channels
    per_channel = draw.chance(0.6)
    if per_channel:
        scales = [
            float(np.float32(scales[0] * 2.0 ** draw.generator.uniform(-3, 0))) for _ in range(channels)
        ]
    weights = model.tensor(
        shape, scale=scales if per_channel else scales[0], axis=axis, data=draw.int8(*shape)
    )
    if draw.chance(0.15):
        return [weights], max(scales)
    magnitude = 2 ** draw.integer(1, 31) if draw.chance(0.2) else 1 << 12
    bias = model.tensor(
        (channels,),
        "int32",
        [ifm_scale * scale for scale in (scales if per_channel else scales[:1])],
        data=draw.generator.integers(-magnitude, magnitude, channels).astype(np.int32),
    )
    return [weights, bias], max(scales)


def windowed(ifm: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    """Positions of a window, 0 or less when it does not fit."""
    extent = (kernel - 1) * dilation + 1
    return -(-ifm // stride) if padding == SAME else (ifm - extent) // stride + 1


def convolution_geometry(draw: Draw, largest_kernel: int = 16) -> tuple[Pair, Pair, Pair, Pair, int]:
    """Image, kernel, stride, dilation (height, width each) and padding, such that at least one window fits."""
    while True:
        kernel = [draw.small(largest_kernel), draw.small(largest_kernel)]
        stride = [draw.integer(1, 3), draw.integer(1, 3)]
        dilation = [draw.integer(1, 2), draw.integer(1, 2)] if draw.chance(0.3) else [1, 1]
        padding = draw.choice(SAME, VALID)
        image = [draw.size() + (kernel[axis] if padding == VALID else 0) for axis in (0, 1)]
        if all(
            windowed(image[axis], kernel[axis], stride[axis], dilation[axis], padding) > 0 for axis in (0, 1)
        ):
            return image, kernel, stride, dilation, padding
