"""PAD, RESHAPE and CONCATENATION: they move stored values and change none."""

import numpy as np

from ..attributes import ConcatenationAttributes, PadAttributes
from ..graph import BoundOperator

__all__ = ["concatenate", "pad", "reshape"]


def pad(operator: BoundOperator, ifm: np.ndarray, *_: np.ndarray) -> np.ndarray:
    """``ifm`` surrounded by the attributes' value; the constant operands are in the attributes already."""
    attributes = operator.attributes
    if not isinstance(attributes, PadAttributes):
        raise TypeError(f"attributes must be PadAttributes, not {type(attributes).__name__}")
    margins = tuple(zip(attributes.before, attributes.after, strict=True))
    return np.pad(ifm, margins, constant_values=attributes.value)


def reshape(operator: BoundOperator, ifm: np.ndarray, *_: np.ndarray) -> np.ndarray:
    """``ifm`` in the ofm's shape."""
    return ifm.reshape(operator.ofm.shape)


def concatenate(operator: BoundOperator, *ifms: np.ndarray) -> np.ndarray:
    """``ifms`` one after the other along the axis."""
    if not isinstance(operator.attributes, ConcatenationAttributes):
        raise TypeError(
            f"attributes must be ConcatenationAttributes, not {type(operator.attributes).__name__}"
        )
    return np.concatenate(ifms, axis=operator.attributes.axis)
