"""What a layer must look like to run on a systolic engine.

A rule is one function, see `chassis.family.Rule`.
"""

from ..chassis.family import Rule
from ..chassis.tiles.rules import (
    dense_depth_multiplier,
    dilation,
    kernel,
    map_size,
    no_softmax,
    operands_in_passes,
    output_channels,
    padding,
    row_size,
    stride,
)
from .config import SystolicConfig

RULES: tuple[Rule[SystolicConfig], ...] = (
    operands_in_passes,
    kernel,
    stride,
    dilation,
    padding,
    map_size,
    row_size,
    dense_depth_multiplier,
    output_channels,
    no_softmax,
)
