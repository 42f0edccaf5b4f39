"""One operator -> the layers that compute it on an engine."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from celosia.generators.chassis.layer import Layer

from ..graph import ABSENT, BoundOperator, Graph, Operator
from .context import EngineRefusal, Source
from .convolution import convolution_layers, depthwise_layers, fully_connected_layers
from .elementwise import addition_layers, multiplication_layers
from .fixed_point import FIXED_POINT_KINDS, relu_layers, sum_layers
from .fixed_point import pad_layers as fixed_point_pad_layers
from .layout import concatenation_layers, pad_layers
from .planes import product_layers
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
    "MATRIX_PRODUCT": (product_layers, 1),
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


_FIXED_POINT_BUILDERS: dict[str, _Build] = {
    "ADD": sum_layers,
    "PAD": fixed_point_pad_layers,
    "RELU": relu_layers,
    "SUB": sum_layers,
}
"""Those of fixed-point numbers that have nothing in common with those of int8."""


def layers_of(
    graph: Graph, operator: Operator, maps: Sequence[str], ofm: str, brick_channels: int
) -> Sequence[Layer]:
    """The layers of `operator`, reading the feature maps `maps` (one per data operand) and writing `ofm`, for an
    engine whose buffer has bricks of `brick_channels`.

    Raises:
        EngineRefusal: what the layers cannot express, with every reason.
    """
    bound = graph.bind(operator)
    build, _ = BUILDERS[operator.kind]
    if bound.has_binary_points:
        if operator.kind not in FIXED_POINT_KINDS:
            raise EngineRefusal([f"{operator.kind} of fixed-point numbers runs on the host for now"])
        build = _FIXED_POINT_BUILDERS.get(operator.kind, build)
    return build(bound, Source(graph, operator, tuple(maps), ofm, brick_channels))


def data_operands(operator: Operator) -> tuple[int, ...]:
    """Tensor indices that the operator's layers read as feature maps."""
    return tuple(index for index in operator.inputs[: BUILDERS[operator.kind][1]] if index != ABSENT)
