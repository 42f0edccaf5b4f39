"""QUANTIZE and DEQUANTIZE.

Sources: TensorFlow Lite ``kernels/internal/reference/{quantize,requantize,dequantize}.h``.
"""

import numpy as np

from ..graph import BoundOperator
from ..quantization import requantization_rescale
from .arithmetic import centered, store

__all__ = ["dequantize", "quantize"]


def quantize(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """float32 or integers to the ofm's scale; floats are rounded to nearest, halves away from zero.

    Floats beyond the ofm's range, infinities included, saturate and a NaN gives the zero point. (In the framework
    those beyond 2**31 steps are undefined.)
    """
    ofm = operator.ofm
    if ifm.dtype != np.float32:
        return store(centered(ifm, operator.ifm), requantization_rescale(operator), ofm)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = (ifm / np.float32(ofm.scale)).astype(np.float64)
    rounded = np.copysign(np.floor(np.abs(steps) + 0.5), steps)
    limits = np.iinfo(ofm.dtype)
    return np.clip(np.nan_to_num(rounded) + ofm.zero_point, limits.min, limits.max).astype(ofm.dtype)


def dequantize(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """``scale * (ifm - zero_point)`` in float32."""
    with np.errstate(over="ignore"):
        return np.float32(operator.ifm.scale) * centered(ifm, operator.ifm).astype(np.float32)
