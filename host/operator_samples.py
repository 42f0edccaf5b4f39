"""A small network of every kind of operator, to ask where it runs."""

from collections.abc import Callable

import numpy as np

from .graph import Graph
from .graph_builder import GraphBuilder, Value

_CHANNELS = 16
_IMAGE = (1, 8, 8, _CHANNELS)


def operator_sample(kind: str) -> Graph:
    """A graph whose only operator is of that kind, ordinary in every way.

    Raises:
        ValueError: no such kind is supported.
    """
    if kind not in _SAMPLES:
        raise ValueError(f"kind must be one of {', '.join(_SAMPLES)}, not {kind!r}")
    builder = GraphBuilder(kind)
    if kind == "QUANTIZE":
        image = builder.input(_IMAGE, dtype="float32")
    else:
        image = builder.input(_IMAGE, scale=0.5)
    return builder.build([_SAMPLES[kind](builder, image)])


def _other(builder: GraphBuilder) -> Value:
    return builder.input(_IMAGE, scale=0.5)


def _ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.int8)


_SAMPLES: dict[str, Callable[[GraphBuilder, Value], Value]] = {
    "ADD": lambda builder, image: builder.add(image, _other(builder), scale=1.0),
    "AVERAGE_POOL_2D": lambda builder, image: builder.average_pool(image, (2, 2)),
    "CONCATENATION": lambda builder, image: builder.concatenate([image, _other(builder)], -1),
    "CONV_2D": lambda builder, image: builder.convolution(
        image, _ones(_CHANNELS, 3, 3, _CHANNELS), 1.0, scale=9.0
    ),
    "DEPTHWISE_CONV_2D": lambda builder, image: builder.depthwise_convolution(
        image, _ones(3, 3, _CHANNELS), 1.0, scale=9.0
    ),
    "DEQUANTIZE": lambda builder, image: builder.dequantize(image),
    "FULLY_CONNECTED": lambda builder, image: builder.fully_connected(
        image, _ones(_CHANNELS, 64 * _CHANNELS), 1.0, scale=9.0
    ),
    "LOGISTIC": lambda builder, image: builder.logistic(image),
    "MAX_POOL_2D": lambda builder, image: builder.max_pool(image, (2, 2)),
    "MEAN": lambda builder, image: builder.mean(image, (1, 2), scale=0.5),
    "MUL": lambda builder, image: builder.multiply(image, _other(builder), scale=1.0),
    "PAD": lambda builder, image: builder.pad(image, (0, 1, 1, 0), (0, 1, 1, 0)),
    "PADV2": lambda builder, image: builder.pad(image, (0, 1, 1, 0), (0, 1, 1, 0), value=-1),
    "QUANTIZE": lambda builder, image: builder.quantize(image, scale=0.5),
    "RELU": lambda builder, image: builder.relu(image),
    "RELU6": lambda builder, image: builder.relu6(image),
    "RESHAPE": lambda builder, image: builder.reshape(image, (1, -1)),
    "SOFTMAX": lambda builder, image: builder.softmax(image),
    "SUB": lambda builder, image: builder.subtract(image, _other(builder), scale=1.0),
    "TANH": lambda builder, image: builder.tanh(image),
}
