"""The bare-metal example: compiled as C and run against the simulated engine, register by register."""

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.generate import GeneratedFiles, generate
from celosia.generators.mac_engine.config import PRESETS
from celosia.sim import AddressError, SimulatedDevice

PRESET = "u55-128"
COMMANDS, INPUT, OUTPUT = 0x1000, 0x4000, 0x8000
REGION_BYTES = 0x1000
BRICKS = 300

Read = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)
Write = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)


class Registers(ctypes.Structure):
    _fields_ = [("read", Read), ("write", Write), ("context", ctypes.c_void_p)]


class Region(ctypes.Structure):
    _fields_ = [("base", ctypes.c_uint64), ("limit", ctypes.c_uint32)]


class Program(ctypes.Structure):
    _fields_ = [("regions", Region * 4), ("queue_offset", ctypes.c_uint32), ("queue_count", ctypes.c_uint32)]


class Result(ctypes.Structure):
    _fields_ = [
        ("error", ctypes.c_uint32),
        ("index", ctypes.c_uint32),
        ("address", ctypes.c_uint64),
        ("cycles", ctypes.c_uint32),
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> GeneratedFiles:
    return generate(PRESETS[PRESET], tmp_path_factory.mktemp("bare_metal"))


@pytest.fixture(scope="module")
def library(files: GeneratedFiles, repository: Path) -> ctypes.CDLL:
    path = files.header.parent / "run_program.so"
    source = repository / "examples" / "bare_metal" / "run_program.c"
    command = [sys.executable, "-m", "ziglang", "cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2"]
    command += ["-shared", "-fPIC", "-I", files.header.parent, source, "-o", path]
    subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(path))
    loaded.celosia_run.restype = Result
    loaded.celosia_copy_program.restype = ctypes.c_uint32
    return loaded


@pytest.fixture
def device(files: GeneratedFiles) -> Iterator[SimulatedDevice]:
    with SimulatedDevice(files.text.text, memory_bytes=1 << 16) as device:
        yield device


@pytest.fixture
def registers(device: SimulatedDevice) -> Registers:
    return Registers(
        Read(lambda _, offset: device.read_register(offset)),
        Write(lambda _, offset, value: device.write_register(offset, value)),
        None,
    )


def run_copy(library: ctypes.CDLL, device: SimulatedDevice, registers: Registers) -> Result:
    commands = ctypes.create_string_buffer(4 * 64)
    count = library.celosia_copy_program(commands, BRICKS)
    device.write_memory(COMMANDS, commands.raw)
    regions = (Region * 4)()
    for index, base in enumerate((COMMANDS, 0, INPUT, OUTPUT)):
        regions[index] = Region(base, REGION_BYTES)
    return library.celosia_run(ctypes.byref(registers), ctypes.byref(Program(regions, 0, count)))


def test_it_knows_its_accelerator(library, registers):
    assert library.celosia_is_present(ctypes.byref(registers)) == 1


def test_it_runs_a_program(library, device, registers):
    data = np.random.default_rng(1).integers(0, 256, BRICKS * 8, np.uint8)
    device.write_memory(INPUT, data)
    result = run_copy(library, device, registers)
    assert result.error == ErrorCode.NONE
    assert 600 < result.cycles < 2000
    assert (device.read_memory(OUTPUT, BRICKS * 8) == data).all()


def test_it_reports_an_error_and_runs_again_after_a_reset(library, device, registers):
    device.inject(AddressError("read", INPUT, INPUT + REGION_BYTES))
    result = run_copy(library, device, registers)
    assert (result.error, result.index, result.address) == (ErrorCode.BUS_DECODE_ERROR, 1, INPUT)
    device.clear_faults()
    library.celosia_reset(ctypes.byref(registers))
    assert run_copy(library, device, registers).error == ErrorCode.NONE
