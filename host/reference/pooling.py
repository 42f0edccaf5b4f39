"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN.

Sources: TensorFlow Lite ``kernels/internal/reference/integer_ops/pooling.h`` and ``reference/reduce.h``.
"""

import math
from collections.abc import Iterator

import numpy as np

from celosia.hdl.arithmetic_model import wrap_int32

from ..attributes import MeanAttributes, PoolAttributes
from ..graph import BoundOperator
from ..quantization import activation_range, mean_rescale
from ..shapes import pooling_window
from .arithmetic import store
from .windows import Tap, taps

__all__ = ["average_pool_2d", "max_pool_2d", "mean"]


def _attributes(operator: BoundOperator) -> PoolAttributes:
    if not isinstance(operator.attributes, PoolAttributes):
        raise TypeError(f"attributes must be PoolAttributes, not {type(operator.attributes).__name__}")
    return operator.attributes


def _taps(operator: BoundOperator, attributes: PoolAttributes) -> Iterator[Tap]:
    shape = operator.ifm.shape
    windows = pooling_window(shape, attributes)
    return taps((shape[1], shape[2]), windows, attributes.kernel, attributes.stride, (1, 1))


def average_pool_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The mean of the stored values inside the image, rounded to nearest, halves away from zero."""
    attributes = _attributes(operator)
    total = np.zeros(operator.ofm.shape, np.int64)
    count = np.zeros((1, *operator.ofm.shape[1:3], 1), np.int64)
    for tap in _taps(operator, attributes):
        total[tap.ofm] += ifm[tap.ifm]
        count[tap.ofm] += 1
    average = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return np.clip(average, *activation_range(attributes.activation, operator.ofm)).astype(operator.ofm.dtype)


def max_pool_2d(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The largest stored value inside the image."""
    attributes = _attributes(operator)
    largest = np.full(operator.ofm.shape, np.iinfo(ifm.dtype).min, ifm.dtype)
    for tap in _taps(operator, attributes):
        largest[tap.ofm] = np.maximum(largest[tap.ofm], ifm[tap.ifm])
    return np.clip(largest, *activation_range(attributes.activation, operator.ofm)).astype(operator.ofm.dtype)


def mean(operator: BoundOperator, ifm: np.ndarray) -> np.ndarray:
    """The mean over ``axes``: an int32 sum, then one rescaling that also divides."""
    attributes = operator.attributes
    if not isinstance(attributes, MeanAttributes):
        raise TypeError(f"attributes must be MeanAttributes, not {type(attributes).__name__}")
    count = math.prod(ifm.shape[axis] for axis in attributes.axes)
    total = ifm.astype(np.int64).sum(axis=attributes.axes, keepdims=attributes.keep_dims)
    total = wrap_int32(total - operator.ifm.zero_point * count)
    return store(total, mean_rescale(operator, count), operator.ofm)
