"""A bounds-checked reader of FlatBuffers.

The generated accessors of the ``tflite`` package trust every offset in the file: in a damaged one they read
from the wrong end of the buffer or build vectors of billions of elements. Here every access is checked
against the buffer, and the bytes handed out are counted, so that tables which overlap to look like a huge
model are refused in time.

Format: https://flatbuffers.dev/internals/ (little endian; offsets to tables, vectors and strings are unsigned
32-bit and relative to where they are stored; a table starts with the signed distance back to its vtable).
"""

import struct
from dataclasses import dataclass, field

import numpy as np

__all__ = ["FlatBuffer", "FlatBufferError", "Table"]

_BUDGET_PER_BYTE = 8
_BUDGET_BASE = 1 << 20
_MAXIMUM_TABLES = 1 << 14


class FlatBufferError(ValueError):
    """The bytes do not form a valid FlatBuffer of the expected layout."""


@dataclass(slots=True)
class FlatBuffer:
    """The bytes of one file and how many more of them may be handed out."""

    data: bytes
    budget: int = field(init=False)

    def __post_init__(self) -> None:
        self.budget = _BUDGET_PER_BYTE * len(self.data) + _BUDGET_BASE

    def check(self, position: int, length: int) -> None:
        """Raise FlatBufferError unless ``length`` bytes at ``position`` lie inside the file and the budget."""
        if not (0 <= position and position + length <= len(self.data)):
            raise FlatBufferError(
                f"{length} bytes at offset {position} must lie inside the file's {len(self.data)} bytes"
            )
        self.budget -= length
        if self.budget < 0:
            raise FlatBufferError("its parts must not overlap so often that they read as a far larger file")

    def scalar(self, position: int, code: str) -> int | float:
        """The scalar of `struct` type ``code`` at ``position``."""
        self.check(position, struct.calcsize("<" + code))
        return struct.unpack_from("<" + code, self.data, position)[0]

    def unsigned(self, position: int) -> int:
        """The 32-bit offset or length at ``position``."""
        self.check(position, 4)
        return int.from_bytes(self.data[position : position + 4], "little")

    def target(self, position: int) -> int:
        """Where the 32-bit offset stored at ``position`` points."""
        return position + self.unsigned(position)

    def root(self) -> "Table":
        """The table that the file starts with."""
        return Table.at(self, self.target(0))


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its fields are read by slot number (the position in the schema's declaration)."""

    buffer: FlatBuffer
    position: int
    vtable: int
    slots: int

    @classmethod
    def at(cls, buffer: FlatBuffer, position: int) -> "Table":
        """The table at ``position``; FlatBufferError when its vtable is not inside the file."""
        vtable = position - int(buffer.scalar(position, "i"))
        length = int(buffer.scalar(vtable, "H"))
        if length < 4 or length % 2:
            raise FlatBufferError(f"the vtable at offset {vtable} must hold an even length, not {length}")
        buffer.check(vtable, length)
        return cls(buffer, position, vtable, (length - 4) // 2)

    def field(self, slot: int) -> int | None:
        """Where the field ``slot`` is stored, None when it has its default."""
        if slot >= self.slots:
            return None
        offset = int(self.buffer.scalar(self.vtable + 4 + 2 * slot, "H"))
        return self.position + offset if offset else None

    def integer(self, slot: int, code: str, default: int = 0) -> int:
        """The integer field of `struct` type ``code``."""
        position = self.field(slot)
        return default if position is None else int(self.buffer.scalar(position, code))

    def float32(self, slot: int, default: float = 0.0) -> float:
        """The float field."""
        position = self.field(slot)
        return default if position is None else float(self.buffer.scalar(position, "f"))

    def boolean(self, slot: int) -> bool:
        """The bool field, false by default."""
        return self.integer(slot, "B") != 0

    def table(self, slot: int) -> "Table | None":
        """The table the field points to, None when it is absent."""
        position = self.field(slot)
        return None if position is None else Table.at(self.buffer, self.buffer.target(position))

    def array(self, slot: int, dtype: str) -> np.ndarray | None:
        """The vector of scalars as a read-only view of the file, None when it is absent."""
        position = self.field(slot)
        if position is None:
            return None
        start = self.buffer.target(position)
        length = self.buffer.unsigned(start)
        self.buffer.check(start + 4, length * np.dtype(dtype).itemsize)
        return np.frombuffer(self.buffer.data, np.dtype(dtype).newbyteorder("<"), length, start + 4)

    def integers(self, slot: int) -> tuple[int, ...]:
        """The vector of int32 as a tuple, empty when it is absent."""
        array = self.array(slot, "int32")
        return () if array is None else tuple(array.tolist())

    def string(self, slot: int) -> str:
        """The string, empty when it is absent; bytes that are not UTF-8 are replaced."""
        array = self.array(slot, "uint8")
        return "" if array is None else array.tobytes().decode("utf-8", "replace")

    def tables(self, slot: int) -> "list[Table]":
        """The vector of tables, empty when it is absent."""
        position = self.field(slot)
        if position is None:
            return []
        start = self.buffer.target(position)
        length = self.buffer.unsigned(start)
        if length > _MAXIMUM_TABLES:
            raise FlatBufferError(f"a list must have at most {_MAXIMUM_TABLES} entries, not {length}")
        self.buffer.check(start + 4, 4 * length)
        return [Table.at(self.buffer, self.buffer.target(start + 4 + 4 * index)) for index in range(length)]
