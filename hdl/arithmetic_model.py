"""NumPy models of the fixed-point arithmetic of gemmlowp and TensorFlow Lite.

These are the definitions the gateware and the reference kernels are compared with. The elementwise
functions broadcast like NumPy, take integers in the int32 range in any integer dtype and return int64
arrays that again hold int32 values.

Sources: gemmlowp ``fixedpoint/fixedpoint.h``, TensorFlow Lite ``kernels/internal/common.cc`` and
``kernels/internal/quantization_util.cc`` (double rounding, as TensorFlow Lite Micro is built).
"""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "INT32_MAX",
    "INT32_MIN",
    "REDUCED_MULTIPLIER_BITS",
    "WIDE_SUM_BITS",
    "IntegerArray",
    "multiply_by_quantized_multiplier",
    "multiply_wide_by_quantized_multiplier",
    "quantize_multiplier",
    "reduced_multiplier",
    "requantize",
    "rounding_divide_by_power_of_two",
    "saturating_rounding_doubling_high_multiply",
    "wrap_int32",
]

WIDE_SUM_BITS = 48
"""Of sums of products with int16, which wrap there."""

REDUCED_MULTIPLIER_BITS = 15
"""Of the multipliers that scale them."""

INT32_MIN = -(1 << 31)
INT32_MAX = (1 << 31) - 1

IntegerArray: TypeAlias = npt.NDArray[np.integer] | np.integer | int
Int64Array: TypeAlias = npt.NDArray[np.int64]


def wrap_int32(value: IntegerArray) -> Int64Array:
    """``value`` modulo 2**32 as a signed 32-bit integer, as a C ``int32_t`` wraps."""
    return np.asarray(value, dtype=np.int64).astype(np.int32).astype(np.int64)


def saturating_rounding_doubling_high_multiply(a: IntegerArray, b: IntegerArray) -> Int64Array:
    """``a * b / 2**31`` rounded to nearest, halves towards plus infinity.

    The only overflow, ``INT32_MIN * INT32_MIN``, saturates to ``INT32_MAX``. gemmlowp states the same
    function as a division that truncates, after a nudge whose sign is the product's.
    """
    product = np.asarray(a, dtype=np.int64) * np.asarray(b, dtype=np.int64)
    return np.minimum((product + (1 << 30)) >> 31, INT32_MAX)


def rounding_divide_by_power_of_two(value: IntegerArray, exponent: IntegerArray) -> Int64Array:
    """``value / 2**exponent`` rounded to nearest, halves away from zero; ``exponent`` in 0..31."""
    value = np.asarray(value, dtype=np.int64)
    exponent = np.asarray(exponent, dtype=np.int64)
    mask = (np.int64(1) << exponent) - 1
    remainder = value & mask
    threshold = (mask >> 1) + (value < 0)
    return (value >> exponent) + (remainder > threshold)


def multiply_by_quantized_multiplier(
    value: IntegerArray, multiplier: IntegerArray, shift: IntegerArray
) -> Int64Array:
    """``value * multiplier * 2**(shift - 31)`` with gemmlowp's double rounding.

    A positive ``shift`` first shifts ``value`` left, wrapping at 32 bits; a negative one divides the product
    afterwards. ``shift`` is in -31..31 and ``multiplier`` in 0..INT32_MAX, as `quantize_multiplier` gives.
    """
    shift = np.asarray(shift, dtype=np.int64)
    shifted = wrap_int32(np.asarray(value, dtype=np.int64) << np.maximum(shift, 0))
    product = saturating_rounding_doubling_high_multiply(shifted, multiplier)
    return rounding_divide_by_power_of_two(product, np.maximum(-shift, 0))


def reduced_multiplier(multiplier: IntegerArray) -> Int64Array:
    """The upper 15 bits of a multiplier in 0..INT32_MAX, rounded: what wide accumulators are multiplied by."""
    multiplier = np.asarray(multiplier, dtype=np.int64)
    return np.minimum((multiplier + (1 << 15)) >> 16, 0x7FFF)


def multiply_wide_by_quantized_multiplier(
    value: IntegerArray, multiplier: IntegerArray, shift: IntegerArray
) -> Int64Array:
    """``value * multiplier * 2**(shift - 31)`` of 48-bit values, as TensorFlow Lite scales sums of int16 activations.

    The multiplier is first reduced to 15 bits, and the product is rounded once, halves towards plus infinity. ``shift``
    is in -31..7. The result wraps at 32 bits, as the framework's cast does.
    """
    reduced = reduced_multiplier(multiplier)
    total_shift = 15 - np.asarray(shift, dtype=np.int64)
    # The product of 63 bits and the rounding constant fit an int64.
    product = np.asarray(value, dtype=np.int64) * reduced + (np.int64(1) << (total_shift - 1))
    return wrap_int32(product >> total_shift)


def requantize(
    accumulator: IntegerArray,
    multiplier: IntegerArray,
    shift: IntegerArray,
    zero_point: int,
    minimum: int,
    maximum: int,
) -> Int64Array:
    """The output stage: scale the int32 accumulator, add the ofm's zero point, clamp.

    ``multiplier`` and ``shift`` are scalars or one value per channel on the last axis.
    """
    scaled = multiply_by_quantized_multiplier(accumulator, multiplier, shift)
    return np.clip(wrap_int32(scaled + zero_point), minimum, maximum)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """The ``(multiplier, shift)`` with ``real == multiplier * 2**(shift - 31)``, to the nearest 31 bits.

    ``multiplier`` is in 2**30..2**31-1, or 0 when ``real`` is below 2**-32 (then ``shift`` is 0).
    Raises ValueError unless ``real`` is finite, non-negative and below 2**31.
    """
    if not math.isfinite(real) or real < 0:
        raise ValueError(f"real multiplier must be finite and not negative, not {real}")
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 31:
        raise ValueError(f"real multiplier must be below 2**31, not {real}")
    return multiplier, shift
