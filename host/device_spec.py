"""Names of devices and configurations, as users write them.

`sim:u55-128`, `serial:/dev/ttyUSB0`, `--set buffer_kib=64`, a TOML file.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from os import PathLike
from pathlib import Path

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.device import Device
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import PRESETS, find_family, find_preset
from celosia.sim.verilator import Progress

from .driver import configuration_hash
from .transports.serial_place import DEFAULT_BAUD, DEFAULT_PATIENCE, SerialPlace, open_serial

_MEGAHERTZ = 1_000_000
_SERIAL_KEYS = ("preset", "baud", "patience", "board", "clock")


class DeviceSpecError(ValueError):
    """A device, preset or setting that does not exist; the message lists those that do."""


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device before it is opened.

    Attributes:
        transport: "sim" or "serial".
        config: of the engine there.
        memory: timing of its memory.
        name: as the user wrote it.
        serial: where the board is; None for "sim".
    """

    transport: str
    config: EngineConfig
    memory: MemoryModel
    name: str
    serial: SerialPlace | None = None


def configuration(
    preset: str, settings: Sequence[str] = (), file: str | PathLike[str] | None = None
) -> EngineConfig:
    """A preset, changed by a TOML file and by `KEY=VALUE` settings, which come after it, all at once.

    Raises:
        DeviceSpecError: an unknown preset or key, or a value that the configuration refuses.
    """
    try:
        config = find_preset(preset)
    except ValueError as error:
        raise DeviceSpecError(str(error)) from error
    origins = []
    changes: dict[str, object] = {}
    if file is not None:
        origins.append(str(file))
        changes |= _changes(config, _toml(file), str(file))
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise DeviceSpecError(f"a setting must look like KEY=VALUE, not {setting!r}")
        origins.append(f"--set {setting}")
        changes |= _changes(config, {key.strip(): value.strip()}, origins[-1])
    try:
        return replace(config, **changes)
    except (ValueError, TypeError) as error:
        raise DeviceSpecError(f"{' '.join(origins)}: {error}") from error


def family_configuration(
    family: str, preset: str | None, settings: Sequence[str] = (), file: str | PathLike[str] | None = None
) -> EngineConfig:
    """As `configuration`, of a family that must be the preset's; without a preset, the family's default one.

    Raises:
        DeviceSpecError: as `configuration`; an unknown family, or a preset of another one.
    """
    try:
        found = find_family(family)
    except ValueError as error:
        raise DeviceSpecError(str(error)) from error
    name = preset or found.default_preset
    config = configuration(name, settings, file)
    if config.family != found.name:
        raise DeviceSpecError(
            f"preset must be one of {', '.join(found.presets)} for {found.command_name}, not {name!r}, "
            f"which is of {config.family.replace('_', '-')}"
        )
    return config


def _toml(file: str | PathLike[str]) -> Mapping[str, object]:
    try:
        return tomllib.loads(Path(file).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeviceSpecError(f"{file}: it cannot be read as TOML: {error}") from error


def _changes(config: EngineConfig, values: Mapping[str, object], origin: str) -> dict[str, object]:
    """`values` by the names and of the types of the configuration's fields."""
    kinds = {name: type(present) for name, present in config.values.items()}
    changes = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in kinds:
            raise DeviceSpecError(f"{origin}: key must be one of {', '.join(kinds)}, not {key!r}")
        try:
            changes[name] = _as_kind(kinds[name], value)
        except ValueError as error:
            raise DeviceSpecError(f"{origin}: {name} must be {error}, not {value!r}") from None
    return changes


def _as_kind(kind: type, value: object) -> object:
    """`value`, which may be text, as a field of that type has it; ValueError says what it should be."""
    if isinstance(value, int) or kind is str:
        return value
    if kind is bool:
        if value not in ("true", "false"):
            raise ValueError("true or false")
        return value == "true"
    try:
        return int(str(value), 0)
    except ValueError:
        raise ValueError("an integer") from None


def memory_model(
    latency: int | None = None,
    bytes_per_cycle: str | float | Fraction | None = None,
    weights_bytes_per_cycle: str | float | Fraction | None = None,
) -> MemoryModel:
    """The default memory with another latency or bandwidth (a number or a fraction such as `3/2`).

    The last one is that of the port for weights, which some engines have.

    Raises:
        DeviceSpecError: a value out of range.
    """
    default = MemoryModel()
    try:
        rate = default.bytes_per_cycle if bytes_per_cycle is None else Fraction(str(bytes_per_cycle))
        return replace(
            default,
            latency=default.latency if latency is None else latency,
            bytes_per_cycle=rate,
            weights_bytes_per_cycle=None
            if weights_bytes_per_cycle is None
            else Fraction(str(weights_bytes_per_cycle)),
        )
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise DeviceSpecError(f"memory: {error}") from error


def parse_device(
    text: str,
    settings: Sequence[str] = (),
    file: str | PathLike[str] | None = None,
    memory: MemoryModel | None = None,
) -> DeviceSpec:
    """`sim:PRESET` or `serial:PORT?preset=PRESET&baud=RATE&board=BOARD&clock=MHZ`.

    A board whose preset is not named is asked for it; `memory` is by default that of the board that is named.

    Raises:
        DeviceSpecError: an unknown transport, preset or key.
        DeviceError: a board that was to be asked does not answer.
    """
    transport, separator, place = text.partition(":")
    if transport not in ("sim", "serial") or not separator:
        raise DeviceSpecError(
            f"device must be sim:PRESET with PRESET one of {', '.join(PRESETS)}, or serial:PORT, not {text!r}"
        )
    if transport == "sim":
        return DeviceSpec(transport, configuration(place, settings, file), memory or MemoryModel(), text)
    port, values = _port_and_values(place)
    serial = _serial_place(port, values)
    memory = memory or _board_memory(values)
    if serial.preset is not None:
        config = configuration(serial.preset, settings, file)
    elif settings or file is not None:
        raise DeviceSpecError(f"settings change a preset: name it, as in serial:{serial.port}?preset=u55-64")
    else:
        config = _configuration_on_board(serial)
    return DeviceSpec(transport, config, memory, text, serial)


def _port_and_values(text: str) -> tuple[str, dict[str, str]]:
    port, _, query = text.partition("?")
    values: dict[str, str] = {}
    for setting in filter(None, query.split("&")):
        key, separator, value = setting.partition("=")
        if key not in _SERIAL_KEYS or not separator:
            raise DeviceSpecError(
                f"serial: a setting must be KEY=VALUE, KEY one of {', '.join(_SERIAL_KEYS)}, not {setting!r}"
            )
        values[key] = value
    return port, values


def _serial_place(port: str, values: Mapping[str, str]) -> SerialPlace:
    try:
        return SerialPlace(
            port,
            int(values.get("baud", DEFAULT_BAUD)),
            values.get("preset"),
            float(values.get("patience", DEFAULT_PATIENCE)),
        )
    except ValueError as error:
        raise DeviceSpecError(f"serial: {error}") from error


def _board_memory(values: Mapping[str, str]) -> MemoryModel:
    """The memory that a board is compiled for: only predictions and the order of work depend on it, no result."""
    if "board" not in values:
        if "clock" in values:
            raise DeviceSpecError("serial: clock is that of a board: name it, as in board=ulx3s_85f&clock=80")
        return MemoryModel()
    # Imported here: boards are many files, and most devices are not one.
    from celosia.boards.board import find_board
    from celosia.boards.memory_models import NOMINAL_CLOCK
    from celosia.boards.memory_models import memory_model as model_of

    try:
        clock = round(float(values["clock"]) * _MEGAHERTZ) if "clock" in values else NOMINAL_CLOCK
        return model_of(find_board(values["board"]), clock)
    except (ValueError, OverflowError) as error:
        raise DeviceSpecError(f"serial: {error}") from error


def _configuration_on_board(place: SerialPlace) -> EngineConfig:
    with open_serial(place) as device:
        found = configuration_hash(device)
    for config in PRESETS.values():
        if config.hash == found:
            return config
    raise DeviceSpecError(
        f"the board at {place.port} has configuration {found:016x}, which is no preset's "
        f"({', '.join(PRESETS)}): name the preset and the settings that it was built from"
    )


@dataclass(frozen=True, slots=True)
class OpenedDevice:
    """A device in use, and where the Verilog that it simulates lies; None for a board."""

    device: Device
    verilog_path: Path | None


def open_device(
    spec: DeviceSpec,
    memory_bytes: int,
    *,
    trace: Path | None = None,
    progress: Progress | None = None,
) -> OpenedDevice:
    """Generate the engine if need be, build its model and reset it; `memory_bytes` is the memory that it needs.

    A board is connected to and reset; `memory_bytes`, `trace` and `progress` do not concern it.

    Raises:
        ToolError, CacheError: it cannot be built.
        DeviceSpecError: a board cannot write a trace.
        DeviceError: it does not answer.
    """
    if spec.serial is not None:
        if trace is not None:
            raise DeviceSpecError(f"only a simulated device writes a trace, not {spec.name}")
        board = open_serial(spec.serial)
        board.reset()
        return OpenedDevice(board, None)
    from .simulated import open_simulated

    device, verilog_path = open_simulated(spec.config, spec.memory, memory_bytes, trace, progress)
    return OpenedDevice(device, verilog_path)
