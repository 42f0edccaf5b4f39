"""The device that `sim:PRESET` names: the generated engine, simulated in this process."""

from pathlib import Path

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.memory import MemoryModel
from celosia.sim import SimulatedDevice, SimulatedPorts
from celosia.sim.verilator import Progress

from .generation import cached_verilog

_PAGE_BYTES = 4096
_SLACK_BYTES = 1 << 20


def open_simulated(
    config: EngineConfig,
    memory_model: MemoryModel,
    memory_bytes: int,
    trace: Path | None,
    progress: Progress | None,
) -> tuple[SimulatedDevice, Path]:
    """The engine of `config` behind a memory of at least `memory_bytes`, and the path of its Verilog.

    The first time for a configuration takes minutes; later, Verilog and model are found in the user's cache.

    Raises:
        ToolError, CacheError: it cannot be built.
        DeviceError: it does not come out of reset, or `trace` cannot be written.
    """
    verilog_path = cached_verilog(config, progress=progress)
    pages = -(-(memory_bytes + _SLACK_BYTES) // _PAGE_BYTES)
    device = SimulatedDevice(
        verilog_path.read_text(),
        SimulatedPorts(config.data_bits, config.address_bits, config.weights_port_bits),
        memory_model=memory_model,
        memory_bytes=pages * _PAGE_BYTES,
        trace=trace,
        progress=progress,
    )
    return device, verilog_path
