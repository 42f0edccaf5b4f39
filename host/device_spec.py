"""Names of devices and configurations, as users write them: `sim:u55-128`, `--set buffer_kib=64`, a TOML file."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from os import PathLike
from pathlib import Path

from celosia.generators.chassis.device import Device
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import FAMILY, PRESETS, MacEngineConfig
from celosia.sim.verilator import Progress


class DeviceSpecError(ValueError):
    """A device, preset or setting that does not exist; the message lists those that do."""


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """A device before it is opened.

    Attributes:
        transport: "sim".
        config: of the engine there.
        memory: timing of its memory.
        name: as the user wrote it.
    """

    transport: str
    config: MacEngineConfig
    memory: MemoryModel
    name: str


def family_name(text: str) -> str:
    """The family called `text`, hyphens or underscores alike.

    Raises:
        DeviceSpecError: there is none.
    """
    name = text.replace("-", "_")
    if name != FAMILY:
        raise DeviceSpecError(f"family must be one of {FAMILY.replace('_', '-')}, not {text!r}")
    return name


def configuration(
    preset: str, settings: Sequence[str] = (), file: str | PathLike[str] | None = None
) -> MacEngineConfig:
    """A preset, changed by a TOML file and then by `KEY=VALUE` settings.

    Raises:
        DeviceSpecError: an unknown preset or key, or a value that the configuration refuses.
    """
    try:
        config = MacEngineConfig.preset(preset)
        if file is not None:
            config = _changed(config, _toml(file), str(file))
        for setting in settings:
            key, separator, value = setting.partition("=")
            if not separator:
                raise DeviceSpecError(f"a setting must look like KEY=VALUE, not {setting!r}")
            config = _changed(config, {key.strip(): value.strip()}, f"--set {setting}")
    except (ValueError, TypeError) as error:
        raise DeviceSpecError(str(error)) from error
    return config


def _toml(file: str | PathLike[str]) -> Mapping[str, object]:
    try:
        return tomllib.loads(Path(file).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeviceSpecError(f"{file}: it cannot be read as TOML: {error}") from error


def _changed(config: MacEngineConfig, values: Mapping[str, object], origin: str) -> MacEngineConfig:
    known = [entry.name for entry in fields(MacEngineConfig)]
    changes = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in known:
            raise DeviceSpecError(f"{origin}: key must be one of {', '.join(known)}, not {key!r}")
        try:
            changes[name] = value if isinstance(value, int) else int(str(value), 0)
        except ValueError:
            raise DeviceSpecError(f"{origin}: {name} must be an integer, not {value!r}") from None
    try:
        return replace(config, **changes)
    except (ValueError, TypeError) as error:
        raise DeviceSpecError(f"{origin}: {error}") from error


def memory_model(
    latency: int | None = None, bytes_per_cycle: str | float | Fraction | None = None
) -> MemoryModel:
    """The default memory with another latency or bandwidth (a number or a fraction such as `3/2`).

    Raises:
        DeviceSpecError: a value out of range.
    """
    default = MemoryModel()
    try:
        rate = default.bytes_per_cycle if bytes_per_cycle is None else Fraction(str(bytes_per_cycle))
        return replace(default, latency=default.latency if latency is None else latency, bytes_per_cycle=rate)
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise DeviceSpecError(f"memory: {error}") from error


def parse_device(
    text: str,
    settings: Sequence[str] = (),
    file: str | PathLike[str] | None = None,
    memory: MemoryModel | None = None,
) -> DeviceSpec:
    """`TRANSPORT:PRESET`.

    Raises:
        DeviceSpecError: an unknown transport, preset or key.
    """
    transport, separator, preset = text.partition(":")
    if transport != "sim" or not separator:
        raise DeviceSpecError(
            f"device must be sim:PRESET with PRESET one of {', '.join(PRESETS)}, not {text!r}"
        )
    return DeviceSpec(transport, configuration(preset, settings, file), memory or MemoryModel(), text)


@dataclass(frozen=True, slots=True)
class OpenedDevice:
    """A device in use, and where the Verilog that it simulates lies."""

    device: Device
    verilog_path: Path


def open_device(
    spec: DeviceSpec,
    memory_bytes: int,
    *,
    trace: Path | None = None,
    progress: Progress | None = None,
) -> OpenedDevice:
    """Generate the engine if need be, build its model and reset it; `memory_bytes` is the memory that it needs.

    Raises:
        ToolError, CacheError: it cannot be built.
        DeviceError: it does not answer.
    """
    from .simulated import open_simulated

    device, verilog_path = open_simulated(spec.config, spec.memory, memory_bytes, trace, progress)
    return OpenedDevice(device, verilog_path)
