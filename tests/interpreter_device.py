"""A device without gateware: its start bit runs the NumPy interpreter of the command set on its memory."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from celosia.generators.chassis.command import COMMAND_BYTES, Region
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.device import DeviceError
from celosia.generators.chassis.interpreter import IllegalCommand
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.register_map import (
    CHASSIS_VERSION,
    CONFIG_HASH_HI,
    CONFIG_HASH_LO,
    CONTROL,
    COUNTERS,
    ERROR_CODE,
    ERROR_INDEX,
    MAGIC,
    MAGIC_VALUE,
    PROFILE_COUNT,
    PROFILE_DATA,
    PROFILE_ENTRIES,
    PROFILE_INDEX,
    QUEUE_COUNT,
    QUEUE_OFFSET,
    REGION_BASE_LO,
    REGION_LIMIT,
    STATUS,
    VERSION,
    ErrorCode,
    counter_registers,
    profile_stride,
)
from celosia.generators.families import family_of
from celosia.sim.verilator import Progress

__all__ = ["InterpreterDevice", "open_interpreter"]

CYCLES_A_COMMAND = 10
"""The interpreter knows no cycles; this makes counters that add up, and that a test can predict."""


class InterpreterDevice:
    """A `Device` that computes what an engine of `config` must compute.

    Counters: every command takes `CYCLES_A_COMMAND` cycles, all of them active; a layer's snapshot is taken after
    its share of the commands. `flip` names a byte of region OUTPUT whose lowest bit the next runs invert. Once closed,
    it refuses all use, as every device does.
    """

    def __init__(self, config: EngineConfig, memory_bytes: int = 1 << 24) -> None:
        self.config = config
        self._counters = counter_registers(family_of(config).counters)
        self.memory: NDArray[np.uint8] = np.zeros(memory_bytes, np.uint8)
        self.runs = 0
        self.resets = 0
        self.closed = False
        self.flip: int | None = None
        self._registers: dict[int, int] = {}
        self._entries: list[list[int]] = []
        self.reset()

    def reset(self) -> None:
        self.resets += 1
        self._registers = {
            MAGIC.offset: MAGIC_VALUE,
            VERSION.offset: CHASSIS_VERSION,
            CONFIG_HASH_LO.offset: self.config.hash & 0xFFFFFFFF,
            CONFIG_HASH_HI.offset: self.config.hash >> 32,
            STATUS.offset: STATUS.mask("idle"),
            PROFILE_ENTRIES.offset: self.config.profile_entries,
        }
        self._entries = []

    def read_register(self, offset: int) -> int:
        self._check_open()
        if offset == PROFILE_DATA.offset:
            stride = profile_stride(len(self._counters))
            entry, place = divmod(self._registers.get(PROFILE_INDEX.offset, 0), stride)
            return self._entries[entry][place]
        return self._registers.get(offset, 0)

    def write_register(self, offset: int, value: int) -> None:
        self._check_open()
        if offset != CONTROL.offset:
            self._registers[offset] = value
        elif value == CONTROL.mask("start"):
            self._run()

    def read_memory(self, address: int, size: int) -> NDArray[np.uint8]:
        self._check(address, size)
        return self.memory[address : address + size].copy()

    def write_memory(self, address: int, data: bytes | NDArray[np.generic]) -> None:
        content = np.frombuffer(data if isinstance(data, bytes) else data.tobytes(), np.uint8)
        self._check(address, content.size)
        self.memory[address : address + content.size] = content

    def wait_for_interrupt(self, timeout_cycles: int) -> None:
        if not self._registers[STATUS.offset] & STATUS.mask("interrupt"):
            raise DeviceError("nothing was started")

    def close(self) -> None:
        self.closed = True

    def _check_open(self) -> None:
        if self.closed:
            raise DeviceError("the device is closed")

    def _check(self, address: int, size: int) -> None:
        self._check_open()
        if address < 0 or address + size > self.memory.size:
            raise DeviceError(f"{size} bytes at {address} are outside the memory")

    def _regions(self) -> dict[Region, NDArray[np.uint8]]:
        """Views of the memory, as the region registers have it."""
        regions = {}
        for region in Region:
            base = self._registers[REGION_BASE_LO[region].offset]
            regions[region] = self.memory[base : base + self._registers[REGION_LIMIT[region].offset]]
        return regions

    def _run(self) -> None:
        self.runs += 1
        regions = self._regions()
        start = self._registers[QUEUE_OFFSET.offset]
        count = self._registers[QUEUE_COUNT.offset]
        words = regions[Region.PROGRAM][start : start + count * COMMAND_BYTES].tobytes()
        interpreter = family_of(self.config).interpreter(self.config, regions)
        try:
            interpreter.run(words)
        except IllegalCommand as error:
            index = [int(word.rstrip(":")) for word in str(error).split() if word.rstrip(":").isdigit()]
            self._registers[ERROR_CODE.offset] = ErrorCode.ILLEGAL_COMMAND
            self._registers[ERROR_INDEX.offset] = index[0] if index else 0
            self._registers[STATUS.offset] = STATUS.mask("error") | STATUS.mask("interrupt")
            return
        if self.flip is not None:
            regions[Region.OUTPUT][self.flip] ^= 1
        self._count(count, interpreter.snapshots)
        self._registers[STATUS.offset] = STATUS.mask("done") | STATUS.mask("interrupt")

    def _count(self, commands: int, snapshots: list[int]) -> None:
        own = [0] * (len(self._counters) - len(COUNTERS))
        kept = snapshots[: self.config.profile_entries]
        self._entries = [[*_counters(index + 1), *own] for index in kept]
        self._registers[PROFILE_COUNT.offset] = len(snapshots)
        for register, value in zip(self._counters, [*_counters(commands), *own], strict=True):
            self._registers[register.offset] = value


def _counters(commands: int) -> list[int]:
    cycles = commands * CYCLES_A_COMMAND
    return [cycles, cycles, 0, 0, 0, 0, commands * COMMAND_BYTES, commands]


def open_interpreter(
    config: EngineConfig,
    memory_model: MemoryModel,
    memory_bytes: int,
    trace: Path | None,
    progress: Progress | None,
) -> tuple[InterpreterDevice, Path]:
    """Stands in for `celosia.host.simulated.open_simulated`."""
    if progress is not None:
        progress("Interpreting", 1, 1)
    return InterpreterDevice(config, memory_bytes), Path("celosia.v")
