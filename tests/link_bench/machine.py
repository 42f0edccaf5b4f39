"""What lies behind an endpoint in tests: the NumPy engine with a clock, and an interrupt that takes its time."""

import numpy as np
from numpy.typing import NDArray

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.device import DeviceError
from celosia.generators.chassis.register_map import CONTROL, REGISTERS, STATUS, Access
from celosia.generators.families import PRESETS
from tests.interpreter_device import InterpreterDevice

_ACCESS = {register.offset: register.access for register in REGISTERS}


class Machine:
    """Registers, memory and interrupt of an engine; a run ends `run_cycles` after its start.

    Attributes:
        cycles: its clock; who owns the machine advances it.
        written: every register write, in order.
    """

    def __init__(
        self,
        config: EngineConfig = PRESETS["u55-32"],
        memory_bytes: int = 1 << 20,
        run_cycles: int = 300,
    ) -> None:
        self.config = config
        self.cycles = 0
        self.written: list[tuple[int, int]] = []
        self._device = InterpreterDevice(config, memory_bytes)
        self._run_cycles = run_cycles
        self._done_at = 0
        self._is_pending = False

    @property
    def memory(self) -> NDArray[np.uint8]:
        return self._device.memory

    @property
    def interrupt(self) -> bool:
        return self._is_pending and self.cycles >= self._done_at

    def schedule_interrupt(self, cycles: int) -> None:
        """As if a run were to end after so many cycles."""
        self._done_at = self.cycles + cycles
        self._is_pending = True

    def read_register(self, offset: int) -> int:
        if offset not in _ACCESS:
            raise DeviceError("no register")
        if offset != STATUS.offset:
            return self._device.read_register(offset)
        if self.cycles < self._done_at:
            return STATUS.mask("running")
        status = self._device.read_register(offset) & ~STATUS.mask("interrupt")
        return status | (STATUS.mask("interrupt") if self.interrupt else 0)

    def write_register(self, offset: int, value: int) -> None:
        self.written.append((offset, value))
        if _ACCESS.get(offset, Access.READ_ONLY) is Access.READ_ONLY:
            raise DeviceError("no register to write")
        self._device.write_register(offset, value)
        if offset == CONTROL.offset and value & CONTROL.mask("start"):
            self.schedule_interrupt(self._run_cycles)
        if offset == CONTROL.offset and value & (CONTROL.mask("interrupt_clear") | CONTROL.mask("reset")):
            self._is_pending = False
        if offset == CONTROL.offset and value & CONTROL.mask("reset"):
            self._done_at = 0
            self._device.reset()
