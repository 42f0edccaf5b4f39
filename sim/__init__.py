"""Simulation: the accelerator as a shared library in this process, and cocotb helpers."""

from .device import DEFAULT_MEMORY_BYTES, RunStatistics, SimulatedDevice
from .errors import CacheError, ToolError
from .faults import AddressError, BurstError, Silence
from .ports import SimulatedPorts

__all__ = [
    "DEFAULT_MEMORY_BYTES",
    "AddressError",
    "BurstError",
    "CacheError",
    "RunStatistics",
    "Silence",
    "SimulatedDevice",
    "SimulatedPorts",
    "ToolError",
]
