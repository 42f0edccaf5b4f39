"""What all integer kernels share: taking the zero point off and storing a result."""

import numpy as np
import numpy.typing as npt

from celosia.hdl.arithmetic_model import multiply_by_quantized_multiplier, requantize

from ..graph import Tensor
from ..quantization import Rescale

__all__ = ["centered", "rescaled", "store"]


def centered(values: np.ndarray, tensor: Tensor) -> npt.NDArray[np.int64]:
    """Stored ``values`` of ``tensor`` minus its zero point."""
    return values.astype(np.int64) - tensor.zero_point


def rescaled(values: npt.NDArray[np.int64], rescale: Rescale) -> npt.NDArray[np.int64]:
    """int32 ``values`` times ``rescale``, whose channels are on the last axis."""
    return multiply_by_quantized_multiplier(values, np.array(rescale.multiplier), np.array(rescale.shift))


def store(
    accumulator: npt.NDArray[np.int64], rescale: Rescale, ofm: Tensor, bounds: tuple[int, int] | None = None
) -> np.ndarray:
    """``accumulator`` rescaled, offset by the ofm's zero point and clamped to ``bounds`` (or to its type)."""
    limits = np.iinfo(ofm.dtype)
    minimum, maximum = bounds if bounds is not None else (limits.min, limits.max)
    stored = requantize(
        accumulator, np.array(rescale.multiplier), np.array(rescale.shift), ofm.zero_point, minimum, maximum
    )
    return stored.astype(ofm.dtype)
