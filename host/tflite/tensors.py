"""From stored tensors to the graph's: shapes, data types, constants and quantisation are checked here."""

import math

import numpy as np

from ..graph import Quantization, Tensor
from .records import QuantizationRecord, TensorRecord

__all__ = ["build_tensor"]

_DTYPES = ("int8", "uint8", "int16", "int32", "int64", "float32")
_QUANTIZED_DTYPES = ("int8", "uint8", "int16", "int32", "int64")
_MAXIMUM_RANK = 6
_MAXIMUM_CONSTANT_BYTES = 1 << 26
_MAXIMUM_ACTIVATION_BYTES = 1 << 24


def build_tensor(record: TensorRecord) -> Tensor:
    """The tensor of a record. Raises ValueError, without the tensor's name, when it cannot be used."""
    if record.dtype not in _DTYPES:
        raise ValueError(f"data type must be one of {', '.join(_DTYPES)}, not {record.dtype}")
    if record.is_sparse:
        raise ValueError("weights must be dense, not sparse")
    if record.is_variable:
        raise ValueError("state that lasts between inferences (a variable tensor) is not supported")
    # Converters leave the batch open in the signature and store the size to run with in the shape.
    if min(record.shape_signature[1:], default=1) < 0:
        raise ValueError(f"shape must be static but for the batch, not {record.shape_signature}")
    if min(record.shape, default=1) < 1:
        raise ValueError(f"shape must have only positive dimensions, not {record.shape}")
    if len(record.shape) > _MAXIMUM_RANK:
        raise ValueError(f"shape must have at most {_MAXIMUM_RANK} dimensions, not {len(record.shape)}")
    size = math.prod(record.shape) * np.dtype(record.dtype).itemsize
    largest = _MAXIMUM_ACTIVATION_BYTES if record.data is None else _MAXIMUM_CONSTANT_BYTES
    if size > largest:
        raise ValueError(f"it must have at most {largest} bytes, not {size}")
    return Tensor(record.name, record.shape, record.dtype, _quantization(record), _constant(record, size))


def _constant(record: TensorRecord, size: int) -> np.ndarray | None:
    if record.data is None:
        return None
    if record.data.nbytes != size:
        raise ValueError(
            f"a constant {record.dtype} of shape {record.shape} must have {size} bytes, not {record.data.nbytes}"
        )
    # A view of the file where possible: many tensors may share one large buffer.
    little_endian = record.data.view(np.dtype(record.dtype).newbyteorder("<"))
    return little_endian.astype(record.dtype, copy=False).reshape(record.shape)


def _quantization(record: TensorRecord) -> Quantization | None:
    stored = record.quantization
    if stored is None or record.dtype not in _QUANTIZED_DTYPES:
        return None
    if stored.has_custom_details:
        raise ValueError("quantisation must be by scale and zero point, not custom")
    scales = len(stored.scale)
    if len(stored.zero_point) not in (1, scales):
        raise ValueError(
            f"there must be as many zero points as scales ({scales}), not {len(stored.zero_point)}"
        )
    return Quantization(
        stored.scale, _zero_points(stored), stored.quantized_dimension if scales > 1 else None
    )


def _zero_points(stored: QuantizationRecord) -> tuple[int, ...]:
    # One zero point may stand for all channels.
    return stored.zero_point * (len(stored.scale) // len(stored.zero_point))
