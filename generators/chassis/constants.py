"""The constants of a program: weights, parameters, tables and constant feature maps, each stored once."""

from dataclasses import dataclass, field

CONSTANT_ALIGNMENT = 64
"""Bytes; a whole number of beats of every port width."""


@dataclass(slots=True)
class ConstantPool:
    """Bytes at the start of region PROGRAM; equal contents share a place."""

    _content: bytearray = field(default_factory=bytearray)
    _offsets: dict[bytes, int] = field(default_factory=dict)

    def add(self, content: bytes) -> int:
        """Offset of `content`, which is appended unless it is there already."""
        if content not in self._offsets:
            self._offsets[content] = len(self._content)
            self._content += content
            self._content += bytes(-len(self._content) % CONSTANT_ALIGNMENT)
        return self._offsets[content]

    def to_bytes(self) -> bytes:
        """Everything added so far."""
        return bytes(self._content)
