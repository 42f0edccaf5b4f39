"""Binding of the C ABI of `harness.cpp` with ctypes. Only `device.py` uses it."""

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_int, c_uint8, c_uint32, c_uint64, c_void_p
from enum import IntEnum
from pathlib import Path

from celosia.generators.chassis.memory import MemoryModel

from .faults import AddressError, BurstError, Fault
from .typed_library import Signatures, load_typed

_RESPONSES = {"SLVERR": 2, "DECERR": 3}
_BURSTS = {"read": 0, "write": 1, "weights": 5}


class Status(IntEnum):
    """What the harness's functions return."""

    DONE = 0
    TIMEOUT = 1
    VIOLATION = 2
    FAILED = 3


class Settings(Structure):
    """Mirrors `Settings` of axi_memory.h."""

    _fields_ = [
        (name, c_uint64)
        for name in (
            "latency",
            "rate_units",
            "beat_units",
            "outstanding_reads",
            "outstanding_writes",
            "seed",
            "pause_threshold",
            "base",
            "size",
        )
    ]


class FaultRecord(Structure):
    """Mirrors `Fault` of axi_memory.h."""

    _fields_ = [(name, c_uint64) for name in ("kind", "response", "first", "limit")]


class StatisticsRecord(Structure):
    """Mirrors `Statistics` of axi_memory.h."""

    _fields_ = [
        (name, c_uint64)
        for name in (
            "cycles",
            "read_bursts",
            "read_beats",
            "write_bursts",
            "write_beats",
            "weights_bursts",
            "weights_beats",
        )
    ]


def settings_of(memory: MemoryModel, beat_bytes: int, base: int, size: int) -> Settings:
    """The memory contract in the units of the harness: 1/d byte, d the denominator of the bandwidth."""
    rate = memory.bytes_per_cycle
    return Settings(
        latency=memory.latency,
        rate_units=rate.numerator,
        beat_units=beat_bytes * rate.denominator,
        outstanding_reads=memory.outstanding_reads,
        outstanding_writes=memory.outstanding_writes,
        seed=memory.seed or 0,
        pause_threshold=memory.pause_threshold,
        base=base,
        size=size,
    )


def record_of(fault: Fault) -> FaultRecord:
    """`fault` as the harness wants it."""
    match fault:
        case BurstError(direction, burst, response):
            return FaultRecord(_BURSTS[direction], _RESPONSES[response], burst, 0)
        case AddressError(direction, first, limit, response):
            return FaultRecord(2 if direction == "read" else 3, _RESPONSES[response], first, limit)
        case _:
            return FaultRecord(4, 0, fault.beats, 0)


_SIGNATURES: Signatures = {
    "celosia_create": (c_void_p, [POINTER(Settings), POINTER(Settings), POINTER(c_uint8)]),
    "celosia_destroy": (None, [c_void_p]),
    "celosia_reset": (c_int, [c_void_p]),
    "celosia_write_register": (c_int, [c_void_p, c_uint32, c_uint32]),
    "celosia_read_register": (c_int, [c_void_p, c_uint32, POINTER(c_uint32)]),
    "celosia_step_until_irq": (c_int, [c_void_p, c_uint64]),
    "celosia_configure": (None, [c_void_p, POINTER(Settings), POINTER(Settings)]),
    "celosia_add_fault": (c_int, [c_void_p, POINTER(FaultRecord)]),
    "celosia_clear_faults": (None, [c_void_p]),
    "celosia_run_statistics": (None, [c_void_p, POINTER(StatisticsRecord)]),
    "celosia_now": (c_uint64, [c_void_p]),
    "celosia_describe": (c_char_p, [c_void_p]),
    "celosia_message": (c_char_p, [c_void_p]),
    "celosia_open_trace": (c_int, [c_void_p, c_char_p, c_uint64, c_uint64]),
    "celosia_flush_trace": (None, [c_void_p]),
}


def load_library(path: Path) -> ctypes.CDLL:
    """The accelerator's model at `path`; see `load_typed`."""
    return load_typed(path, _SIGNATURES)
