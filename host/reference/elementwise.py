"""ADD, SUB and MUL, with NumPy's broadcasting.

Sources: TensorFlow Lite ``kernels/internal/reference/integer_ops/{add,mul}.h`` and ``reference/sub.h``.
"""

import numpy as np
import numpy.typing as npt

from celosia.hdl.arithmetic_model import wrap_int32

from ..attributes import ElementwiseAttributes
from ..graph import BoundOperator
from ..quantization import activation_range, addition_rescale, multiplication_rescale
from .arithmetic import centered, rescaled, store

__all__ = ["add", "multiply", "subtract"]


def _bounds(operator: BoundOperator) -> tuple[int, int]:
    if not isinstance(operator.attributes, ElementwiseAttributes):
        raise TypeError(f"attributes must be ElementwiseAttributes, not {type(operator.attributes).__name__}")
    return activation_range(operator.attributes.activation, operator.ofm)


def _common_scale(
    operator: BoundOperator, left: np.ndarray, right: np.ndarray
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    rescale = addition_rescale(operator)
    first, second = (
        rescaled(centered(values, operator.operand(position)) << rescale.left_shift, rescale.inputs[position])
        for position, values in enumerate((left, right))
    )
    return first, second


def add(operator: BoundOperator, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``left + right``."""
    first, second = _common_scale(operator, left, right)
    output = addition_rescale(operator).output
    return store(wrap_int32(first + second), output, operator.ofm, _bounds(operator))


def subtract(operator: BoundOperator, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``left - right``."""
    first, second = _common_scale(operator, left, right)
    output = addition_rescale(operator).output
    return store(wrap_int32(first - second), output, operator.ofm, _bounds(operator))


def multiply(operator: BoundOperator, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """``left * right``."""
    product = centered(left, operator.operand(0)) * centered(right, operator.operand(1))
    return store(product, multiplication_rescale(operator), operator.ofm, _bounds(operator))
