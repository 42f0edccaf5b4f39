"""`celosia compile`: a model to a program file."""

from pathlib import Path
from typing import Annotated

import typer

from ..device_spec import DeviceSpec
from ..driver import memory_bytes, region_places
from ..program import Program
from ..program_cache import compiled
from ..program_file import save_program
from ..runtime import program_memory_bytes
from .options import AsJson, Model, described_by, simulated
from .terminal import output, print_json, print_line, progress_bars, table

_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The program file.", show_default=False)
]


@described_by(simulated)
def compile_command(
    model: Model,
    output_file: _Output,
    spec: DeviceSpec,
    as_json: AsJson = False,
) -> None:
    """Compile a model for an engine, and print the memory map and the bytes needed.

    Example: celosia compile model.tflite --preset u55-128 -o model.celosia
    """
    with progress_bars() as progress:
        program = compiled(model, spec.config, spec.memory, progress=progress)
    file_bytes = save_program(program, output_file)
    memory = memory_map(program)
    if as_json:
        print_json(
            {
                "model": str(model),
                "program": str(output_file),
                "program_bytes": file_bytes,
                "configuration": f"{spec.config.hash:016x}",
                "memory_map": memory,
                "memory_bytes": program_memory_bytes(program),
                "buffer_bytes_used": max(
                    (entry.peak_bricks * spec.config.brick_bytes for entry in program.engine_sections),
                    default=0,
                ),
                "predicted_cycles": program.predicted_cycles,
                "macs": program.macs,
                "host_operators": program.host_operators,
            }
        )
        return
    console = output()
    print_line(console, f"Memory of {model}")
    regions = table(("section", "region", "address", "bytes"), left=("section", "region"))
    for entry in memory:
        regions.add_row(
            str(entry["section"]), str(entry["region"]), f"0x{entry['address']:08x}", f"{entry['bytes']:,}"
        )
    regions.add_row("all", "", "", f"{program_memory_bytes(program):,}")
    console.print(regions)
    for index, section in enumerate(program.engine_sections):
        print_line(
            console,
            f"section {index}: {len(section.layers)} layers, {section.queue_count} commands, "
            f"{section.peak_bricks * spec.config.brick_bytes:,} of {spec.config.buffer.size:,} bytes "
            "of the unified buffer",
        )
    print_line(console, f"predicted cycles: {program.predicted_cycles:,}")
    print_line(console, f"on the host: {', '.join(program.host_operators) or 'nothing'}")
    print_line(console, f"written: {output_file} ({file_bytes:,} bytes)")


def memory_map(program: Program) -> list[dict[str, int | str]]:
    """Address and size of every region of every engine section, as the driver places them from address 0."""
    entries: list[dict[str, int | str]] = []
    base = 0
    for index, section in enumerate(program.engine_sections):
        for region, place in region_places(section, base).items():
            entries.append(
                {"section": index, "region": region.name, "address": place.address, "bytes": place.size}
            )
        base += memory_bytes(section)
    return entries
