"""Drives the copy engine."""

from dataclasses import dataclass

import numpy as np

from celosia.sim import SimulatedDevice
from tests.sim import copy_engine


@dataclass(frozen=True)
class Copy:
    """One job of the engine; addresses are multiples of a burst's bytes."""

    source: int = 0
    destination: int = 0x10000
    bursts: int = 12
    burst_beats: int = 16
    mode: int = 0

    def bytes(self, beat_bytes: int = 8) -> int:
        return self.bursts * self.burst_beats * beat_bytes


def start(device: SimulatedDevice, job: Copy) -> None:
    device.write_register(copy_engine.REGISTER_SOURCE, job.source)
    device.write_register(copy_engine.REGISTER_DESTINATION, job.destination)
    device.write_register(copy_engine.REGISTER_BURSTS, job.bursts)
    device.write_register(copy_engine.REGISTER_BURST_BEATS, job.burst_beats)
    device.write_register(copy_engine.REGISTER_MODE, job.mode)
    device.write_register(copy_engine.REGISTER_CONTROL, 1)


def run(device: SimulatedDevice, job: Copy, timeout_cycles: int = 100_000) -> int:
    """Copy, clear the interrupt, and return the number of errors the engine saw."""
    start(device, job)
    device.wait_for_interrupt(timeout_cycles)
    errors = device.read_register(copy_engine.REGISTER_ERRORS)
    device.write_register(copy_engine.REGISTER_CONTROL, 2)
    return errors


def random_bytes(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
