"""What an operator on fixed-point numbers must look like; see `operator_rules`."""

from .attributes import PadAttributes
from .binary_point import LARGEST_SHIFT, SUM_BITS
from .common_rules import Rule, operand_count, output_shape, rank_at_most_4
from .graph import BoundOperator, Tensor

__all__ = ["FIXED_POINT_RULES"]

_MOST_ALIGNMENT = 24
"""Sums of two operands of 18 bits stay far below the 48 bits of a sum."""


def _describe(tensor: Tensor) -> str:
    numbers = tensor.fixed_point
    if numbers is None:
        return f"{tensor.dtype} in {tensor.name!r}"
    return f"{numbers.bits} bits, {numbers.fraction_bits} of them fraction, in {tensor.name!r}"


def _one_width(operator: BoundOperator) -> str | None:
    """The ifm, ofm and weights must have binary points and one width"""
    tensors = [operator.ifm, operator.ofm]
    if operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        tensors.append(operator.weights)
    return _of_several_widths(tensors)


def _one_width_everywhere(operator: BoundOperator) -> str | None:
    """All inputs and the ofm must have binary points and one width"""
    return _of_several_widths([*operator.operands, operator.ofm])


def _of_several_widths(tensors: list[Tensor]) -> str | None:
    widths = {None if tensor.fixed_point is None else tensor.fixed_point.bits for tensor in tensors}
    return None if len(widths) == 1 and None not in widths else ", ".join(map(_describe, tensors))


def _constant_weights(operator: BoundOperator) -> str | None:
    """The weights must be constant"""
    return None if operator.weights.is_constant else f"activations {operator.weights.name!r}"


def _int64_bias(operator: BoundOperator) -> str | None:
    """A bias must be constant int64 of 48 bits with one value per ofm channel, in steps of the products"""
    bias, channels = operator.bias, operator.ofm.shape[-1:]
    if bias is None:
        return None
    if not bias.is_constant:
        return f"activations {bias.name!r}"
    if bias.dtype != "int64" or channels != (bias.size,):
        return f"{bias.dtype} of shape {bias.shape} for an ofm of shape {operator.ofm.shape}"
    largest = max(int(bias.constant.max()), -int(bias.constant.min()) - 1)
    return f"{largest}" if largest >= 1 << SUM_BITS - 1 else None


def _product_shift(operator: BoundOperator) -> str | None:
    """The ofm must have at most as many fraction bits as the products, and at most 31 fewer"""
    shift = (
        operator.ifm.numbers.fraction_bits
        + operator.weights.numbers.fraction_bits
        - operator.ofm.numbers.fraction_bits
    )
    return None if 0 <= shift <= LARGEST_SHIFT else f"{shift} fewer"


def _sum_shift(operator: BoundOperator) -> str | None:
    """The operands' binary points must be at most 24 apart, the ofm's at most 31 before the later one, not behind it"""
    fractions = [operator.operand(place).numbers.fraction_bits for place in range(2)]
    apart, shift = max(fractions) - min(fractions), max(fractions) - operator.ofm.numbers.fraction_bits
    if apart <= _MOST_ALIGNMENT and 0 <= shift <= LARGEST_SHIFT:
        return None
    return f"{apart} apart, {shift} before"


def _ifm_numbers(operator: BoundOperator) -> str | None:
    """The ofm must have the ifm's binary point, width and rounding"""
    ifm, ofm = operator.ifm, operator.ofm
    return None if ifm.fixed_point == ofm.fixed_point else f"{_describe(ifm)} in, {_describe(ofm)} out"


def _padding_with_zero(operator: BoundOperator) -> str | None:
    """Padding must be zeros"""
    attributes = operator.attributes
    return f"{attributes.value}" if isinstance(attributes, PadAttributes) and attributes.value else None


_CONVOLUTION: tuple[tuple[Rule, ...], ...] = (
    (operand_count(2, 3),),
    (_one_width, _constant_weights),
    (output_shape, _int64_bias, _product_shift),
)
_ADDITION: tuple[tuple[Rule, ...], ...] = (
    (operand_count(2, 2),),
    (_one_width_everywhere, rank_at_most_4),
    (output_shape, _sum_shift),
)
_SAME: tuple[tuple[Rule, ...], ...] = ((operand_count(1, 1),), (_one_width,), (output_shape, _ifm_numbers))

FIXED_POINT_RULES: dict[str, tuple[tuple[Rule, ...], ...]] = {
    "ADD": _ADDITION,
    "AVERAGE_POOL_2D": _SAME,
    "CONV_2D": _CONVOLUTION,
    "DEPTHWISE_CONV_2D": _CONVOLUTION,
    "FULLY_CONNECTED": _CONVOLUTION,
    "MAX_POOL_2D": _SAME,
    "PAD": (
        (operand_count(2, 2),),
        (_one_width, rank_at_most_4),
        (output_shape, _ifm_numbers, _padding_with_zero),
    ),
    "RELU": _SAME,
    "RESHAPE": ((operand_count(1, 2),), (_one_width,), (output_shape, _ifm_numbers)),
    "SUB": _ADDITION,
}
"""The rules of each kind of operator, in groups."""
