"""Devices, presets and settings as users write them."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from celosia.boards.board import BOARDS
from celosia.boards.memory_models import memory_model as board_memory
from celosia.generators.chassis.device import DeviceError
from celosia.generators.chassis.family import Family
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import FAMILIES
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.device_spec import (
    DeviceSpecError,
    configuration,
    family_configuration,
    memory_model,
    open_device,
    parse_device,
)
from celosia.host.transports.serial_place import SerialPlace
from tests.generators.abacus import ABACUS
from tests.link_bench.endpoint_twin import EndpointTwin
from tests.link_bench.line import PtyLine
from tests.link_bench.machine import Machine


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_taken_by_name(preset: str) -> None:
    assert parse_device(f"sim:{preset}").config == PRESETS[preset]


def test_a_board_is_taken_by_its_port() -> None:
    spec = parse_device("serial:/dev/ttyUSB7?preset=u55-64&baud=115200&patience=60", ["buffer_kib=32"])
    assert spec.config == replace(PRESETS["u55-64"], buffer_kib=32)
    assert spec.serial == SerialPlace("/dev/ttyUSB7", 115200, "u55-64", 60.0)


def test_a_board_that_is_named_has_its_memory_unless_another_is_asked_for() -> None:
    text = "serial:/dev/ttyUSB7?preset=u55-64&board=ulx3s_85f&clock=40"
    assert parse_device(text).memory == board_memory(BOARDS["ulx3s_85f"], 40_000_000)
    assert parse_device(text, memory=memory_model(latency=5)).memory.latency == 5
    assert parse_device("serial:/dev/ttyUSB7?preset=u55-64").memory == MemoryModel()


def test_a_board_whose_port_is_not_there_is_told() -> None:
    with pytest.raises(DeviceError, match="cannot open the serial port /dev/not-there"):
        parse_device("serial:/dev/not-there")


def test_settings_of_a_board_need_its_preset() -> None:
    with pytest.raises(DeviceSpecError, match=r"name it, as in serial:/dev/x\?preset=u55-64"):
        parse_device("serial:/dev/x", ["buffer_kib=32"])


@pytest.mark.parametrize("preset", ["u55-32", "u55-128"])
def test_a_board_is_asked_for_its_preset(preset: str) -> None:
    line = PtyLine(EndpointTwin(Machine(PRESETS[preset])))
    try:
        assert parse_device(f"serial:{line.name}").config == PRESETS[preset]
    finally:
        line.close()


def test_a_board_of_no_preset_is_told_by_its_hash() -> None:
    config = replace(PRESETS["u55-64"], buffer_kib=32)
    line = PtyLine(EndpointTwin(Machine(config)))
    try:
        with pytest.raises(
            DeviceSpecError, match=f"has configuration {config.hash:016x}, which is no preset's"
        ):
            parse_device(f"serial:{line.name}")
    finally:
        line.close()


def test_a_board_writes_no_trace(tmp_path: Path) -> None:
    with pytest.raises(DeviceSpecError, match="only a simulated device writes a trace"):
        open_device(parse_device("serial:/dev/x?preset=u55-64"), 4096, trace=tmp_path / "run.vcd")


def test_settings_change_the_preset_in_order() -> None:
    config = configuration("u55-256", ["buffer_kib=64", "lanes=4", "buffer-kib = 0x40"])
    assert config == replace(PRESETS["u55-256"], buffer_kib=64, lanes=4)


def test_settings_come_after_the_file(tmp_path: Path) -> None:
    file = tmp_path / "engine.toml"
    file.write_text("buffer_kib = 32\nweight_kib = 8\n")
    assert configuration("u55-64", ["buffer_kib=64"], file) == replace(
        PRESETS["u55-64"], buffer_kib=64, weight_kib=8
    )


def test_settings_need_not_make_sense_one_by_one() -> None:
    settings = ["rows=64", "columns=64", "buffer_kib=1024"]
    config = configuration("tpu-256x256", settings)
    assert (config.values["rows"], config.values["columns"], config.values["buffer_kib"]) == (64, 64, 1024)
    with pytest.raises(DeviceSpecError, match=r"--set rows=64 --set columns=64: buffer_kib must be in"):
        configuration("tpu-256x256", settings[:2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("u55-128", "device must be sim:PRESET with PRESET one of u55-32, .*, not 'u55-128'"),
        ("pcie:0", "device must be sim:PRESET .*, or serial:PORT"),
        ("serial:", "serial: port must be named, as in serial:/dev/ttyUSB0"),
        ("serial:/dev/x?preset=u55-129", "preset must be one of u55-32, .*, not 'u55-129'"),
        (
            "serial:/dev/x?speed=9600",
            "KEY one of preset, baud, patience, board, clock, not 'speed=9600'",
        ),
        ("serial:/dev/x?baud", "a setting must be KEY=VALUE, .*, not 'baud'"),
        ("serial:/dev/x?baud=fast", "serial: .*'fast'"),
        ("serial:/dev/x?baud=0", "baud must be in 1..12000000, not 0"),
        ("serial:/dev/x?patience=-1", "patience must be a positive number of seconds, not -1"),
        ("serial:/dev/x?patience=nan", "patience must be a positive number of seconds, not nan"),
        ("serial:/dev/x?board=ulx3s", "serial: board must be one of ulx3s_85f, .*, not 'ulx3s'"),
        ("serial:/dev/x?board=ulx3s_85f&clock=fast", "serial: .*'fast'"),
        ("serial:/dev/x?board=ulx3s_85f&clock=1", "serial: .* must be 3.125..400 MHz, not 1"),
        ("serial:/dev/x?clock=80", "name it, as in board=ulx3s_85f&clock=80"),
        ("sim:u55-129", "preset must be one of u55-32, .*, not 'u55-129'"),
        ("sim:", "preset must be one of"),
    ],
)
def test_an_unknown_device_is_refused_with_those_there_are(text: str, message: str) -> None:
    with pytest.raises(DeviceSpecError, match=message):
        parse_device(text)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("buffer_kib", "a setting must look like KEY=VALUE, not 'buffer_kib'"),
        ("buffer=64", "--set buffer=64: key must be one of macs, weight_kib, .*, not 'buffer'"),
        ("buffer_kib=big", "--set buffer_kib=big: buffer_kib must be an integer, not 'big'"),
        ("buffer_kib=5", "--set buffer_kib=5: buffer_kib must be a multiple of 4 in 4..256, not 5"),
        ("lanes=16", "lanes must be 4 or 8, not 16"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(setting: str, message: str) -> None:
    with pytest.raises(DeviceSpecError, match=message):
        configuration("u55-128", [setting])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("macs =", "engine.toml: it cannot be read as TOML"),
        ("cores = 2", "engine.toml: key must be one of"),
        ("macs = 'many'", "engine.toml: macs must be an integer, not 'many'"),
        ("macs = 1.5", "engine.toml: macs must be an integer, not 1.5"),
        ("macs = true", "engine.toml: macs must be an integer, not True"),
        ("[engine]\nmacs = 64", "engine.toml: key must be one of macs, .*, not 'engine'"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "engine.toml"
    file.write_text(content)
    with pytest.raises(DeviceSpecError, match=message):
        configuration("u55-128", file=file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceSpecError, match=r"missing\.toml: it cannot be read"):
        configuration("u55-128", file=tmp_path / "missing.toml")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "engine.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DeviceSpecError, match=r"engine\.toml: it cannot be read as TOML"):
        configuration("u55-128", file=file)


@pytest.mark.parametrize("name", ["mac-engine", "mac_engine"])
def test_a_family_is_written_with_hyphen_or_underscore(name: str) -> None:
    assert family_configuration(name, "u55-32", ["lanes=4"]) == configuration("u55-32")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_without_a_preset_it_is_the_default_one_of_the_family(family: Family) -> None:
    assert family_configuration(family.command_name, None) == family.presets[family.default_preset]


def test_an_unknown_family_is_refused_with_those_there_are() -> None:
    with pytest.raises(DeviceSpecError, match=r"family must be one of mac-engine.*, not 'abacus'$"):
        family_configuration("abacus", None)


def test_a_preset_of_another_family_is_refused_with_those_of_the_family(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("celosia.generators.families.FAMILIES", (*FAMILIES, ABACUS))
    with pytest.raises(DeviceSpecError, match="one of a-1 for abacus, not 'u55-32', which is of mac-engine"):
        family_configuration("abacus", "u55-32")


@pytest.mark.parametrize(
    ("setting", "found"),
    [("rows=0x10", 16), ("rounding=away", "away"), ("is_signed=false", False)],
)
def test_a_setting_is_read_as_what_the_family_says_it_is(
    monkeypatch: pytest.MonkeyPatch, setting: str, found: object
) -> None:
    monkeypatch.setattr("celosia.generators.families.PRESETS", ABACUS.presets)
    assert configuration("a-1", [setting]).values[setting.partition("=")[0]] == found


def test_the_port_for_weights_has_a_bandwidth_of_its_own() -> None:
    assert memory_model(weights_bytes_per_cycle="6.071") == MemoryModel(
        weights_bytes_per_cycle=Fraction(6071, 1000)
    )
    with pytest.raises(DeviceSpecError, match="memory: weights_bytes_per_cycle must be positive, not 0"):
        memory_model(weights_bytes_per_cycle=0)


def test_memory_takes_numbers_and_fractions() -> None:
    assert memory_model() == MemoryModel()
    assert memory_model(100, "3/2") == MemoryModel(latency=100, bytes_per_cycle=Fraction(3, 2))
    assert memory_model(bytes_per_cycle=0.5).bytes_per_cycle == Fraction(1, 2)


@pytest.mark.parametrize(
    ("latency", "rate", "message"),
    [
        (0, None, "memory: latency must be 1..1048576, not 0"),
        (None, "fast", "memory: .*fast"),
        (None, "1/0", "memory: "),
        (None, "-1", "memory: bytes_per_cycle must be positive, not -1"),
        (None, "nan", "memory: "),
    ],
)
def test_memory_out_of_range_is_named(latency: int | None, rate: str | None, message: str) -> None:
    with pytest.raises(DeviceSpecError, match=message):
        memory_model(latency, rate)


def test_opening_gives_the_device_and_its_verilog(interpreted) -> None:
    opened = open_device(parse_device("sim:u55-64"), 4096)
    assert opened.device is interpreted[0]
    assert interpreted[0].config == PRESETS["u55-64"]
    assert opened.verilog_path is not None
    assert opened.verilog_path.name == "celosia.v"
