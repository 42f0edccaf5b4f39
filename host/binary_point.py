"""Fixed-point numbers: integers with a binary point, and how results are rounded to them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from .attributes import Activation

__all__ = ["DTYPES", "LARGEST_SHIFT", "SUM_BITS", "FixedPoint", "Rounding", "value_range"]

Rounding: TypeAlias = Literal["EVEN", "AWAY"]
"""Where the value in the middle between two neighbours goes: to the even one, or away from zero."""

DTYPES = {16: "int16", 18: "int32"}
"""How values of so many bits are stored."""

SUM_BITS = 48
"""Sums of products, and biases, wrap at so many bits."""

LARGEST_SHIFT = 31
"""Fraction bits that a result has less than its sum, at most."""

_LARGEST_FRACTION = 48


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """``real = stored / 2**fraction_bits``, of `bits` bits in two's complement; results saturate.

    Attributes:
        bits: 16 (stored as int16) or 18 (as int32).
        fraction_bits: right of the binary point; negative, or more than `bits`, puts it outside.
        rounding: of a result with more fraction bits.
    """

    bits: int
    fraction_bits: int
    rounding: Rounding = "EVEN"

    def __post_init__(self) -> None:
        if self.bits not in DTYPES:
            raise ValueError(f"bits must be {' or '.join(map(str, DTYPES))}, not {self.bits}")
        if abs(self.fraction_bits) > _LARGEST_FRACTION:
            raise ValueError(
                f"fraction_bits must be in {-_LARGEST_FRACTION}..{_LARGEST_FRACTION}, not {self.fraction_bits}"
            )
        if self.rounding not in get_args(Rounding):
            raise ValueError(f"rounding must be one of {', '.join(get_args(Rounding))}, not {self.rounding}")

    @property
    def dtype(self) -> str:
        """NumPy's name of the type that a value is stored in."""
        return DTYPES[self.bits]

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest stored value."""
        return -(1 << self.bits - 1), (1 << self.bits - 1) - 1


def value_range(activation: Activation, numbers: FixedPoint) -> tuple[int, int]:
    """The smallest and largest stored value that `activation` leaves of `numbers`."""
    minimum, maximum = numbers.limits
    low, high = {"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}[
        activation
    ]
    if low is not None:
        minimum = max(minimum, _stored(low, numbers))
    if high is not None:
        maximum = min(maximum, _stored(high, numbers))
    return minimum, maximum


def _stored(bound: int, numbers: FixedPoint) -> int:
    """A whole number as it is stored, towards zero where it has no place."""
    shift = numbers.fraction_bits
    magnitude = abs(bound) << shift if shift >= 0 else abs(bound) >> -shift
    return -magnitude if bound < 0 else magnitude
