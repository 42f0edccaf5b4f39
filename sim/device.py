"""The accelerator simulated in this process."""

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from celosia.generators.chassis.device import DeviceError, DeviceTimeout
from celosia.generators.chassis.memory import MemoryModel

from .compiler import DEFAULT_COMPILER
from .faults import BurstError, Fault
from .library import Settings, StatisticsRecord, Status, load_library, record_of, settings_of
from .model import TraceFormat, build_model
from .native_handle import NativeHandle
from .ports import SimulatedPorts
from .verilator import Progress

DEFAULT_MEMORY_BYTES = 64 << 20

_CYCLES_PER_CALL = 1 << 20
"""The harness returns to Python this often, about once a second, so that Ctrl-C and progress work."""

_TRACE_FORMATS: dict[str, TraceFormat] = {".vcd": "vcd", ".fst": "fst"}
_ALL_CYCLES = range((1 << 63) - 1)


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """What the harness counted in a run, without asking the accelerator.

    Attributes:
        cycles: from the clock of the data handshake of the last register write to the clock `irq` rises.
        read_bursts, write_bursts: address handshakes.
        read_bytes, write_bytes: transferred on the bus in full beats, whatever the strobes.
        weights_bursts, weights_bytes: likewise on the port for weights.
    """

    cycles: int
    read_bursts: int
    read_bytes: int
    write_bursts: int
    write_bytes: int
    weights_bursts: int = 0
    weights_bytes: int = 0


class SimulatedDevice:
    """A `Device` whose registers, memory and clock live in this process.

    Time passes only in `read_register`, `write_register` and `wait_for_interrupt`, so the same calls take the
    same cycles. Devices are independent: several may live in one process, each used by one thread at a time.

    Attributes:
        memory: all of the memory, uint8; a view that both sides share without a copy, valid even after `close`.
        library: path of the model in use.
    """

    def __init__(
        self,
        verilog: str,
        ports: SimulatedPorts | None = None,
        *,
        memory_model: MemoryModel | None = None,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
        memory_base: int = 0,
        trace: Path | None = None,
        trace_cycles: range = _ALL_CYCLES,
        compiler: str = DEFAULT_COMPILER,
        cache_directory: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Build the model (or find it in the cache) and reset it.

        Args:
            verilog: source text with the top module `celosia`.
            ports: widths of its memory port, 64 data and 32 address bits by default.
            memory_model: timing of the memory, the contract's defaults if not given.
            memory_bytes: size of the memory, a positive multiple of 4096; zero at first, committed when used.
            memory_base: address of its first byte, a multiple of 4096.
            trace: write a waveform to this file, `*.vcd`, or `*.fst` where its library is installed.
            trace_cycles: which cycles since the last reset it holds.
            compiler: "zig", or a C++ compiler on this machine.
            cache_directory: where built models are kept; the user's cache directory by default.
            progress: called while building.

        Raises:
            ValueError: an argument is outside its range.
            ToolError, CacheError: the model cannot be built.
            DeviceError: the trace file cannot be written.
        """
        if memory_bytes <= 0 or memory_bytes % 4096:
            raise ValueError(f"memory_bytes must be a positive multiple of 4096, not {memory_bytes}")
        if memory_base < 0 or memory_base % 4096:
            raise ValueError(f"memory_base must be a multiple of 4096, 0 or more, not {memory_base}")
        ports = ports or SimulatedPorts()
        if memory_base + memory_bytes > 1 << ports.address_bits:
            raise ValueError(
                f"memory_base + memory_bytes must be at most 2**{ports.address_bits} (address_bits), "
                f"not {memory_base + memory_bytes}"
            )
        trace_format = None if trace is None else _trace_format(trace)
        self.memory: NDArray[np.uint8] = np.zeros(memory_bytes, np.uint8)
        self._memory_base = memory_base
        self._ports = ports
        self.library = build_model(
            verilog,
            ports,
            trace=trace_format,
            compiler=compiler,
            cache_directory=cache_directory,
            progress=progress,
        )
        self._binding = load_library(self.library)
        settings = self._settings(memory_model or MemoryModel())
        pointer = self.memory.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        self._handle = NativeHandle(
            self._binding.celosia_create(*settings, pointer),
            self._binding.celosia_destroy,
            "the device is closed: make a new one",
        )
        self._wedged = False
        if not self._handle:
            raise DeviceError("the simulated design failed in its reset")
        if trace is not None:
            first, limit = trace_cycles.start, trace_cycles.stop
            if not self._binding.celosia_open_trace(self._handle.pointer, str(trace).encode(), first, limit):
                self.close()
                raise DeviceError(f"cannot write the trace {trace}: choose a file in a writable directory")

    @property
    def cycle(self) -> int:
        """Clock cycles since the last reset."""
        return self._binding.celosia_now(self._handle.pointer)

    @property
    def last_run(self) -> RunStatistics:
        """Counted from the last register write before the interrupt last rose until then; zero after a reset."""
        record = StatisticsRecord()
        self._binding.celosia_run_statistics(self._handle.pointer, record)
        return RunStatistics(
            cycles=record.cycles,
            read_bursts=record.read_bursts,
            read_bytes=record.read_beats * self._ports.beat_bytes,
            write_bursts=record.write_bursts,
            write_bytes=record.write_beats * self._ports.beat_bytes,
            weights_bursts=record.weights_bursts,
            weights_bytes=record.weights_beats * self._ports.weights_beat_bytes,
        )

    def read_register(self, offset: int) -> int:
        """See `Device.read_register`; takes a few clock cycles."""
        _check_offset(offset)
        value = ctypes.c_uint32()
        status = self._binding.celosia_read_register(self._handle.pointer, offset, value)
        self._raise_for(status, f"the register at offset 0x{offset:03x} did not answer a read")
        return value.value

    def write_register(self, offset: int, value: int) -> None:
        """See `Device.write_register`; takes a few clock cycles, after a reset if the last run did not end."""
        _check_offset(offset)
        if not 0 <= value < 1 << 32:
            raise DeviceError(f"a register value must be 0..2**32 - 1, not {value}")
        if self._wedged:
            self.reset()
        status = self._binding.celosia_write_register(self._handle.pointer, offset, value)
        self._raise_for(status, f"the register at offset 0x{offset:03x} did not answer a write")

    def read_memory(self, address: int, size: int) -> NDArray[np.uint8]:
        """See `Device.read_memory`; takes no clock cycles."""
        return self._memory_range(address, size).copy()

    def write_memory(self, address: int, data: bytes | NDArray[np.generic]) -> None:
        """See `Device.write_memory`; takes no clock cycles."""
        source = np.frombuffer(data if isinstance(data, bytes) else data.tobytes(), np.uint8)
        self._memory_range(address, source.size)[:] = source

    def wait_for_interrupt(self, timeout_cycles: int) -> None:
        """See `Device.wait_for_interrupt`; returns in the cycle in which `irq` is seen high."""
        if timeout_cycles < 0:
            raise DeviceError(f"timeout_cycles must be 0 or more, not {timeout_cycles}")
        remaining = timeout_cycles
        while True:
            status = self._binding.celosia_step_until_irq(
                self._handle.pointer, min(remaining, _CYCLES_PER_CALL)
            )
            remaining -= min(remaining, _CYCLES_PER_CALL)
            if status != Status.TIMEOUT or remaining == 0:
                break
        self._binding.celosia_flush_trace(self._handle.pointer)
        self._raise_for(status, f"no interrupt within {timeout_cycles} cycles")

    def inject(self, fault: Fault) -> None:
        """Let the memory show `fault`, in addition to those injected before (16 at most)."""
        if isinstance(fault, BurstError) and fault.direction == "weights" and not self._ports.weights_bits:
            raise DeviceError("there is no port for weights to fail on")
        if not self._binding.celosia_add_fault(self._handle.pointer, record_of(fault)):
            raise DeviceError("too many faults injected: call clear_faults first")

    def clear_faults(self) -> None:
        """Let the memory work again. What it failed to answer stays lost until a reset."""
        self._binding.celosia_clear_faults(self._handle.pointer)

    def configure_memory(self, model: MemoryModel) -> None:
        """Change the timing of the memory, from a reset on."""
        self._binding.celosia_configure(self._handle.pointer, *self._settings(model))
        self.reset()

    def _settings(self, model: MemoryModel) -> tuple[Settings, Settings]:
        """Of the memory port and of the port for weights."""
        place = self._memory_base, self.memory.size
        main, weights = self._ports.beat_bytes, self._ports.weights_beat_bytes or self._ports.beat_bytes
        return settings_of(model, main, *place), settings_of(model.of_weights(weights), weights, *place)

    def reset(self) -> None:
        """See `Device.reset`; the cycle count restarts at 0. Faults remain."""
        status = self._binding.celosia_reset(self._handle.pointer)
        self._wedged = False
        self._raise_for(status, "the simulated design failed in its reset")

    def close(self) -> None:
        """See `Device.close`; completes the trace."""
        self._handle.close()

    def __enter__(self) -> "SimulatedDevice":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _memory_range(self, address: int, size: int) -> NDArray[np.uint8]:
        _ = self._handle.pointer  # there is no memory of a device that is closed
        first = address - self._memory_base
        if size < 0 or first < 0 or first + size > self.memory.size:
            raise DeviceError(
                f"{size} bytes at address 0x{address:x} are outside the memory, "
                f"0x{self._memory_base:x}..0x{self._memory_base + self.memory.size - 1:x}"
            )
        return self.memory[first : first + size]

    def _raise_for(self, status: int, timeout_message: str) -> None:
        if status == Status.DONE:
            return
        if status == Status.TIMEOUT:
            self._wedged = True
            seen = self._binding.celosia_describe(self._handle.pointer).decode()
            raise DeviceTimeout(f"{timeout_message}; seen: {seen}")
        message = self._binding.celosia_message(self._handle.pointer).decode()
        if status == Status.VIOLATION:
            self._wedged = True
            raise DeviceError(f"the accelerator broke a rule of AXI: {message}")
        raise DeviceError(message)


def _check_offset(offset: int) -> None:
    if not 0 <= offset < 1 << 12 or offset % 4:
        raise DeviceError(f"a register offset must be a multiple of 4 in 0..4092, not {offset}")


def _trace_format(path: Path) -> TraceFormat:
    trace_format = _TRACE_FORMATS.get(path.suffix)
    if trace_format is None:
        raise ValueError(f"trace must be a file named *.vcd or *.fst, not {path.name!r}")
    return trace_format
