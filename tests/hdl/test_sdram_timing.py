"""Times of an SDRAM's datasheet become cycles that are legal at every clock."""

from dataclasses import fields, replace
from typing import Any

import pytest

from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramCycles, SdramGeometry, SdramTiming

MHZ = 1_000_000
NANOSECONDS = 1_000_000_000
CLOCKS = [50 * MHZ, 66_666_667, 80 * MHZ, 99_999_999, 100 * MHZ, 125 * MHZ, 133_333_333, 142 * MHZ]


def test_the_board_s_chip_at_133_mhz() -> None:
    assert AS4C16M16SA_7.cycles(133 * MHZ) == SdramCycles(
        cas_latency=3,
        row_active=6,
        row_to_column=3,
        precharge=3,
        row_to_row=2,
        write_recovery=2,
        refresh=9,
        load_mode=2,
        power_up=26600,
        power_up_refreshes=8,
    )


@pytest.mark.parametrize("frequency", CLOCKS)
@pytest.mark.parametrize(
    "name",
    [
        "row_active",
        "row_to_column",
        "precharge",
        "row_to_row",
        "write_recovery",
        "refresh",
        "load_mode",
        "power_up",
    ],
)
def test_cycles_last_as_long_as_the_datasheet_asks(name: str, frequency: int) -> None:
    cycles = getattr(AS4C16M16SA_7.cycles(frequency), name)
    assert cycles * NANOSECONDS >= getattr(AS4C16M16SA_7, name) * frequency


@pytest.mark.parametrize("frequency", CLOCKS)
@pytest.mark.parametrize("row_cycle", [55, 63, 70, 90])
def test_row_active_and_precharge_cover_the_row_cycle(frequency: int, row_cycle: int) -> None:
    cycles = replace(AS4C16M16SA_7, row_cycle=row_cycle).cycles(frequency)
    assert (cycles.row_active + cycles.precharge) * NANOSECONDS >= row_cycle * frequency


def test_cycles_of_a_fast_clock_are_legal_at_every_slower_one() -> None:
    fast = AS4C16M16SA_7.cycles(CLOCKS[-1])
    for frequency in CLOCKS:
        slow = AS4C16M16SA_7.cycles(frequency)
        for field in fields(SdramCycles):
            assert getattr(fast, field.name) >= getattr(slow, field.name), field.name


@pytest.mark.parametrize("frequency", CLOCKS)
def test_refreshes_of_all_rows_fit_their_period_though_each_may_wait_for_a_burst(frequency: int) -> None:
    longest_wait = 1000
    interval = AS4C16M16SA_7.refresh_interval(frequency)
    cycles = AS4C16M16SA_7.refresh_commands * interval + longest_wait
    assert cycles * NANOSECONDS <= AS4C16M16SA_7.refresh_period * frequency


def test_refresh_interval_at_100_mhz() -> None:
    assert AS4C16M16SA_7.refresh_interval(100 * MHZ) == 780  # 781.25 - 1


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"cas_latency": 4}, ValueError, "cas_latency must be in 2..3, not 4"),
        ({"precharge": 0}, ValueError, "precharge must be at least 1, not 0"),
        ({"refresh": 63.5}, TypeError, "refresh must be an int, not 63.5"),
        (
            {"row_active": 130_000},
            ValueError,
            "row_active must be below row_active_limit .120000 ns., not 130000 ns",
        ),
    ],
)
def test_refuses_times_that_make_no_sense(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        replace(AS4C16M16SA_7, **change)


def test_refuses_a_clock_that_is_too_fast() -> None:
    text = "frequency must be at most 142857142 Hz at CAS latency 3, not 143000000"
    with pytest.raises(ValueError, match=text):
        AS4C16M16SA_7.cycles(143 * MHZ)
    with pytest.raises(ValueError, match=text):
        AS4C16M16SA_7.refresh_interval(143 * MHZ)


def test_refuses_a_clock_that_is_too_slow_to_refresh() -> None:
    with pytest.raises(ValueError, match="frequency must allow a REFRESH every 64000000 ns, not 100000 Hz"):
        AS4C16M16SA_7.refresh_interval(100_000)


def test_geometry_of_32_and_of_64_mebibytes() -> None:
    assert (SdramGeometry().address_bits, SdramGeometry().page_bytes) == (25, 1024)
    assert SdramGeometry(column_bits=10).address_bits == 26


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"row_bits": 14}, ValueError, "row_bits must be in 11..13, not 14"),
        ({"column_bits": 11}, ValueError, "column_bits must be in 8..10, not 11"),
        ({"column_bits": "9"}, TypeError, "column_bits must be an int, not '9'"),
    ],
)
def test_refuses_a_geometry_that_has_no_pins(
    change: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        SdramGeometry(**change)


def test_annotations_name_the_same_times() -> None:
    """Nanoseconds and cycles go by the same names."""
    names = {field.name for field in fields(SdramTiming)}
    assert {field.name for field in fields(SdramCycles)} <= names
