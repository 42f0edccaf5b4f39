"""The protocol's definition: bytes and gateware agree, and kinds cannot be mixed up."""

import pytest

from celosia.hdl.link.protocol import (
    IDENTITY,
    INTERRUPT_BIT,
    OUTCOME_MASK,
    REPLY_BIT,
    REPLY_HEADER,
    REQUEST_HEADER,
    Kind,
    Outcome,
    field_bits,
    layout,
    markdown_tables,
    pack,
    size,
    unpack,
)


@pytest.mark.parametrize("fields", [REQUEST_HEADER, REPLY_HEADER, IDENTITY])
def test_packing_is_undone_by_unpacking_and_is_what_gateware_sees(fields) -> None:
    values = {
        field.name: (0x0123456789AB >> place) % (1 << 8 * field.bytes) for place, field in enumerate(fields)
    }
    packed = pack(fields, values)
    assert len(packed) == size(fields)
    assert unpack(fields, packed + b"more") == values
    view = layout(fields).const(values)
    assert view.as_value().value == int.from_bytes(packed, "little")


def test_a_value_that_does_not_fit_is_refused() -> None:
    values = {field.name: 0 for field in REPLY_HEADER}
    with pytest.raises(OverflowError):
        pack(REPLY_HEADER, values | {"kind": 256})


def test_an_unknown_field_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"field must be one of .*'address'.*, not 'adress'"):
        field_bits(REQUEST_HEADER, "adress")


def test_requests_and_replies_are_told_apart_by_a_bit() -> None:
    assert Kind.NOTICE == REPLY_BIT
    assert all(kind < REPLY_BIT for kind in Kind if kind is not Kind.NOTICE)


def test_outcomes_leave_room_for_the_interrupt() -> None:
    assert max(Outcome) <= OUTCOME_MASK < INTERRUPT_BIT


def test_the_manual_names_everything() -> None:
    tables = markdown_tables()
    for name in [
        *Kind.__members__,
        *Outcome.__members__,
        *(field.name for field in (*REQUEST_HEADER, *IDENTITY)),
    ]:
        assert f"| {name} |" in tables
