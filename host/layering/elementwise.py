"""ADD, SUB and MUL as layers."""

import numpy as np

from celosia.generators.chassis.layer import Broadcast, Layer, LayerKind, MapShape

from ..attributes import ElementwiseAttributes
from ..graph import BoundOperator, Tensor
from ..quantization import Rescale, activation_range, addition_rescale, multiplication_rescale
from ..reference.arithmetic import centered, rescaled
from .context import EngineRefusal, Source, copy_layer, requantization
from .unary import table_of
from .views import view

_EVERY = np.arange(-128, 128).astype(np.int8)


def _scalar_operand(operator: BoundOperator) -> int | None:
    """Position of a constant operand of one element, if there is one and the other is an activation."""
    constant = [tensor.is_constant and tensor.size == 1 for tensor in operator.operands]
    if constant[0] != constant[1]:
        return constant.index(True)
    return None


def _broadcast(second: Tensor, ofm: Tensor) -> tuple[MapShape, Broadcast]:
    """How `second` repeats over the ofm.

    Raises:
        EngineRefusal: it repeats in a way that rows, pixels and channels cannot express.
    """
    full = (1,) * (4 - len(ofm.shape)) + ofm.shape
    part = (1,) * (4 - len(second.shape)) + second.shape
    if (part[0] != full[0] and part[1] != 1) or (part[0] == full[0] != 1 and part[1] != full[1]):
        raise EngineRefusal([f"shape {second.shape} cannot repeat over the batch of {ofm.shape}"])
    shape = view(part)
    whole = view(full)
    return shape, Broadcast(
        rows=shape.height < whole.height,
        pixels=shape.width < whole.width,
        channels=shape.channels < whole.channels,
    )


def ordered_operands(operator: BoundOperator) -> tuple[tuple[int, int], MapShape, Broadcast]:
    """Both operands, first one that has the ofm's shape; the other's shape, and how it repeats.

    Raises:
        EngineRefusal: neither has that shape, or one repeats over a batch of several images.
    """
    operands, shape = operator.operands, view(operator.ofm.shape)
    order = (0, 1) if view(operands[0].shape) == shape else (1, 0)
    if view(operands[order[0]].shape) != shape:
        raise EngineRefusal(
            [
                f"one operand must have the ofm's shape {operator.ofm.shape}, not {operands[0].shape} and "
                f"{operands[1].shape}"
            ]
        )
    return order, *_broadcast(operands[order[1]], operator.ofm)


def _binary_layers(
    operator: BoundOperator,
    source: Source,
    kind: LayerKind,
    tables: tuple[np.ndarray, np.ndarray],
    rescale: Rescale,
) -> list[Layer]:
    attributes = operator.attributes
    assert isinstance(attributes, ElementwiseAttributes)
    scalar = _scalar_operand(operator)
    shape = view(operator.ofm.shape)
    if scalar is not None:
        table = table_of(source.graph, source.operator, 1 - scalar)
        return [
            copy_layer(operator.name, operator.index, source.maps[1 - scalar], source.ofm, shape, table=table)
        ]
    order, second, broadcast = ordered_operands(operator)
    bounds = activation_range(attributes.activation, operator.ofm)
    return [
        Layer(
            name=operator.name,
            operator=operator.index,
            kind=kind,
            ifm=source.maps[order[0]],
            ifm2=source.maps[order[1]],
            ofm=source.ofm,
            ifm_shape=shape,
            ifm2_shape=second,
            ofm_shape=shape,
            broadcast=broadcast,
            requantization=requantization(rescale, 0, operator.ofm, bounds, shape.channels),
            operand_tables=np.stack([tables[order[0]], tables[order[1]]]).astype(np.int32),
        )
    ]


def addition_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """ADD and SUB: both operands are rescaled by tables, SUB's second one negated.

    Raises:
        EngineRefusal: neither operand has the ofm's shape, or one repeats over a batch of several images.
    """
    rescale = addition_rescale(operator)
    tables = [
        rescaled(centered(_EVERY, tensor) << rescale.left_shift, rescale.inputs[position])
        for position, tensor in enumerate(operator.operands)
    ]
    if operator.kind == "SUB":
        tables[1] = -tables[1]
    return _binary_layers(operator, source, LayerKind.ADD, (tables[0], tables[1]), rescale.output)


def multiplication_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """MUL: the tables take off the zero points.

    Raises:
        EngineRefusal: neither operand has the ofm's shape, or one repeats over a batch of several images.
    """
    first, second = (centered(_EVERY, tensor) for tensor in operator.operands)
    return _binary_layers(
        operator, source, LayerKind.MULTIPLY, (first, second), multiplication_rescale(operator)
    )
