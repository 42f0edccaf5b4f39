"""`celosia generate`: an accelerator's Verilog, manifest and C header."""

from pathlib import Path
from typing import Annotated

import typer

from ..device_spec import DeviceSpec, family_name
from ..generation import generate_files
from .options import AsJson, described_by, simulated
from .terminal import output, print_json, print_line, progress_bars, table

_Family = Annotated[str, typer.Argument(metavar="FAMILY", help="mac-engine.", show_default=False)]
_Directory = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="DIR", help="Where the files go; made if need be.", show_default=False
    ),
]


@described_by(simulated)
def generate_command(
    family: _Family,
    directory: _Directory,
    spec: DeviceSpec,
    as_json: AsJson = False,
) -> None:
    """Write an accelerator as one Verilog file, with a manifest (JSON) and a C header. The memory changes nothing.

    Example: celosia generate mac-engine --preset u55-128 -o build/
    """
    family_name(family)
    with progress_bars() as progress:
        files = generate_files(spec.config, directory, progress)
    if as_json:
        print_json(
            {
                "family": family.replace("_", "-"),
                "configuration": f"{spec.config.hash:016x}",
                "files": [{"path": str(path), "bytes": path.stat().st_size} for path in files],
            }
        )
        return
    console = output()
    print_line(console, f"Configuration {spec.config.hash:016x}")
    listing = table(("file", "bytes"), left=("file",))
    for path in files:
        listing.add_row(str(path), f"{path.stat().st_size:,}")
    console.print(listing)
