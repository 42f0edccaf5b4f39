"""Operators of one int8 input, element by element: a copy through a 256-entry table."""

from dataclasses import replace

import numpy as np

from celosia.generators.chassis.layer import Layer

from ..graph import BoundOperator, Graph, Operator, Tensor
from ..reference import run_operator
from .context import Source, copy_layer
from .views import view


def table_of(graph: Graph, operator: Operator, position: int = 0) -> np.ndarray:
    """int8[256]: what the reference kernel makes of input `position` being -128..127, other inputs constant."""
    every = np.arange(-128, 128).astype(np.int8)
    inputs = []
    tensors = list(graph.tensors)
    for place, index in enumerate(operator.inputs):
        tensor = graph.tensor(index)
        if place == position:
            tensors[index] = replace(tensor, shape=(256,), data=None)
            inputs.append(every)
        else:
            inputs.append(tensor.constant)
    ofm = operator.outputs[0]
    tensors[ofm] = replace(graph.tensor(ofm), shape=(256,))
    swept = _Sweep(tuple(tensors))
    return run_operator(swept.graph(graph), operator, inputs).reshape(256)


class _Sweep:
    """The operator's graph with its ifm and ofm replaced by 256 elements."""

    def __init__(self, tensors: tuple[Tensor, ...]) -> None:
        self._tensors = tensors

    def graph(self, graph: Graph) -> Graph:
        return replace(graph, tensors=self._tensors)


def unary_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """One copy through the table of the operator's reference kernel."""
    table = table_of(source.graph, source.operator)
    shape = view(operator.ofm.shape)
    return [copy_layer(operator.name, operator.index, source.maps[0], source.ofm, shape, table=table)]
