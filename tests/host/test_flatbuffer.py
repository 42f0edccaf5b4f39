"""Every way in which the bytes of a FlatBuffer can be wrong ends in FlatBufferError."""

import struct

import pytest

from celosia.host.tflite.flatbuffer import FlatBuffer, FlatBufferError


def buffer(*words: int | bytes) -> FlatBuffer:
    return FlatBuffer(
        b"".join(word if isinstance(word, bytes) else struct.pack("<i", word) for word in words)
    )


# A root offset of 12, a vtable of two slots at 4, a table at 12 whose slot 0 is stored at 16; slot 1 is absent.
VTABLE = struct.pack("<HHHH", 8, 8, 4, 0)


def test_scalars_and_defaults() -> None:
    table = buffer(12, VTABLE, 8, -5).root()
    assert table.integer(0, "i") == -5
    assert table.integer(1, "i", default=7) == 7
    assert table.integer(9, "i", default=8) == 8


def test_a_vector_is_a_view_with_the_stored_length() -> None:
    table = buffer(12, VTABLE, 8, 4, 3, 10, 20, 30).root()
    assert table.integers(0) == (10, 20, 30)
    assert table.integers(1) == ()


def test_a_string_that_is_not_utf8_is_replaced() -> None:
    assert buffer(12, VTABLE, 8, 4, 2, b"\xff!").root().string(0) == "\N{REPLACEMENT CHARACTER}!"


@pytest.mark.parametrize(
    "words",
    [
        (1 << 20,),
        (-4,),
        (12, VTABLE, 1 << 20, 0),
        (12, VTABLE, -(1 << 20), 0),
        (12, struct.pack("<HHHH", 3, 8, 4, 0), 8, 0),
        (12, struct.pack("<HHHH", 60000, 8, 4, 0), 8, 0),
    ],
    ids=["root behind", "root before", "vtable before", "vtable behind", "vtable odd", "vtable long"],
)
def test_tables_outside_the_file(words: tuple[int | bytes, ...]) -> None:
    with pytest.raises(FlatBufferError):
        buffer(*words).root()


@pytest.mark.parametrize("length", [4, 1 << 30, -1])
def test_vectors_longer_than_the_file(length: int) -> None:
    table = buffer(12, VTABLE, 8, 4, length, 10, 20, 30).root()
    with pytest.raises(FlatBufferError, match="must lie inside the file's"):
        table.array(0, "int32")


def test_too_many_tables() -> None:
    table = buffer(12, VTABLE, 8, 4, 1 << 15, bytes(4 << 15)).root()
    with pytest.raises(FlatBufferError, match="a list must have at most 16384 entries, not 32768"):
        table.tables(0)


def test_overlapping_parts_are_refused_before_they_cost_time() -> None:
    table = buffer(12, VTABLE, 8, 4, 1 << 16, bytes(1 << 16)).root()
    with pytest.raises(FlatBufferError, match="must not overlap so often"):
        _ = [table.array(0, "uint8") for _ in range(100)]
