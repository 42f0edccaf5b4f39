"""The integer constants of each operator, derived from the scales as TensorFlow Lite Micro's Prepare does.

The order of operations and the float widths are the framework's, since a multiplier that differs in its last
bit changes results. Sources: ``tensorflow/lite/kernels/kernel_util.cc`` and
``tensorflow/lite/micro/kernels/*_common.cc``.
"""

import math
from dataclasses import dataclass

import numpy as np

from celosia.hdl.arithmetic_model import INT32_MAX, INT32_MIN, quantize_multiplier

from .attributes import Activation, SoftmaxAttributes
from .graph import BoundOperator, Tensor

__all__ = [
    "SIGMOID_INTEGER_BITS",
    "SOFTMAX_INTEGER_BITS",
    "AdditionRescale",
    "Rescale",
    "SigmoidRescale",
    "SoftmaxRescale",
    "activation_range",
    "addition_rescale",
    "convolution_rescale",
    "mean_rescale",
    "multiplication_rescale",
    "requantization_rescale",
    "sigmoid_rescale",
    "softmax_rescale",
]

_ADDITION_LEFT_SHIFT = 20

SIGMOID_INTEGER_BITS = 4
"""Integer bits of the fixed-point format in which LOGISTIC and TANH are evaluated."""

SOFTMAX_INTEGER_BITS = 5
"""Integer bits of the fixed-point format in which SOFTMAX's exponentials are evaluated."""


@dataclass(frozen=True, slots=True)
class Rescale:
    """``value * multiplier * 2**(shift - 31)``: one pair, or one per ofm channel."""

    multiplier: tuple[int, ...]
    shift: tuple[int, ...]

    @property
    def per_channel(self) -> bool:
        """Whether there is one pair per ofm channel."""
        return len(self.multiplier) > 1


@dataclass(frozen=True, slots=True)
class AdditionRescale:
    """ADD and SUB: both operands are shifted left and rescaled to a common scale, the sum to the ofm's."""

    left_shift: int
    inputs: tuple[Rescale, Rescale]
    output: Rescale


@dataclass(frozen=True, slots=True)
class SoftmaxRescale:
    """SOFTMAX: differences to the maximum in Q5.26, and the smallest one that still counts."""

    rescale: Rescale
    minimum_difference: int


@dataclass(frozen=True, slots=True)
class SigmoidRescale:
    """LOGISTIC and TANH: inputs to Q4.27, and the distance from the zero point where results are extremes."""

    rescale: Rescale
    radius: int


def activation_range(activation: Activation, ofm: Tensor) -> tuple[int, int]:
    """The smallest and largest stored value that ``activation`` leaves in ``ofm``.

    Raises ValueError when a bound does not fit 32 bits.
    """
    limits = np.iinfo(ofm.dtype)
    low, high = {
        "NONE": (None, None),
        "RELU": (0.0, None),
        "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }[activation]
    minimum = limits.min if low is None else max(limits.min, _quantize(low, ofm))
    maximum = limits.max if high is None else min(limits.max, _quantize(high, ofm))
    return int(minimum), int(maximum)


def _quantize(real: float, ofm: Tensor) -> int:
    with np.errstate(over="ignore"):
        ratio = float(np.float32(real) / np.float32(ofm.scale))
    if not abs(ratio) < INT32_MAX:
        raise ValueError(f"the activation bound {real} must fit 32 bits in steps of {ofm.scale}")
    stored = ofm.zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))
    if not INT32_MIN <= stored <= INT32_MAX:
        raise ValueError(f"the activation bound {real} must fit 32 bits in steps of {ofm.scale}")
    return stored


def _rescale(*factors: float) -> Rescale:
    pairs = [quantize_multiplier(factor) for factor in factors]
    return Rescale(tuple(multiplier for multiplier, _ in pairs), tuple(shift for _, shift in pairs))


def convolution_rescale(operator: BoundOperator) -> Rescale:
    """CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: one pair, or one per ofm channel."""
    quantization = operator.weights.quantization
    if quantization is None:
        raise ValueError("weights must be quantised")
    ifm, ofm = operator.ifm.scale, operator.ofm.scale
    return _rescale(*(ifm * scale / ofm for scale in quantization.scale))


def addition_rescale(operator: BoundOperator) -> AdditionRescale:
    """ADD and SUB. Raises ValueError when the ofm's scale is too small for the operands'."""
    left, right = operator.operand(0).scale, operator.operand(1).scale
    twice_maximum = 2 * max(left, right)
    output = twice_maximum / ((1 << _ADDITION_LEFT_SHIFT) * operator.ofm.scale)
    if output >= 1:
        raise ValueError(f"the ofm's scale must be above {twice_maximum / (1 << _ADDITION_LEFT_SHIFT)}")
    return AdditionRescale(
        _ADDITION_LEFT_SHIFT,
        (_rescale(left / twice_maximum), _rescale(right / twice_maximum)),
        _rescale(output),
    )


def multiplication_rescale(operator: BoundOperator) -> Rescale:
    """MUL."""
    return _rescale(operator.operand(0).scale * operator.operand(1).scale / operator.ofm.scale)


def requantization_rescale(operator: BoundOperator) -> Rescale:
    """QUANTIZE between integer types, and RELU: the ifm's scale to the ofm's."""
    return _rescale(operator.ifm.scale / operator.ofm.scale)


def mean_rescale(operator: BoundOperator, count: int) -> Rescale:
    """MEAN of ``count`` elements: their sum to the ofm, the division folded into the multiplier."""
    multiplier, shift = quantize_multiplier(operator.ifm.scale / operator.ofm.scale)
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return Rescale(((multiplier << extra) // count,), (shift - extra,))


def softmax_rescale(operator: BoundOperator) -> SoftmaxRescale:
    """SOFTMAX. Raises ValueError when ``beta`` times the ifm's scale is below 2**-26."""
    attributes = operator.attributes
    if not isinstance(attributes, SoftmaxAttributes):
        raise TypeError(f"attributes must be SoftmaxAttributes, not {type(attributes).__name__}")
    fraction_bits = 31 - SOFTMAX_INTEGER_BITS
    real = min(attributes.beta * operator.ifm.scale * (1 << fraction_bits), float(INT32_MAX))
    if real <= 1:
        raise ValueError(f"beta times the ifm's scale must be above 2**-{fraction_bits}")
    multiplier, shift = quantize_multiplier(real)
    return SoftmaxRescale(Rescale((multiplier,), (shift,)), -_input_radius(SOFTMAX_INTEGER_BITS, shift))


def sigmoid_rescale(operator: BoundOperator) -> SigmoidRescale:
    """LOGISTIC and TANH. Raises ValueError unless the ifm's scale is in 2**-28..2**30."""
    fraction_bits = 31 - SIGMOID_INTEGER_BITS
    real = operator.ifm.scale * (1 << fraction_bits)
    shift = math.frexp(real)[1]
    if shift < 0 or operator.ifm.scale > 1 << 30:
        raise ValueError(
            f"the ifm's scale must be in 2**-{fraction_bits + 1}..2**30, not {operator.ifm.scale}"
        )
    radius = _input_radius(SIGMOID_INTEGER_BITS, shift)
    return SigmoidRescale(_rescale(real) if radius else Rescale((0,), (0,)), radius)


def _input_radius(integer_bits: int, shift: int) -> int:
    return (((1 << integer_bits) - 1) << (31 - integer_bits)) >> shift
