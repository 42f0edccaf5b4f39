"""Binding of the C ABI of `harness.cpp` with ctypes. Only `simulated_board.py` uses it."""

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_int, c_uint8, c_uint64, c_void_p
from dataclasses import dataclass, fields
from enum import IntEnum
from pathlib import Path

from celosia.hdl.sdram_timing import SdramGeometry, SdramTiming

from ..typed_library import Signatures, load_typed


class Status(IntEnum):
    """What `celosia_board_run` returns."""

    DONE = 0
    VIOLATION = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class PinTiming:
    """Times between the pins of an SDRAM and the FPGA, in picoseconds.

    Attributes:
        set_up, hold: of the chip's inputs, before and after its clock (tIS, tIH).
        access: from the chip's clock until its data are valid, at the latest (tAC).
        data_hold: from the chip's clock as long as the data before are valid, at least (tOH).
        least_round_trip, greatest_round_trip: through pins and board, from the FPGA to the chip and back.
    """

    set_up: int = 1500
    hold: int = 800
    access: int = 5400
    data_hold: int = 2500
    least_round_trip: int = 2000
    greatest_round_trip: int = 4000


class ChipSettings(Structure):
    """Mirrors `ChipSettings` of sdram_chip.h."""

    _fields_ = [
        (name, c_uint64)
        for name in (
            "row_bits",
            "column_bits",
            "cas_latency",
            "clock_period",
            "row_cycle",
            "row_active",
            "row_active_limit",
            "row_to_column",
            "precharge",
            "row_to_row",
            "write_recovery",
            "refresh",
            "load_mode",
            "refresh_period",
            "refresh_commands",
            "power_up",
            "power_up_refreshes",
            "postponed_refreshes",
        )
    ]


class PinSettings(Structure):
    """Mirrors `PinSettings` of harness.cpp."""

    _fields_ = [(name, c_uint64) for name in PinTiming.__slots__]


class BoardSettings(Structure):
    """Mirrors `BoardSettings` of harness.cpp."""

    _fields_ = [
        ("oscillator", c_uint64),
        ("baud", c_uint64),
        ("noise", c_uint64),
        ("chip", ChipSettings),
        ("pins", PinSettings),
    ]


class ChipStatisticsRecord(Structure):
    """Mirrors `ChipStatistics` of sdram_chip.h."""

    _fields_ = [
        (name, c_uint64)
        for name in (
            "edges",
            "refreshes",
            "reads",
            "writes",
            "activates",
            "precharges",
            "worst_refresh_debt",
        )
    ]


class BoardStatisticsRecord(Structure):
    """Mirrors `BoardStatistics` of harness.cpp."""

    _fields_ = [
        ("oscillator_cycles", c_uint64),
        ("broken_bytes", c_uint64),
        ("chip", ChipStatisticsRecord),
        ("lights", c_uint64),
    ]


def chip_settings(geometry: SdramGeometry, timing: SdramTiming, postponed_refreshes: int = 1) -> ChipSettings:
    """The chip as the model wants it."""
    times = {field.name: getattr(timing, field.name) for field in fields(timing)}
    return ChipSettings(
        row_bits=geometry.row_bits,
        column_bits=geometry.column_bits,
        postponed_refreshes=postponed_refreshes,
        **times,
    )


def pin_settings(pins: PinTiming) -> PinSettings:
    """`pins` as the harness wants it."""
    return PinSettings(*(getattr(pins, name) for name in PinTiming.__slots__))


_SIGNATURES: Signatures = {
    "celosia_board_create": (c_void_p, [POINTER(BoardSettings), POINTER(c_uint8), c_char_p, c_uint64]),
    "celosia_board_destroy": (None, [c_void_p]),
    "celosia_board_run": (c_int, [c_void_p, c_char_p, c_uint64, c_uint64]),
    "celosia_board_take": (c_uint64, [c_void_p, c_char_p, c_uint64]),
    "celosia_board_is_talking": (c_int, [c_void_p]),
    "celosia_board_picoseconds": (c_uint64, [c_void_p]),
    "celosia_board_statistics": (None, [c_void_p, POINTER(BoardStatisticsRecord)]),
    "celosia_board_message": (c_char_p, [c_void_p]),
}


def load_board_library(path: Path) -> ctypes.CDLL:
    """The board's model at `path`; see `load_typed`."""
    return load_typed(path, _SIGNATURES)
