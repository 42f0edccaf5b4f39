"""The parts of TFLite's schema that the importer reads, as plain records, before anything is judged.

Slot numbers follow ``tensorflow/lite/schema/schema.fbs`` (version 3).
"""

from dataclasses import dataclass

import numpy as np
from tflite.BuiltinOperator import BuiltinOperator
from tflite.TensorType import TensorType

from .flatbuffer import FlatBuffer, FlatBufferError, Table

__all__ = ["ModelRecord", "OperatorRecord", "QuantizationRecord", "TensorRecord", "enumeration", "read_model"]

_IDENTIFIER = b"TFL3"
_VERSION = 3
_PLACEHOLDER_FOR_GREATER_OP_CODES = 127


def enumeration(container: type) -> dict[int, str]:
    """Number to name of one of the ``tflite`` package's enumerations."""
    return {value: name for name, value in vars(container).items() if isinstance(value, int)}


_OPERATOR_NAMES = enumeration(BuiltinOperator)
_TYPE_NAMES = enumeration(TensorType)


@dataclass(frozen=True, slots=True)
class QuantizationRecord:
    """A tensor's quantisation as stored: float32 scales, int64 zero points."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    quantized_dimension: int
    has_custom_details: bool


@dataclass(frozen=True, slots=True, eq=False)
class TensorRecord:
    """A tensor as stored; ``dtype`` is the schema's name in lower case, ``data`` the bytes of a constant."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray | None
    quantization: QuantizationRecord | None
    is_variable: bool
    is_sparse: bool
    shape_signature: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OperatorRecord:
    """An operator as stored; ``kind`` is the schema's name, ``options`` its table of ``options_type``."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: int
    options: Table | None


@dataclass(frozen=True, slots=True, eq=False)
class ModelRecord:
    """The one subgraph of a model."""

    name: str
    tensors: tuple[TensorRecord, ...]
    operators: tuple[OperatorRecord, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_model(data: bytes) -> ModelRecord:
    """Read the bytes of a .tflite file. Raises FlatBufferError when they are not one this project can read."""
    if len(data) < 8 or data[4:8] != _IDENTIFIER:
        raise FlatBufferError(f"a TFLite file must have the identifier TFL3 at offset 4, not {data[4:8]!r}")
    model = FlatBuffer(data).root()
    version = model.integer(0, "I")
    if version != _VERSION:
        raise FlatBufferError(f"the schema version must be {_VERSION}, not {version}")
    kinds = [_operator_kind(table) for table in model.tables(1)]
    subgraphs = model.tables(2)
    if len(subgraphs) != 1:
        raise FlatBufferError(f"the model must have exactly one subgraph, not {len(subgraphs)}")
    buffers = [_buffer_data(table) for table in model.tables(4)]
    graph = subgraphs[0]
    return ModelRecord(
        graph.string(4),
        tuple(_tensor(table, buffers) for table in graph.tables(0)),
        tuple(_operator(table, kinds) for table in graph.tables(3)),
        graph.integers(1),
        graph.integers(2),
    )


def _operator_kind(table: Table) -> str:
    # Old writers fill only the 8-bit field, new ones put a placeholder there: the larger one counts.
    code = max(table.integer(3, "i"), table.integer(0, "b"))
    name = _OPERATOR_NAMES.get(code)
    if name is None or code == _PLACEHOLDER_FOR_GREATER_OP_CODES:
        return f"operator code {code}"
    custom = table.string(1)
    return f"CUSTOM {custom!r}" if name == "CUSTOM" else name


def _buffer_data(table: Table) -> np.ndarray | None:
    if table.integer(1, "Q") > 1 or table.integer(2, "Q") > 1:
        raise FlatBufferError("constants must be inside the FlatBuffer, not appended to the file")
    data = table.array(0, "uint8")
    return data if data is not None and data.size else None


def _tensor(table: Table, buffers: list[np.ndarray | None]) -> TensorRecord:
    name = table.string(3)
    code = table.integer(1, "b")
    buffer = table.integer(2, "I")
    if buffer >= len(buffers) and buffer != 0:
        raise FlatBufferError(f"tensor {name!r}: buffer must be below {len(buffers)}, not {buffer}")
    return TensorRecord(
        name=name,
        shape=table.integers(0),
        dtype=_TYPE_NAMES.get(code, f"type code {code}").lower(),
        data=buffers[buffer] if buffers else None,
        quantization=_quantization(table.table(4)),
        is_variable=table.boolean(5),
        is_sparse=table.field(6) is not None,
        shape_signature=table.integers(7),
    )


def _quantization(table: Table | None) -> QuantizationRecord | None:
    if table is None:
        return None
    scale, zero_point = table.array(2, "float32"), table.array(3, "int64")
    if scale is None or not scale.size:
        return None
    return QuantizationRecord(
        tuple(scale.tolist()),
        () if zero_point is None else tuple(zero_point.tolist()),
        table.integer(6, "i"),
        table.integer(4, "B") != 0,
    )


def _operator(table: Table, kinds: list[str]) -> OperatorRecord:
    opcode = table.integer(0, "I")
    if opcode >= len(kinds):
        raise FlatBufferError(f"an operator's opcode index must be below {len(kinds)}, not {opcode}")
    return OperatorRecord(
        kinds[opcode], table.integers(1), table.integers(2), table.integer(3, "B"), table.table(4)
    )
