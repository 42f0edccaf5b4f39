"""How fixed-point accumulators become results: rounded once, and saturated."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

SUM_BITS = 48
"""Accumulators of fixed-point operands, and their biases, wrap at so many bits."""

VALUE_BITS = 18
"""The widest operands."""

ELEMENT_BYTES = {8: 1, 16: 2, 18: 4}
"""What an operand of so many bits takes in memory and in the unified buffer."""

LARGEST_RIGHT_SHIFT = 31


@dataclass(frozen=True, slots=True, eq=False)
class FixedPointScaling:
    """48-bit accumulator -> `bits`: + bias (which wraps), shifted right with one rounding, clamped.

    Attributes:
        bias: int64[channels] of 48 bits.
        right_shift: 0..31.
        to_even: halves go to the even neighbour, else away from zero.
        minimum, maximum: clamp.
        bits: of operands and results, 16 or 18.
    """

    bias: npt.NDArray[np.int64]
    right_shift: int
    to_even: bool
    minimum: int
    maximum: int
    bits: int

    def __post_init__(self) -> None:
        if not 0 <= self.right_shift <= LARGEST_RIGHT_SHIFT:
            raise ValueError(f"right_shift must be in 0..{LARGEST_RIGHT_SHIFT}, not {self.right_shift}")

    @property
    def is_uniform(self) -> bool:
        """Every channel has the same parameters."""
        return bool((self.bias == self.bias[0]).all())

    @property
    def has_uniform_scale(self) -> bool:
        """Channels differ in the lower words of their biases alone."""
        _, high, _ = self.parameter_words
        return bool((high == high[0]).all())

    @property
    def parameter_words(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int8]]:
        """Of each channel, in the places of TFLite's bias, multiplier and shift: bias = low + high * 2**32, modulo
        2**48, with a signed low, and the shift, which is to the right and therefore negative.
        """
        low = self.bias.astype(np.int32)
        high = (self.bias - low) >> 32 & (1 << SUM_BITS - 32) - 1
        return low, high.astype(np.int32), np.full(len(self.bias), -self.right_shift, np.int8)

    def of_channels(self, channels: slice | npt.NDArray[np.intp]) -> "FixedPointScaling":
        """Of some of the channels."""
        return replace(self, bias=self.bias[channels])
