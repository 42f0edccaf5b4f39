"""What an operator does besides its tensors: one frozen dataclass per kind of operator.

Pairs are (height, width). Values are checked on construction, so that an `Operator` never carries a stride
of zero or an unknown padding.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Activation: TypeAlias = Literal["NONE", "RELU", "RELU6", "RELU_N1_TO_1"]
Padding: TypeAlias = Literal["SAME", "VALID"]
Pair: TypeAlias = tuple[int, int]

_LARGEST_STEP = 1 << 16  # far beyond any use, and small enough that positions in an image fit 32 bits


def _check_positive_pair(name: str, pair: Pair) -> None:
    if not (1 <= min(pair) and max(pair) <= _LARGEST_STEP):
        raise ValueError(f"{name} must be in 1..{_LARGEST_STEP} in height and width, not {pair}")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value}")


def _check_activation(value: str) -> None:
    _check_choice("activation", value, get_args(Activation))


def _check_padding(value: str) -> None:
    _check_choice("padding", value, get_args(Padding))


@dataclass(frozen=True, slots=True)
class NoAttributes:
    """QUANTIZE, DEQUANTIZE, LOGISTIC, TANH, RELU, RELU6 and RESHAPE: the tensors say everything."""


@dataclass(frozen=True, slots=True)
class ConvAttributes:
    """CONV_2D."""

    stride: Pair
    dilation: Pair
    padding: Padding
    activation: Activation

    def __post_init__(self) -> None:
        _check_positive_pair("stride", self.stride)
        _check_positive_pair("dilation", self.dilation)
        _check_padding(self.padding)
        _check_activation(self.activation)


@dataclass(frozen=True, slots=True)
class DepthwiseAttributes:
    """DEPTHWISE_CONV_2D: ofm channel ``c`` reads ifm channel ``c // depth_multiplier``."""

    stride: Pair
    dilation: Pair
    padding: Padding
    activation: Activation
    depth_multiplier: int

    def __post_init__(self) -> None:
        _check_positive_pair("stride", self.stride)
        _check_positive_pair("dilation", self.dilation)
        _check_padding(self.padding)
        _check_activation(self.activation)
        if self.depth_multiplier < 1:
            raise ValueError(f"depth_multiplier must be at least 1, not {self.depth_multiplier}")


@dataclass(frozen=True, slots=True)
class FullyConnectedAttributes:
    """FULLY_CONNECTED; ``keep_dims`` keeps all but the ifm's last dimension in the ofm."""

    activation: Activation
    keep_dims: bool = False

    def __post_init__(self) -> None:
        _check_activation(self.activation)


@dataclass(frozen=True, slots=True)
class ElementwiseAttributes:
    """ADD, SUB and MUL."""

    activation: Activation

    def __post_init__(self) -> None:
        _check_activation(self.activation)


@dataclass(frozen=True, slots=True)
class PoolAttributes:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""

    kernel: Pair
    stride: Pair
    padding: Padding
    activation: Activation

    def __post_init__(self) -> None:
        _check_positive_pair("kernel", self.kernel)
        _check_positive_pair("stride", self.stride)
        _check_padding(self.padding)
        _check_activation(self.activation)


@dataclass(frozen=True, slots=True)
class MeanAttributes:
    """MEAN over ``axes`` (sorted, non-negative); ``keep_dims`` leaves a dimension of 1 for each."""

    axes: tuple[int, ...]
    keep_dims: bool

    def __post_init__(self) -> None:
        if not self.axes or tuple(sorted(set(self.axes))) != self.axes or self.axes[0] < 0:
            raise ValueError(f"axes must be sorted, distinct and not negative, not {self.axes}")


@dataclass(frozen=True, slots=True)
class PadAttributes:
    """PAD and PADV2: ``before`` and ``after`` count elements per dimension, ``value`` fills them (quantised)."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    value: int

    def __post_init__(self) -> None:
        if len(self.before) != len(self.after):
            raise ValueError(
                f"before and after must have one entry per dimension, not {self.before} {self.after}"
            )
        if min(self.before + self.after, default=0) < 0:
            raise ValueError(f"paddings must not be negative, not {self.before} and {self.after}")


@dataclass(frozen=True, slots=True)
class ConcatenationAttributes:
    """CONCATENATION along ``axis`` (not negative)."""

    axis: int

    def __post_init__(self) -> None:
        if self.axis < 0:
            raise ValueError(f"axis must not be negative, not {self.axis}")


@dataclass(frozen=True, slots=True)
class SoftmaxAttributes:
    """SOFTMAX over the last dimension of ``beta`` times the ifm."""

    beta: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.beta) and self.beta > 0):
            raise ValueError(f"beta must be finite and positive, not {self.beta}")


Attributes: TypeAlias = (
    NoAttributes
    | ConvAttributes
    | DepthwiseAttributes
    | FullyConnectedAttributes
    | ElementwiseAttributes
    | PoolAttributes
    | MeanAttributes
    | PadAttributes
    | ConcatenationAttributes
    | SoftmaxAttributes
)
