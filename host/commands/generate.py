"""`celosia generate`: an accelerator's Verilog, manifest and C header."""

from pathlib import Path
from typing import Annotated

import typer

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import FAMILIES

from ..device_spec import family_configuration, memory_model
from ..generation import generate_files
from ..output_folder import require_output_folder
from .options import (
    CONFIGURATION_PANEL,
    AsJson,
    ConfigFile,
    MemoryBytesPerCycle,
    MemoryLatency,
    MemoryWeightsBytesPerCycle,
    Settings,
    described_by,
)
from .terminal import output, print_json, print_line, progress_bars, table

_Family = Annotated[
    str,
    typer.Argument(
        metavar="FAMILY",
        help=f"One of {', '.join(family.command_name for family in FAMILIES)}.",
        show_default=False,
    ),
]
_Preset = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="; ".join(f"{family.command_name}: {', '.join(family.presets)}" for family in FAMILIES)
        + f". By default {', '.join(family.default_preset for family in FAMILIES)}.",
        rich_help_panel=CONFIGURATION_PANEL,
        show_default=False,
    ),
]
_Directory = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="DIR", help="Where the files go; made if need be.", show_default=False
    ),
]


def generated(
    family: _Family,
    preset: _Preset = None,
    settings: Settings = None,
    config: ConfigFile = None,
    memory_latency: MemoryLatency = None,
    memory_bytes_per_cycle: MemoryBytesPerCycle = None,
    memory_weights_bytes_per_cycle: MemoryWeightsBytesPerCycle = None,
) -> EngineConfig:
    """The configuration that family and options describe.

    Raises:
        DeviceSpecError: one of them is not known, or they do not belong together.
    """
    memory_model(memory_latency, memory_bytes_per_cycle, memory_weights_bytes_per_cycle)
    return family_configuration(family, preset, settings or (), config)


@described_by(generated)
def generate_command(
    spec: EngineConfig,
    directory: _Directory,
    as_json: AsJson = False,
) -> None:
    """Write an accelerator as one Verilog file, with a manifest (JSON) and a C header. The memory changes nothing.

    Example: celosia generate mac-engine --preset u55-128 -o build/
    """
    require_output_folder(directory)
    with progress_bars() as progress:
        files = generate_files(spec, directory, progress)
    if as_json:
        print_json(
            {
                "family": spec.family.replace("_", "-"),
                "configuration": f"{spec.hash:016x}",
                "files": [{"path": str(path), "bytes": path.stat().st_size} for path in files],
            }
        )
        return
    console = output()
    print_line(console, f"Configuration {spec.hash:016x}")
    listing = table(("file", "bytes"), left=("file",))
    for path in files:
        listing.add_row(str(path), f"{path.stat().st_size:,}")
    console.print(listing)
