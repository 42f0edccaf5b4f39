"""Operators on fixed-point numbers as layers, where they differ from those on int8."""

import numpy as np

from celosia.generators.chassis.fixed_point import FixedPointScaling
from celosia.generators.chassis.layer import Alignment, Layer, LayerKind, Window

from ..attributes import Activation, ElementwiseAttributes, PadAttributes
from ..binary_point import value_range
from ..graph import BoundOperator
from .batch import image_view, images_of, over_images
from .context import EngineRefusal, Source
from .elementwise import ordered_operands
from .views import view

__all__ = ["FIXED_POINT_KINDS", "copied", "pad_layers", "products_scaled", "relu_layers", "sum_layers"]

FIXED_POINT_KINDS = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "MAX_POOL_2D",
        "PAD",
        "RELU",
        "SUB",
    }
)
"""Kinds that become layers."""


def products_scaled(
    operator: BoundOperator, bias: np.ndarray, activation: Activation, channels: int
) -> FixedPointScaling:
    """From sums of products of ifm and weights to the ofm."""
    numbers = operator.ofm.numbers
    fraction_bits = operator.ifm.numbers.fraction_bits + operator.weights.numbers.fraction_bits
    minimum, maximum = value_range(activation, numbers)
    return FixedPointScaling(
        bias=np.broadcast_to(bias, (channels,)).astype(np.int64),
        right_shift=fraction_bits - numbers.fraction_bits,
        to_even=numbers.rounding == "EVEN",
        minimum=minimum,
        maximum=maximum,
        bits=numbers.bits,
    )


def copied(operator: BoundOperator, bounds: tuple[int, int], channels: int) -> FixedPointScaling:
    """From values of the ofm's binary point, within bounds."""
    return FixedPointScaling(np.zeros(channels, np.int64), 0, True, *bounds, operator.ofm.numbers.bits)


def relu_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """RELU is a copy that clamps."""
    shape = view(operator.ofm.shape)
    bounds = value_range("RELU", operator.ofm.numbers)
    return [
        Layer(
            name=operator.name,
            operator=operator.index,
            kind=LayerKind.MAXIMUM,
            ifm=source.maps[0],
            ofm=source.ofm,
            ifm_shape=shape,
            ofm_shape=shape,
            requantization=copied(operator, bounds, shape.channels),
        )
    ]


def pad_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """PAD of height and width is a copy whose padding is zero, for every image.

    Raises:
        EngineRefusal: it pads images or channels.
    """
    attributes = operator.attributes
    assert isinstance(attributes, PadAttributes)
    missing = (0,) * (4 - len(operator.ifm.shape))
    before, after = missing + attributes.before, missing + attributes.after
    if before[0] or after[0] or before[3] or after[3]:
        raise EngineRefusal(["fixed-point images and channels must not be padded"])
    shape = image_view(operator.ofm)
    layer = Layer(
        name=operator.name,
        operator=operator.index,
        kind=LayerKind.MAXIMUM,
        ifm=source.maps[0],
        ofm=source.ofm,
        ifm_shape=image_view(operator.ifm),
        ofm_shape=shape,
        requantization=copied(operator, operator.ofm.numbers.limits, shape.channels),
        window=Window(pad_top=before[1], pad_left=before[2]),
    )
    return over_images([layer], images_of(operator.ifm))


def sum_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """ADD and SUB: the operand whose binary point is further to the right stays, the other is shifted to it.

    Raises:
        EngineRefusal: neither operand has the ofm's shape, or one repeats over a batch of several images.
    """
    attributes, numbers = operator.attributes, operator.ofm.numbers
    assert isinstance(attributes, ElementwiseAttributes)
    order, second, broadcast = ordered_operands(operator)
    first_fraction, second_fraction = (operator.operand(place).numbers.fraction_bits for place in order)
    shape = view(operator.ofm.shape)
    minimum, maximum = value_range(attributes.activation, numbers)
    return [
        Layer(
            name=operator.name,
            operator=operator.index,
            kind=LayerKind.ADD,
            ifm=source.maps[order[0]],
            ifm2=source.maps[order[1]],
            ofm=source.ofm,
            ifm_shape=shape,
            ifm2_shape=second,
            ofm_shape=shape,
            broadcast=broadcast,
            alignment=Alignment(
                shift=abs(first_fraction - second_fraction),
                shifts_second=second_fraction < first_fraction,
                negated=(order[0] == 1, order[1] == 1) if operator.kind == "SUB" else (False, False),
            ),
            requantization=FixedPointScaling(
                bias=np.zeros(shape.channels, np.int64),
                right_shift=max(first_fraction, second_fraction) - numbers.fraction_bits,
                to_even=numbers.rounding == "EVEN",
                minimum=minimum,
                maximum=maximum,
                bits=numbers.bits,
            ),
        )
    ]
