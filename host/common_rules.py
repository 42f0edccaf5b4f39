"""Rules that operators of all kinds of numbers keep; see `operator_rules`."""

from collections.abc import Callable
from typing import TypeAlias

from .graph import BoundOperator
from .shapes import infer_output_shape

__all__ = ["Rule", "operand_count", "output_shape", "rank_at_most_4"]

Rule: TypeAlias = Callable[[BoundOperator], str | None]


def operand_count(minimum: int, maximum: int) -> Rule:
    """The rule that there are so many inputs, and one output."""

    def rule(operator: BoundOperator) -> str | None:
        given = [tensor is not None for tensor in operator.inputs]
        if minimum <= len(given) <= maximum and all(given[:minimum]) and len(operator.outputs) == 1:
            return None
        return f"{sum(given)} inputs and {len(operator.outputs)} outputs"

    inputs = f"{minimum}" if minimum == maximum else f"{minimum} to {maximum}"
    rule.__doc__ = f"There must be {inputs} input{'s' if maximum > 1 else ''} and 1 output"
    return rule


def rank_at_most_4(operator: BoundOperator) -> str | None:
    """Tensors must have at most 4 dimensions"""
    ranks = [len(tensor.shape) for tensor in (*operator.operands, operator.ofm)]
    return f"{max(ranks)}" if max(ranks) > 4 else None


def output_shape(operator: BoundOperator) -> str | None:
    """The ofm must have the shape that the inputs give"""
    try:
        shape = infer_output_shape(operator)
    except ValueError as error:
        return str(error)
    return None if shape == operator.ofm.shape else f"{operator.ofm.shape}, not {shape}"
