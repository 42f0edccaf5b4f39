"""A board simulated in this process, from its oscillator and its serial line to the pins of its SDRAM."""

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from celosia.generators.chassis.device import DeviceError
from celosia.hdl.sdram_timing import SdramGeometry, SdramTiming

from ..native_handle import NativeHandle
from ..verilator import Progress
from .library import (
    BoardSettings,
    BoardStatisticsRecord,
    PinTiming,
    Status,
    chip_settings,
    load_board_library,
    pin_settings,
)
from .model import BoardPorts, build_board_model

_TAKEN_AT_A_TIME = 4096


@dataclass(frozen=True, slots=True)
class SimulatedBoardSettings:
    """What surrounds the FPGA.

    Attributes:
        oscillator: Hz.
        baud: of the host's end of the line.
        geometry, timing: of the SDRAM.
        pins: times between FPGA and SDRAM.
        seed: of what memory holds at power-up, and of what undriven pins carry.
    """

    oscillator: int
    baud: int
    geometry: SdramGeometry
    timing: SdramTiming
    pins: PinTiming = PinTiming()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class BoardStatistics:
    """Since power-up.

    Attributes:
        oscillator_cycles: passed.
        broken_bytes: that came from the board without a stop bit.
        chip_edges, refreshes, reads, writes, activates, precharges: clocks and commands that the SDRAM saw.
        worst_refresh_debt: nanoseconds, the furthest that refreshing the SDRAM lagged behind its schedule.
        lights: bit i is LED i.
    """

    oscillator_cycles: int
    broken_bytes: int
    chip_edges: int
    refreshes: int
    reads: int
    writes: int
    activates: int
    precharges: int
    worst_refresh_debt: int
    lights: int


class SimulatedBoard:
    """A board that is on, with `run` as its only way to let time pass.

    All of it is the design that synthesis takes, clock by clock; the device's cells are behavioural twins
    (`ecp5_cells.v`). The SDRAM refuses what its datasheet forbids, set-up and hold times at its pins included.

    Attributes:
        memory: what the SDRAM holds, uint8; a view that both sides share without a copy, valid even after `close`.
            Changed while nothing runs there, it is a back door.
        library: path of the model in use.
    """

    def __init__(
        self,
        verilog: str,
        ports: BoardPorts,
        settings: SimulatedBoardSettings,
        *,
        cache_directory: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Build the model (or find it in the cache) and switch the board on.

        Args:
            verilog: board and accelerator, as synthesis takes them.
            ports: of the top module.
            settings: of what surrounds it.
            cache_directory: where built models are kept; the user's cache directory by default.
            progress: called while building.

        Raises:
            ToolError, CacheError: the model cannot be built.
            DeviceError: the design cannot be simulated; the message says why.
        """
        geometry = settings.geometry
        noise = np.random.default_rng(settings.seed)
        self.memory: NDArray[np.uint8] = noise.integers(0, 256, 1 << geometry.address_bits, np.uint8)
        self.library = build_board_model(verilog, ports, cache_directory=cache_directory, progress=progress)
        self._binding = load_board_library(self.library)
        record = BoardSettings(
            settings.oscillator,
            settings.baud,
            settings.seed,
            chip_settings(geometry, settings.timing),
            pin_settings(settings.pins),
        )
        pointer = self.memory.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        message = ctypes.create_string_buffer(256)
        self._handle = NativeHandle(
            self._binding.celosia_board_create(record, pointer, message, len(message)),
            self._binding.celosia_board_destroy,
            "the simulated board is switched off: make a new one",
        )
        if not self._handle:
            raise DeviceError(f"the board cannot be simulated: {message.value.decode()}")

    @property
    def seconds(self) -> float:
        """Simulated, since power-up."""
        return self._binding.celosia_board_picoseconds(self._handle.pointer) * 1e-12

    @property
    def is_talking(self) -> bool:
        """Whether a byte is on the line, or waits for it."""
        return bool(self._binding.celosia_board_is_talking(self._handle.pointer))

    @property
    def statistics(self) -> BoardStatistics:
        """Counted since power-up."""
        record = BoardStatisticsRecord()
        self._binding.celosia_board_statistics(self._handle.pointer, record)
        chip = record.chip
        return BoardStatistics(
            record.oscillator_cycles,
            record.broken_bytes,
            chip.edges,
            chip.refreshes,
            chip.reads,
            chip.writes,
            chip.activates,
            chip.precharges,
            chip.worst_refresh_debt,
            record.lights,
        )

    def run(self, oscillator_cycles: int, line: bytes = b"") -> bytes:
        """Hand bytes to the line, let time pass, and take what came from the board by then.

        Raises:
            DeviceError: the design broke a rule of the SDRAM; the message names the parameter of its datasheet.
        """
        status = self._binding.celosia_board_run(self._handle.pointer, line, len(line), oscillator_cycles)
        if status != Status.DONE:
            message = self._binding.celosia_board_message(self._handle.pointer).decode()
            if status == Status.VIOLATION:
                raise DeviceError(f"the board broke a rule of its SDRAM: {message}")
            raise DeviceError(f"the simulated board failed: {message}")
        buffer = ctypes.create_string_buffer(_TAKEN_AT_A_TIME)
        answer = b""
        while count := self._binding.celosia_board_take(self._handle.pointer, buffer, len(buffer)):
            answer += buffer.raw[:count]
        return answer

    def close(self) -> None:
        """Switch it off; may be called twice."""
        self._handle.close()

    def __enter__(self) -> "SimulatedBoard":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
