"""The driver: what it writes to a device, what it makes of the counters, and what of errors."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.command import COMMAND_BYTES, Region
from celosia.generators.chassis.device import DeviceError
from celosia.generators.chassis.register_map import MAGIC, VERSION, ErrorCode
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.driver import EngineError, LoadedSection, check_identity, memory_bytes, region_places
from celosia.host.program import EngineSection
from celosia.host.reference import trace_graph
from tests.host.models import mixed_graph
from tests.interpreter_device import CYCLES_A_COMMAND, InterpreterDevice

CONFIG = PRESETS["u55-128"]


@pytest.fixture
def device() -> InterpreterDevice:
    return InterpreterDevice(CONFIG)


@pytest.fixture
def section() -> EngineSection:
    """CONV_2D."""
    return compile_graph(mixed_graph(), CONFIG).engine_sections[0]


def image(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)


def test_the_right_device_is_accepted(device: InterpreterDevice) -> None:
    check_identity(device, CONFIG)


def test_a_device_that_is_no_engine_is_refused_with_what_was_seen(device: InterpreterDevice) -> None:
    device.write_register(MAGIC.offset, 0xDEAD)
    with pytest.raises(
        DeviceError, match="there is no Celosia engine: MAGIC reads 0x0000dead, not 0x4f4c4543"
    ):
        check_identity(device, CONFIG)


def test_another_register_map_is_refused(device: InterpreterDevice) -> None:
    device.write_register(VERSION.offset, 99)
    with pytest.raises(DeviceError, match="register map version 99; this host speaks"):
        check_identity(device, CONFIG)


def test_another_configuration_is_refused_by_both_hashes(device: InterpreterDevice) -> None:
    other = PRESETS["u55-64"]
    with pytest.raises(DeviceError, match=f"has configuration {CONFIG.hash:016x}, .* for {other.hash:016x}"):
        check_identity(device, other)


def test_regions_lie_one_after_the_other_on_pages(section: EngineSection) -> None:
    base = 0x8000
    places = region_places(section, base)
    end = base
    for place in places.values():
        assert place.address == end
        assert place.address % 4096 == 0
        end = -(-(place.address + place.size) // 4096) * 4096
    assert list(places) == [Region.PROGRAM, Region.SCRATCH, Region.INPUT, Region.OUTPUT]
    assert memory_bytes(section) == end - base


@pytest.mark.parametrize("base", [0, 0x40000])
def test_a_run_computes_what_the_reference_kernels_do(
    device: InterpreterDevice, section: EngineSection, base: int
) -> None:
    graph = mixed_graph()
    loaded = LoadedSection(device, section, base)
    for seed in range(3):
        (result,) = loaded.run({section.inputs[0].tensor: image(seed)})[0].items()
        expected = trace_graph(graph, [image(seed)])[result[0]]
        assert result[1][: expected.size] == expected.tobytes()
    assert device.runs == 3


def test_counters_and_snapshots_are_read(device: InterpreterDevice, section: EngineSection) -> None:
    _, run = LoadedSection(device, section, 0).run({section.inputs[0].tensor: image(0)})
    assert run.total.cycles == run.total.active == section.queue_count * CYCLES_A_COMMAND
    assert len(run.snapshots) == len(section.snapshots)
    assert run.total.bytes_read == section.queue_count * COMMAND_BYTES
    assert 0 < run.snapshots[0].cycles < run.total.cycles


def damaged(section: EngineSection, index: int, opcode: int) -> EngineSection:
    content = bytearray(section.content)
    content[section.queue_offset + index * COMMAND_BYTES] = opcode
    return replace(section, content=bytes(content))


def test_an_error_names_code_and_command(device: InterpreterDevice, section: EngineSection) -> None:
    bad = damaged(section, 2, 0x77)
    with pytest.raises(EngineError, match=r"ILLEGAL_COMMAND at command 2 \(opcode 0x77\)") as caught:
        LoadedSection(device, bad, 0).run({section.inputs[0].tensor: image(0)})
    assert (caught.value.code, caught.value.command) == (ErrorCode.ILLEGAL_COMMAND, 2)


def test_after_an_error_the_device_is_reset_and_the_next_run_is_right(
    device: InterpreterDevice, section: EngineSection
) -> None:
    resets = device.resets
    with pytest.raises(EngineError):
        LoadedSection(device, damaged(section, 1, 0), 0).run({section.inputs[0].tensor: image(0)})
    assert device.resets == resets + 1
    outputs, _ = LoadedSection(device, section, 0).run({section.inputs[0].tensor: image(0)})
    index = section.outputs[0].tensor
    expected = trace_graph(mixed_graph(), [image(0)])[index]
    assert outputs[index][: expected.size] == expected.tobytes()
