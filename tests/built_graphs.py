"""Networks from the graph builder, for any number of images: together they have every kind of operator."""

from collections.abc import Callable

import numpy as np

from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder

__all__ = ["BUILT", "int8", "int32"]


def int8(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).integers(-127, 128, shape, np.int8)


def int32(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(-2000, 2000, count, np.int32)


def residual(images: int) -> Graph:
    """Convolutions of all paddings, strides and scales, and a shortcut around them."""
    builder = GraphBuilder("residual")
    image = builder.input((images, 9, 7, 3), scale=0.5, zero_point=4)
    stem = builder.convolution(
        image, int8((16, 3, 3, 3)), 0.01, scale=0.4, zero_point=-5, stride=(2, 2), bias=int32(16)
    )
    scales = np.linspace(0.002, 0.02, 16)
    deep = builder.convolution(
        stem, int8((16, 3, 3, 16)), scales, scale=0.5, activation="RELU", dilation=(2, 2)
    )
    total = builder.add(stem, deep, scale=0.6, zero_point=3, activation="RELU6")
    return builder.build([builder.convolution(total, int8((5, 3, 2, 16)), 0.01, scale=1.0, padding="VALID")])


def depthwise(images: int) -> Graph:
    """Depthwise convolutions, with and without a multiplier, then a classifier."""
    builder = GraphBuilder("depthwise")
    image = builder.input((images, 8, 8, 8), scale=0.25)
    multiplied = builder.depthwise_convolution(
        image, int8((3, 3, 16)), 0.02, scale=0.5, zero_point=-7, bias=int32(16)
    )
    plain = builder.depthwise_convolution(
        multiplied, int8((5, 3, 16)), np.linspace(0.01, 0.03, 16), scale=0.6, stride=(2, 2), activation="RELU"
    )
    averaged = builder.mean(plain, (1, 2), scale=0.3, zero_point=2)
    logits = builder.fully_connected(averaged, int8((10, 16)), 0.01, scale=0.2, bias=int32(10))
    return builder.build([builder.softmax(logits, beta=0.5)])


def pools(images: int) -> Graph:
    """Pools of both kinds and paddings, of which two are put together."""
    builder = GraphBuilder("pools")
    image = builder.input((images, 7, 9, 12), scale=0.125, zero_point=1)
    largest = builder.max_pool(image, (3, 3), stride=(2, 2), padding="SAME")
    average = builder.average_pool(image, (3, 2), stride=(2, 2), padding="SAME", activation="RELU")
    together = builder.concatenate([largest, average], -1)
    return builder.build([builder.average_pool(builder.max_pool(together, (2, 2)), (2, 2), stride=(1, 1))])


def gates(images: int) -> Graph:
    """Tables, products, differences, and results of the host between those of the engine."""
    builder = GraphBuilder("gates")
    left = builder.input((images, 5, 6, 16), scale=0.1, zero_point=-3)
    right = builder.input((images, 5, 6, 16), scale=0.05)
    gated = builder.multiply(builder.logistic(left), builder.tanh(right), scale=1 / 128)
    rows = builder.constant(int8((1, 1, 1, 16)), scale=0.01, zero_point=5)
    shifted = builder.subtract(gated, rows, scale=0.02, zero_point=9)
    padded = builder.pad(shifted, (0, 1, 2, 0), (0, 2, 1, 0))
    filled = builder.pad(padded, (0, 1, 0, 3), (0, 0, 1, 2), value=-100)
    clipped = builder.relu6(builder.relu(filled, scale=0.03, zero_point=-60))
    flat = builder.reshape(clipped, (images, -1))
    return builder.build([builder.dequantize(builder.quantize(flat, scale=0.05, zero_point=1))])


def floats(images: int) -> Graph:
    """Floats in and out, rows of a sequence through one layer."""
    builder = GraphBuilder("floats")
    sequence = builder.input((images, 6, 24), dtype="float32")
    stored = builder.quantize(sequence, scale=0.1, zero_point=-1)
    dense = builder.fully_connected(stored, int8((8, 24)), 0.01, scale=0.4, keep_dims=True)
    return builder.build([builder.dequantize(dense)])


BUILT: dict[str, Callable[[int], Graph]] = {
    build.__name__: build for build in (residual, depthwise, pools, gates, floats)
}
"""Each takes the number of images."""
