"""What a layer must look like to run on a CNN array.

A rule is one function, see `chassis.family.Rule`.
"""

from ..chassis.family import Rule
from ..chassis.tiles.rules import (
    dense_depth_multiplier,
    dilation,
    kernel,
    map_size,
    no_softmax,
    operands,
    output_channels,
    padding,
    row_size,
    stride_up_to_4,
)
from .config import CnnArrayConfig

RULES: tuple[Rule[CnnArrayConfig], ...] = (
    operands,
    kernel,
    stride_up_to_4,
    dilation,
    padding,
    map_size,
    row_size,
    dense_depth_multiplier,
    output_channels,
    no_softmax,
)
