"""How 48-bit sums of products with 16-bit operands become results: scaled as TensorFlow Lite does, or as they are."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...hdl.arithmetic_model import REDUCED_MULTIPLIER_BITS, WIDE_SUM_BITS, reduced_multiplier

SMALLEST_SHIFT, LARGEST_SHIFT = -31, 7

RAW_BYTES = 6
"""Of a sum that is left as it is."""

_UNSCALED = 1 << 30, 1


@dataclass(frozen=True, slots=True, eq=False)
class WideScaling:
    """48-bit sum -> int16 or int8: + bias (which wraps), multiplier and shift with one rounding, clamp; or all of it.

    Attributes:
        bias: int64[channels] of 48 bits.
        multiplier: int32[channels], 0 or in [2**30, 2**31), of which the upper 15 bits count.
        shift: int8[channels], positive is left, -31..7.
        minimum, maximum: clamp; without effect on whole sums.
        ofm_bytes: of a result, 2 or 1, or `RAW_BYTES`, the scaled sum without a clamp.
    """

    bias: npt.NDArray[np.int64]
    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int8]
    minimum: int = -32768
    maximum: int = 32767
    ofm_bytes: int = 2

    def __post_init__(self) -> None:
        if not len(self.bias) == len(self.multiplier) == len(self.shift):
            raise ValueError("bias, multiplier and shift must have one entry a channel each")
        limit = 1 << WIDE_SUM_BITS - 1
        if self.bias.min() < -limit or self.bias.max() >= limit:
            raise ValueError(f"bias must have {WIDE_SUM_BITS} bits")
        if self.shift.min() < SMALLEST_SHIFT or self.shift.max() > LARGEST_SHIFT:
            raise ValueError(f"shift must be in {SMALLEST_SHIFT}..{LARGEST_SHIFT}")
        if self.ofm_bytes not in (1, 2, RAW_BYTES):
            raise ValueError(f"ofm_bytes must be 1, 2 or {RAW_BYTES}, not {self.ofm_bytes}")

    @classmethod
    def raw(cls, bias: npt.NDArray[np.int64]) -> "WideScaling":
        """Sums, with their bias, as they are."""
        multiplier, shift = _UNSCALED
        return cls(
            bias=bias.astype(np.int64),
            multiplier=np.full(len(bias), multiplier, np.int32),
            shift=np.full(len(bias), shift, np.int8),
            ofm_bytes=RAW_BYTES,
        )

    @property
    def is_uniform(self) -> bool:
        """Every channel has the same parameters."""
        return self.has_uniform_scale and bool((self.bias == self.bias[0]).all())

    @property
    def has_uniform_scale(self) -> bool:
        """Channels differ in the lower words of their biases alone."""
        _, upper, shifts = self.parameter_words
        return all(bool((words == words[0]).all()) for words in (upper, shifts))

    @property
    def parameter_words(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int8]]:
        """Of each channel, in the places of int8's bias, multiplier and shift: the bias's lower 32 bits; the reduced
        multiplier and above it the bias's upper 16 bits; how far beyond 8 bits the product is shifted to the right.
        """
        upper = self.bias >> 32 & 0xFFFF
        words = reduced_multiplier(self.multiplier) | upper << REDUCED_MULTIPLIER_BITS
        return (
            self.bias.astype(np.int32),
            words.astype(np.int32),
            (LARGEST_SHIFT - self.shift).astype(np.int8),
        )

    def of_channels(self, channels: slice | npt.NDArray[np.intp]) -> "WideScaling":
        """Of some of the channels."""
        return replace(
            self, bias=self.bias[channels], multiplier=self.multiplier[channels], shift=self.shift[channels]
        )
