"""The host's driver: runs engine sections on anything that keeps the `Device` protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Region
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.device import Device, DeviceError
from celosia.generators.chassis.register_map import (
    CHASSIS_VERSION,
    CONFIG_HASH_HI,
    CONFIG_HASH_LO,
    CONTROL,
    COUNTERS,
    ERROR_ADDRESS_HI,
    ERROR_ADDRESS_LO,
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
    REGION_BASE_HI,
    REGION_BASE_LO,
    REGION_LIMIT,
    STATUS,
    VERSION,
    ErrorCode,
    OwnCounter,
    Register,
    counter_registers,
    profile_stride,
)

from .program import EngineSection

_REGION_ALIGNMENT = 4096
_TIMEOUT_FACTOR = 64
_TIMEOUT_MINIMUM = 1 << 24
"""Cycles without an interrupt after which a device is given up; the engine's own watchdog ends a hang long before."""


class EngineError(DeviceError):
    """A run that the engine ended with an error.

    Attributes:
        code: what it was.
        command: index in the command list of the command at fault.
        address: on the bus.
    """

    def __init__(self, code: ErrorCode, command: int, address: int, what: str) -> None:
        super().__init__(
            f"the engine stopped with {code.name} at command {command} ({what}), address 0x{address:x}: "
            f"{code.meaning}"
        )
        self.code = code
        self.command = command
        self.address = address


@dataclass(frozen=True, slots=True)
class Counters:
    """The performance counters, in the order of the register map; see there. `own` are those of the family."""

    cycles: int
    active: int
    stall_weights: int
    stall_ifm: int
    stall_ofm: int
    stall_dma: int
    bytes_read: int
    bytes_written: int
    own: tuple[int, ...] = ()

    @classmethod
    def of(cls, values: Sequence[int]) -> "Counters":
        """From all values, in order."""
        return cls(*values[: len(COUNTERS)], own=tuple(values[len(COUNTERS) :]))

    def __add__(self, other: "Counters") -> "Counters":
        return Counters.of([a + b for a, b in zip(self.values, other.values, strict=True)])

    def __sub__(self, other: "Counters") -> "Counters":
        return Counters.of([a - b for a, b in zip(self.values, other.values, strict=True)])

    @property
    def values(self) -> tuple[int, ...]:
        """All of them, in order."""
        return (
            self.cycles,
            self.active,
            self.stall_weights,
            self.stall_ifm,
            self.stall_ofm,
            self.stall_dma,
            self.bytes_read,
            self.bytes_written,
            *self.own,
        )


@dataclass(frozen=True, slots=True)
class SectionRun:
    """Counters of one run, and the snapshots that its layers took, in order."""

    total: Counters
    snapshots: tuple[Counters, ...]


def configuration_hash(device: Device) -> int:
    """Hash of the configuration that an engine was generated from, whichever that is.

    Raises:
        DeviceError: it is no engine of this register map.
    """
    _check_register_map(device)
    return _read_hash(device)


def check_identity(device: Device, config: EngineConfig) -> None:
    """Refuse a device that is not an engine of `config`.

    Raises:
        DeviceError: it says what was found instead.
    """
    _check_register_map(device)
    found = _read_hash(device)
    if found != config.hash:
        raise DeviceError(
            f"the device has configuration {found:016x}, the program was compiled for {config.hash:016x}: "
            "compile for this device, or use the device that it was compiled for"
        )


def _check_register_map(device: Device) -> None:
    magic = device.read_register(MAGIC.offset)
    if magic != MAGIC_VALUE:
        raise DeviceError(f"there is no Celosia engine: MAGIC reads 0x{magic:08x}, not 0x{MAGIC_VALUE:08x}")
    version = device.read_register(VERSION.offset)
    if version != CHASSIS_VERSION:
        raise DeviceError(
            f"the device has register map version {version}; this host speaks {CHASSIS_VERSION}"
        )


def _read_hash(device: Device) -> int:
    return device.read_register(CONFIG_HASH_LO.offset) | device.read_register(CONFIG_HASH_HI.offset) << 32


@dataclass(frozen=True, slots=True)
class RegionPlace:
    """Where a memory region lies in the device's memory, in bytes."""

    address: int
    size: int


def region_places(section: EngineSection, base: int) -> dict[Region, RegionPlace]:
    """The regions of a section, one after the other from address `base` on, a multiple of 4096."""
    sizes = {
        Region.PROGRAM: len(section.content),
        Region.SCRATCH: section.scratch_bytes,
        Region.INPUT: section.input_bytes,
        Region.OUTPUT: section.output_bytes,
    }
    places = {}
    for region, size in sizes.items():
        places[region] = RegionPlace(base, size)
        base += _aligned(size)
    return places


def memory_bytes(section: EngineSection) -> int:
    """Device memory that a section takes."""
    return sum(_aligned(place.size) for place in region_places(section, 0).values())


def _aligned(size: int) -> int:
    return -(-size // _REGION_ALIGNMENT) * _REGION_ALIGNMENT


class LoadedSection:
    """An engine section whose program lies in a device's memory, ready to run any number of times."""

    def __init__(
        self, device: Device, section: EngineSection, base: int, own_counters: Sequence[OwnCounter] = ()
    ) -> None:
        """Place the regions from address `base` on, a multiple of 4096, and write the program there; `own_counters`
        are those of the family.
        """
        self._counter_registers = counter_registers(own_counters)
        self._device = device
        self.section = section
        self._places = region_places(section, base)
        device.write_memory(self._places[Region.PROGRAM].address, section.content)

    def run(self, inputs: Mapping[int, np.ndarray]) -> tuple[dict[int, bytes], SectionRun]:
        """One run: inputs by tensor index to outputs' bytes by tensor index, and what the engine counted.

        Raises: as `compute`.
        """
        return self.compute(inputs), self.counted()

    def counted(self) -> SectionRun:
        """What the engine counted in the last run on the device, as long as no other has started.

        Apart from `compute`, since over a serial line it takes longer than most runs.
        """
        return SectionRun(self._counters(), self._snapshots())

    def compute(self, inputs: Mapping[int, np.ndarray]) -> dict[int, bytes]:
        """One run: inputs by tensor index to outputs' bytes by tensor index.

        Raises:
            EngineError: the engine stopped with an error.
            DeviceTimeout, DeviceError: the device did not answer.
        """
        device, section = self._device, self.section
        for binding in section.inputs:
            device.write_memory(self._places[Region.INPUT].address + binding.offset, inputs[binding.tensor])
        self._set_up()
        device.write_register(CONTROL.offset, CONTROL.mask("start"))
        device.wait_for_interrupt(_TIMEOUT_MINIMUM + _TIMEOUT_FACTOR * section.predicted_cycles)
        status = device.read_register(STATUS.offset)
        if status & STATUS.mask("error"):
            error = self._error()
            device.reset()
            raise error
        device.write_register(CONTROL.offset, CONTROL.mask("interrupt_clear"))
        return {
            binding.tensor: bytes(
                device.read_memory(
                    self._places[Region.OUTPUT].address + binding.offset,
                    section.output_bytes - binding.offset,
                )
            )
            for binding in section.outputs
        }

    def _set_up(self) -> None:
        def write(register: Register, value: int) -> None:
            self._device.write_register(register.offset, value)

        for region, place in self._places.items():
            write(REGION_BASE_LO[region], place.address & 0xFFFFFFFF)
            write(REGION_BASE_HI[region], place.address >> 32)
            write(REGION_LIMIT[region], place.size)
        write(QUEUE_OFFSET, self.section.queue_offset)
        write(QUEUE_COUNT, self.section.queue_count)

    def _error(self) -> EngineError:
        read = self._device.read_register
        code = ErrorCode(read(ERROR_CODE.offset))
        index = read(ERROR_INDEX.offset)
        address = read(ERROR_ADDRESS_LO.offset) | read(ERROR_ADDRESS_HI.offset) << 32
        start = self.section.queue_offset + index * COMMAND_BYTES
        opcode = self.section.content[start] if start < len(self.section.content) else 0
        names = {entry.value: entry.name for entry in Opcode}
        return EngineError(code, index, address, names.get(opcode, f"opcode 0x{opcode:02x}"))

    def _counters(self) -> Counters:
        return Counters.of(
            [self._device.read_register(register.offset) for register in self._counter_registers]
        )

    def _snapshots(self) -> tuple[Counters, ...]:
        read, write = self._device.read_register, self._device.write_register
        kept = min(read(PROFILE_COUNT.offset), read(PROFILE_ENTRIES.offset))
        count = len(self._counter_registers)
        entries = []
        for entry in range(kept):
            values = []
            for place in range(count):
                write(PROFILE_INDEX.offset, entry * profile_stride(count) + place)
                values.append(read(PROFILE_DATA.offset))
            entries.append(Counters.of(values))
        return tuple(entries)
