"""Operands of 16 bits in an array that multiplies bytes: a pass for each byte of the one and each of the other.

A feature map of b bytes an element lies as b planes: each channel brick is b bricks, one for each byte, the highest
first, `plane_pitch` apart. Only the highest byte has a sign. A reduction step of 16-bit operands becomes 2 or 4 steps,
the passes, innermost in the loop nest; in its order, the bytes of the weights run fastest:

    ifm high * weights high, ifm high * weights low, ifm low * weights high, ifm low * weights low

Each sum has up to three accumulators, neighbours, one for each weight of its passes: 2**16, 2**8, 1. The middle one
takes both passes of that weight. So the value is ((first << 8) + second << 8) + third, in 48 bits.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LARGEST_REDUCTION = 1 << 15
"""Products that the int32 accumulators of 16-bit operands have room for, whatever they are: 2 * 255 * 128 each."""


class Pass(NamedTuple):
    """Which bytes a pass multiplies."""

    ifm_low: bool
    weights_low: bool

    @property
    def place(self) -> int:
        """Of its accumulator among those of a sum."""
        return self.ifm_low + self.weights_low


def passes_of(fields: Mapping[str, int]) -> tuple[Pass, ...]:
    """The passes of each reduction step of a COMPUTE, in order; one where nothing is split."""
    ifm, weights = ((False, True)[: 1 + fields.get(name, 0)] for name in ("ifm_int16", "weights_int16"))
    return tuple(Pass(ifm_low, weights_low) for ifm_low in ifm for weights_low in weights)


def places_of(fields: Mapping[str, int]) -> int:
    """Accumulators of each sum of a COMPUTE."""
    return 1 + fields.get("ifm_int16", 0) + fields.get("weights_int16", 0)


def split(values: npt.NDArray[np.integer], count: int) -> npt.NDArray[np.uint8]:
    """The `count` lowest bytes of each value, the highest of them first, on a new first axis."""
    wide = values.astype(np.int64)
    return np.stack([(wide >> 8 * byte & 0xFF).astype(np.uint8) for byte in reversed(range(count))])


def joined(planes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The signed values whose bytes these are, the inverse of `split`."""
    total = planes[0].view(np.int8).astype(np.int64)
    for plane in planes[1:]:
        total = (total << 8) + plane
    return total
