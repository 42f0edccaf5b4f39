"""Arguments and options that several commands take, each described once."""

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from celosia.generators.families import DEFAULT_PRESET, PRESETS

from ..device_spec import DeviceSpec, configuration, memory_model, parse_device

DEFAULT_DEVICE = f"sim:{DEFAULT_PRESET}"

CONFIGURATION_PANEL = "Configuration"
_MEMORY = "Simulated memory"

Model: TypeAlias = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A .tflite file.", show_default=False)
]
Preset: TypeAlias = Annotated[
    str,
    typer.Option(
        "--preset", metavar="NAME", help=f"One of {', '.join(PRESETS)}.", rich_help_panel=CONFIGURATION_PANEL
    ),
]
Device: TypeAlias = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help=f"Where to run: sim:PRESET with PRESET one of {', '.join(PRESETS)}, or serial:PORT.",
        rich_help_panel=CONFIGURATION_PANEL,
    ),
]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change the preset, for instance buffer_kib=64 or lanes=8; may be repeated.",
        rich_help_panel=CONFIGURATION_PANEL,
        show_default=False,
    ),
]
ConfigFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        help="Change the preset by the keys of a TOML file; --set comes after it.",
        rich_help_panel=CONFIGURATION_PANEL,
        show_default=False,
    ),
]
MemoryLatency: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--memory-latency",
        metavar="CYCLES",
        help="From an address to its first beat; 32 by default.",
        rich_help_panel=_MEMORY,
        show_default=False,
    ),
]
MemoryBytesPerCycle: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--memory-bytes-per-cycle",
        metavar="BYTES",
        help="Bandwidth, reads and writes together; 8 by default, 3/2 is fine.",
        rich_help_panel=_MEMORY,
        show_default=False,
    ),
]
MemoryWeightsBytesPerCycle: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--memory-weights-bytes-per-cycle",
        metavar="BYTES",
        help="Bandwidth of the port for weights, if the engine has one; by default a beat a cycle.",
        rich_help_panel=_MEMORY,
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


def device_of(
    device: Device = DEFAULT_DEVICE,
    settings: Settings = None,
    config: ConfigFile = None,
    memory_latency: MemoryLatency = None,
    memory_bytes_per_cycle: MemoryBytesPerCycle = None,
    memory_weights_bytes_per_cycle: MemoryWeightsBytesPerCycle = None,
) -> DeviceSpec:
    """The device that the options describe.

    Raises:
        DeviceSpecError: an option's value is not known or out of range.
    """
    asked_for = (memory_latency, memory_bytes_per_cycle, memory_weights_bytes_per_cycle)
    memory = None if asked_for == (None, None, None) else memory_model(*asked_for)
    return parse_device(device, settings or (), config, memory)


def simulated(
    preset: Preset = DEFAULT_PRESET,
    settings: Settings = None,
    config: ConfigFile = None,
    memory_latency: MemoryLatency = None,
    memory_bytes_per_cycle: MemoryBytesPerCycle = None,
    memory_weights_bytes_per_cycle: MemoryWeightsBytesPerCycle = None,
) -> DeviceSpec:
    """As `device_of`, for commands that name a preset.

    Raises:
        DeviceSpecError: as `device_of`.
    """
    configuration(preset, settings or (), config)
    return device_of(
        f"sim:{preset}",
        settings,
        config,
        memory_latency,
        memory_bytes_per_cycle,
        memory_weights_bytes_per_cycle,
    )


def described_by(describe: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose parameter `spec` is what `describe` returns: on the command line its options stand there."""
    options = signature(describe).parameters

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def run(**values: object) -> None:
            described = {name: values.pop(name) for name in options}
            command(spec=describe(**described), **values)

        own = signature(command).parameters
        places = [entry for name in own for entry in (options.values() if name == "spec" else [own[name]])]
        run.__dict__["__signature__"] = Signature(
            [entry.replace(kind=Parameter.KEYWORD_ONLY) for entry in places]
        )
        run.__annotations__ = {entry.name: entry.annotation for entry in places}
        run.__doc__ = command.__doc__
        return run

    return decorate


__all__ = [
    "AsJson",
    "ConfigFile",
    "Model",
    "Preset",
    "Settings",
    "described_by",
    "device_of",
    "simulated",
]
