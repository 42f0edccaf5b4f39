"""One operator -> the layers that compute it on an engine."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from celosia.generators.chassis.layer import Layer

from ..graph import ABSENT, BoundOperator, Graph, Operator
from .context import EngineRefusal, Source
from .convolution import convolution_layers, depthwise_layers, fully_connected_layers
from .elementwise import addition_layers, multiplication_layers
from .layout import concatenation_layers, pad_layers
from .pooling import average_pool_layers, max_pool_layers, mean_layers
from .softmax import softmax_layers
from .unary import unary_layers

__all__ = ["BUILDERS", "EngineRefusal", "layers_of"]


_Build: TypeAlias = Callable[[BoundOperator, Source], Sequence[Layer]]

BUILDERS: dict[str, tuple[_Build, int | None]] = {
    "ADD": (addition_layers, 2),
    "AVERAGE_POOL_2D": (average_pool_layers, 1),
    "CONCATENATION": (concatenation_layers, None),
    "CONV_2D": (convolution_layers, 1),
    "DEPTHWISE_CONV_2D": (depthwise_layers, 1),
    "FULLY_CONNECTED": (fully_connected_layers, 1),
    "LOGISTIC": (unary_layers, 1),
    "MAX_POOL_2D": (max_pool_layers, 1),
    "MEAN": (mean_layers, 1),
    "MUL": (multiplication_layers, 2),
    "PAD": (pad_layers, 1),
    "PADV2": (pad_layers, 1),
    "RELU": (unary_layers, 1),
    "RELU6": (unary_layers, 1),
    "SOFTMAX": (softmax_layers, 1),
    "SUB": (addition_layers, 2),
    "TANH": (unary_layers, 1),
}
"""Kinds of operators that become layers, and how many of their inputs are feature maps (None: all).

RESHAPE moves no data and has no layers.
"""


def layers_of(
    graph: Graph, operator: Operator, maps: Sequence[str], ofm: str, brick_channels: int
) -> Sequence[Layer]:
    """The layers of `operator`, reading the feature maps `maps` (one per data operand) and writing `ofm`, for an
    engine whose buffer has bricks of `brick_channels`.

    Raises:
        EngineRefusal: what the layers cannot express, with every reason.
    """
    build, _ = BUILDERS[operator.kind]
    return build(graph.bind(operator), Source(graph, operator, tuple(maps), ofm, brick_channels))


def data_operands(operator: Operator) -> tuple[int, ...]:
    """Tensor indices that the operator's layers read as feature maps."""
    return tuple(index for index in operator.inputs[: BUILDERS[operator.kind][1]] if index != ABSENT)
