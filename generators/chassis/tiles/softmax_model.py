"""What `SoftmaxUnit` computes, in NumPy: TensorFlow Lite's SOFTMAX of int8, given the exponentials.

Source: TensorFlow Lite ``reference/softmax.h``, gemmlowp ``fixedpoint/fixedpoint.h``.
"""

import numpy as np
import numpy.typing as npt

from ....hdl.arithmetic_model import (
    INT32_MAX,
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_multiply,
)

_48_OVER_17_IN_Q2 = 1515870810
_MINUS_32_OVER_17_IN_Q2 = -1010580540
_ONE_IN_Q2 = 1 << 29
_TERM_SHIFT = 12
_OUTPUT_SHIFT = 31 - 8 + _TERM_SHIFT


def softmax(values: npt.NDArray[np.int8], exponentials: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
    """SOFTMAX over all of `values`, with scale 1/256 and zero point -128.

    `exponentials` is int32[256]: entry d is what a value d below the maximum weighs, in Q0.31.
    """
    terms = exponentials[int(values.max()) - values.astype(np.int64)].astype(np.int64)
    total = int(rounding_divide_by_power_of_two(terms, _TERM_SHIFT).sum())
    leading_zeros = 32 - total.bit_length()
    half = total << leading_zeros >> 1
    guess = _48_OVER_17_IN_Q2 + _product(half, _MINUS_32_OVER_17_IN_Q2)
    for _ in range(3):
        guess += _product(guess, _ONE_IN_Q2 - _product(half, guess)) << 2
    reciprocal = min(guess << 1, INT32_MAX)
    products = saturating_rounding_doubling_high_multiply(terms, reciprocal)
    results = rounding_divide_by_power_of_two(products, _OUTPUT_SHIFT - leading_zeros) - 128
    return np.clip(results, -128, 127).astype(np.int8)


def _product(a: int, b: int) -> int:
    return int(saturating_rounding_doubling_high_multiply(a, b))
