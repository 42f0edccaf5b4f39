"""Run a graph on the reference kernels."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..graph import ABSENT, BoundOperator, Graph, Operator
from .activation import logistic, relu, relu6, softmax, tanh
from .binary_point import FIXED_POINT_KERNELS
from .convolution import conv_2d, depthwise_conv_2d, fully_connected
from .elementwise import add, multiply, subtract
from .int16 import INT16_KERNELS
from .layout import concatenate, pad, reshape
from .pooling import average_pool_2d, max_pool_2d, mean
from .quantize import dequantize, quantize

__all__ = ["UNARY_KINDS", "run_graph", "run_operator", "trace_graph", "unary_table"]

# Which inputs a kernel is handed: all of them, or the ifm alone where the rest is in its attributes or constant.
_ALL, _IFM = slice(None), slice(1)

_KERNELS: dict[str, tuple[Callable[..., np.ndarray], slice]] = {
    "ADD": (add, _ALL),
    "AVERAGE_POOL_2D": (average_pool_2d, _IFM),
    "CONCATENATION": (concatenate, _ALL),
    "CONV_2D": (conv_2d, _IFM),
    "DEPTHWISE_CONV_2D": (depthwise_conv_2d, _IFM),
    "DEQUANTIZE": (dequantize, _IFM),
    "FULLY_CONNECTED": (fully_connected, _IFM),
    "LOGISTIC": (logistic, _IFM),
    "MAX_POOL_2D": (max_pool_2d, _IFM),
    "MEAN": (mean, _IFM),
    "MUL": (multiply, _ALL),
    "PAD": (pad, _IFM),
    "PADV2": (pad, _IFM),
    "QUANTIZE": (quantize, _IFM),
    "RELU": (relu, _IFM),
    "RELU6": (relu6, _IFM),
    "RESHAPE": (reshape, _IFM),
    "SOFTMAX": (softmax, _IFM),
    "SUB": (subtract, _ALL),
    "TANH": (tanh, _IFM),
}


def run_operator(graph: Graph, operator: Operator, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """The result of one operator from the values of its inputs, in order."""
    bound = graph.bind(operator)
    if bound.has_binary_points:
        fixed_point_kernel, count = FIXED_POINT_KERNELS[operator.kind]
        return fixed_point_kernel(bound, *inputs[:count])
    if bound.is_wide:
        return INT16_KERNELS[operator.kind](bound, inputs[0])
    kernel, selection = _KERNELS[operator.kind]
    return kernel(bound, *inputs[selection])


UNARY_KINDS = ("LOGISTIC", "QUANTIZE", "RELU", "RELU6", "TANH")
"""Kinds that map each int8 element on its own, so that a table of 256 results says everything."""


def unary_table(operator: BoundOperator) -> npt.NDArray[np.int8]:
    """The results of an int8 operator of `UNARY_KINDS` for the ifm values -128..127, in order.

    Raises ValueError for other operators.
    """
    if operator.kind not in UNARY_KINDS or (operator.ifm.dtype, operator.ofm.dtype) != ("int8", "int8"):
        raise ValueError(f"{operator.name} must be one of {', '.join(UNARY_KINDS)} from int8 to int8")
    kernel, _ = _KERNELS[operator.kind]
    return kernel(operator, np.arange(-128, 128).astype(np.int8))


def run_graph(graph: Graph, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The graph's outputs for one inference; see `trace_graph` for ``inputs`` and the errors raised."""
    values = trace_graph(graph, inputs)
    return [values[index] for index in graph.outputs]


def trace_graph(graph: Graph, inputs: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
    """The value of every tensor, by its index, after one inference.

    ``inputs`` are in the order of ``graph.inputs``. Raises ValueError when their number or a shape is wrong and
    TypeError when a data type is.
    """
    if len(inputs) != len(graph.inputs):
        raise ValueError(f"there must be {len(graph.inputs)} inputs, not {len(inputs)}")
    values = {index: tensor.data for index, tensor in enumerate(graph.tensors) if tensor.data is not None}
    for index, array in zip(graph.inputs, inputs, strict=True):
        tensor = graph.tensor(index)
        if array.dtype != np.dtype(tensor.dtype):
            raise TypeError(f"input {tensor.name!r} must be {tensor.dtype}, not {array.dtype}")
        if array.shape != tensor.shape:
            raise ValueError(f"input {tensor.name!r} must have shape {tensor.shape}, not {array.shape}")
        values[index] = array
    for operator in graph.operators:
        operands = [values[index] for index in operator.inputs if index != ABSENT]
        values[operator.outputs[0]] = run_operator(graph, operator, operands)
    return values
