"""The register map: no overlaps, and one clear message for a wrong definition."""

import pytest

from celosia.generators.chassis.register_map import (
    CONTROL,
    COUNTERS,
    REGISTERS,
    Access,
    BitField,
    OwnCounter,
    Register,
    counter,
    counter_registers,
    markdown_table,
    profile_stride,
    register_list,
)


def test_offsets_rise_and_names_differ() -> None:
    offsets = [register.offset for register in REGISTERS]
    assert offsets == sorted(set(offsets))
    assert len({register.name for register in REGISTERS}) == len(REGISTERS)


def test_counters_lie_in_a_row() -> None:
    assert [register.offset for register in COUNTERS] == [COUNTERS[0].offset + 4 * n for n in range(8)]


def test_counters_of_a_family_follow_those_of_all() -> None:
    own = (OwnCounter("SHIFT", "cycles of shifting"), OwnCounter("USEFUL", "products", bits=8))
    added = counter_registers(own)[len(COUNTERS) :]
    assert [(register.name, register.offset) for register in added] == [("SHIFT", 0x120), ("USEFUL", 0x124)]
    registers = register_list(own)
    offsets = [register.offset for register in registers]
    assert offsets == sorted(set(offsets))
    assert set(registers) == {*REGISTERS, *added}
    assert register_list() == REGISTERS


@pytest.mark.parametrize(("counters", "stride"), [(8, 8), (9, 16), (16, 16)])
def test_entries_of_the_profile_memory_start_at_a_power_of_two(counters: int, stride: int) -> None:
    assert profile_stride(counters) == stride


def test_masks_name_bits() -> None:
    assert CONTROL.mask("reset") == 2
    assert BitField("wide", 4, 3, "").mask == 0x70


def test_every_register_is_in_the_manual_table() -> None:
    table = markdown_table()
    assert all(f"| {register.name} |" in table for register in REGISTERS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Register(2, "ODD", Access.READ_ONLY, ""),
            "offset of ODD must be a multiple of 4 in 0..4092, not 2",
        ),
        (lambda: Register(0, "BIG", Access.READ_WRITE, "", reset=1 << 32), "reset of BIG must be in 0"),
        (lambda: BitField("far", 31, 2, ""), "'far' must lie within bits 0..31, not 31..32"),
        (
            lambda: Register(
                0, "TWICE", Access.READ_ONLY, "", (BitField("a", 0, 2, ""), BitField("b", 1, 1, ""))
            ),
            "'b' of TWICE overlaps another; move it",
        ),
        (lambda: CONTROL.field("go"), "CONTROL has no bit field 'go'"),
        (lambda: counter("NAPS"), "counter must be one of"),
        (lambda: OwnCounter("WIDE", "", bits=32), "bits of counter WIDE must be in 0..31, not 32"),
        (
            lambda: counter_registers([OwnCounter(f"C{n}", "") for n in range(9)]),
            "at most 8 counters of its own, not 9",
        ),
        (lambda: counter_registers([OwnCounter("CYCLES", "")]), "counters must have different names"),
    ],
)
def test_wrong_definitions_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=message):
        make()
