"""Seeded damage to TFLite files: flipped bytes, truncations, and single fields changed in place."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from celosia.host.tflite.flatbuffer import FlatBuffer, Table

__all__ = ["mutate"]

_INTEGERS = (
    0,
    1,
    -1,
    2,
    3,
    4,
    5,
    7,
    8,
    16,
    100,
    127,
    128,
    255,
    256,
    1 << 15,
    1 << 20,
    1 << 30,
    (1 << 31) - 1,
    -(1 << 31),
)
_FLOATS = (0.0, -0.0, -1.0, 1.0, 1e-45, 1e-38, 1e-12, 1e12, 3e38, float("inf"), float("-inf"), float("nan"))


@dataclass(frozen=True)
class _Field:
    """A scalar in the file: what it is, where, and its `struct` type."""

    name: str
    position: int
    code: str


def mutate(data: bytes, seed: int) -> tuple[bytes, str]:
    """A damaged copy of the TFLite file ``data`` and what was done to it.

    Even seeds flip bytes or truncate, odd ones change one or a few fields.
    """
    generator = np.random.default_rng(seed)
    if seed % 2 == 0:
        return _truncate(data, generator) if generator.random() < 0.3 else _flip(data, generator)
    fields = list(_fields(data))
    groups = sorted({field.name for field in fields})
    damaged, done = bytearray(data), []
    for _ in range(1 if generator.random() < 0.8 else int(generator.integers(2, 5))):
        group = groups[generator.integers(len(groups))]
        candidates = [field for field in fields if field.name == group]
        field = candidates[generator.integers(len(candidates))]
        (before,) = struct.unpack_from("<" + field.code, damaged, field.position)
        value = _new_value(before, field.code, generator)
        struct.pack_into("<" + field.code, damaged, field.position, value)
        done.append(f"{field.name} at {field.position}: {before} -> {value}")
    return bytes(damaged), "; ".join(done)


def _truncate(data: bytes, generator: np.random.Generator) -> tuple[bytes, str]:
    length = int(generator.integers(0, len(data)))
    if generator.random() < 0.5:
        length = len(data) - int(generator.integers(1, min(64, len(data))))
    return data[:length], f"truncated to {length} bytes"


def _flip(data: bytes, generator: np.random.Generator) -> tuple[bytes, str]:
    damaged, done = bytearray(data), []
    # Weights are most of a file; its structure is at both ends.
    window = int(generator.choice([len(data), 2000]))
    start = int(generator.choice([0, max(len(data) - window, 0)]))
    for _ in range(int(generator.integers(1, 9))):
        position = start + int(generator.integers(0, min(window, len(data) - start)))
        damaged[position] ^= int(generator.integers(1, 256))
        done.append(position)
    return bytes(damaged), f"flipped bytes {done}"


def _new_value(before: float, code: str, generator: np.random.Generator) -> float:
    if code == "f":
        choices: tuple[float, ...] = (*_FLOATS, before * 2, before / 2, before * (1 + 2**-20), -before)
        value = choices[generator.integers(len(choices))]
        return value if not np.isfinite(value) or abs(value) < 3.4e38 else 3.4e38
    nearby = (int(before) + 1, int(before) - 1, int(before) ^ 1 << int(generator.integers(0, 8)))
    choices = (*_INTEGERS, *nearby, *nearby)
    bits = 8 * struct.calcsize("<" + code)
    value = int(choices[generator.integers(len(choices))]) % (1 << bits)
    return value - (1 << bits) if code.islower() and value >> (bits - 1) else value


def _vector(table: Table, slot: int, code: str) -> Iterator[int]:
    position = table.field(slot)
    if position is not None:
        start = table.buffer.target(position)
        size = struct.calcsize("<" + code)
        yield from range(start + 4, start + 4 + size * table.buffer.unsigned(start), size)


def _fields(data: bytes) -> Iterator[_Field]:
    """Every field of the kinds that the importer reads."""
    model = FlatBuffer(data).root()
    graph = model.tables(2)[0]
    for table in model.tables(1):
        yield from _scalars(table, {0: ("opcode", "b"), 3: ("opcode", "i")})
    for tensor in graph.tables(0):
        yield from (_Field("shape", position, "i") for position in _vector(tensor, 0, "i"))
        yield from (_Field("shape signature", position, "i") for position in _vector(tensor, 7, "i"))
        yield from _scalars(tensor, {1: ("tensor type", "b"), 2: ("buffer index", "I"), 5: ("variable", "B")})
        quantization = tensor.table(4)
        if quantization is not None:
            yield from (_Field("scale", position, "f") for position in _vector(quantization, 2, "f"))
            yield from (_Field("zero point", position, "q") for position in _vector(quantization, 3, "q"))
            yield from _scalars(quantization, {6: ("quantized dimension", "i")})
    for operator in graph.tables(3):
        yield from _scalars(operator, {0: ("opcode index", "I"), 3: ("options type", "B")})
        yield from (_Field("operator input", position, "i") for position in _vector(operator, 1, "i"))
        yield from (_Field("operator output", position, "i") for position in _vector(operator, 2, "i"))
        options = operator.table(4)
        if options is not None:
            yield from _scalars(options, dict.fromkeys(range(options.slots), ("option byte", "b")))
            yield from _scalars(options, dict.fromkeys(range(options.slots), ("option word", "i")))
    for slot, name in ((1, "graph input"), (2, "graph output")):
        yield from (_Field(name, position, "i") for position in _vector(graph, slot, "i"))


def _scalars(table: Table, slots: dict[int, tuple[str, str]]) -> Iterator[_Field]:
    for slot, (name, code) in slots.items():
        position = table.field(slot)
        if position is not None:
            yield _Field(name, position, code)
