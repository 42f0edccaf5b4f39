"""What every device must do, whatever carries the requests: the same tests on every transport."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.device import Device, DeviceError, DeviceTimeout
from celosia.generators.chassis.register_map import (
    CONTROL,
    MAGIC,
    MAGIC_VALUE,
    QUEUE_COUNT,
    QUEUE_OFFSET,
    STATUS,
    WATCHDOG_CYCLES,
)
from celosia.host.compiler import compile_graph
from celosia.host.driver import LoadedSection, check_identity, configuration_hash
from celosia.host.program import EngineSection
from celosia.host.reference import trace_graph
from tests.host.models import mixed_graph

_FREE = 1 << 18
"""An address that no program here uses."""


def noise(size: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


@pytest.fixture
def section(config: EngineConfig) -> EngineSection:
    """CONV_2D."""
    return compile_graph(mixed_graph(), config).engine_sections[0]


def test_it_tells_what_it_is(device: Device, config: EngineConfig) -> None:
    assert device.read_register(MAGIC.offset) == MAGIC_VALUE
    assert configuration_hash(device) == config.hash
    check_identity(device, config)


def test_another_configuration_is_refused_by_name(device: Device, config: EngineConfig) -> None:
    other = replace(config, buffer_kib=config.buffer_kib * 2)
    with pytest.raises(DeviceError, match=f"has configuration {config.hash:016x}, .* for {other.hash:016x}"):
        check_identity(device, other)


@pytest.mark.parametrize("value", [0, 1, 0x7E7D7D7E, 0xFFFFFFFF])
def test_a_register_holds_what_is_written(device: Device, value: int) -> None:
    device.write_register(QUEUE_COUNT.offset, value)
    device.write_register(QUEUE_OFFSET.offset, value ^ 0xFFFFFFFF)
    assert device.read_register(QUEUE_COUNT.offset) == value


def test_registers_that_are_not_there_are_errors_and_the_next_access_works(device: Device) -> None:
    for offset in (0xFFC, MAGIC.offset):
        with pytest.raises(
            DeviceError, match=f"register write at offset .*{offset:x}.* answered SLVERR|at offset {offset}"
        ):
            device.write_register(offset, 1)
    with pytest.raises(DeviceError, match="answered SLVERR"):
        device.read_register(0xFFC)
    assert device.read_register(MAGIC.offset) == MAGIC_VALUE


@pytest.mark.parametrize("offset", [-4, 2, 4096])
def test_offsets_outside_the_register_block_are_refused(device: Device, offset: int) -> None:
    with pytest.raises(DeviceError, match=f"multiple of 4 in 0..4092, not {offset}"):
        device.read_register(offset)
    with pytest.raises(DeviceError, match=f"multiple of 4 in 0..4092, not {offset}"):
        device.write_register(offset, 0)


@pytest.mark.parametrize("value", [-1, 1 << 32])
def test_values_that_do_not_fit_a_register_are_refused(device: Device, value: int) -> None:
    with pytest.raises(DeviceError, match=f"a register value must be .*, not {value}"):
        device.write_register(QUEUE_COUNT.offset, value)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 64, 1500])
def test_memory_holds_what_is_written(device: Device, size: int) -> None:
    content = noise(size)
    device.write_memory(_FREE, content)
    read = device.read_memory(_FREE, size)
    assert read.dtype == np.uint8
    assert (read == content).all()


@pytest.mark.parametrize("byte", [0x00, 0xFF, 0x7E, 0x7D, 0x55])
def test_every_pattern_arrives(device: Device, byte: int) -> None:
    device.write_memory(_FREE, bytes([byte]) * 70)
    assert device.read_memory(_FREE, 70).tolist() == [byte] * 70


@pytest.mark.parametrize("offset", range(8))
def test_unaligned_access_changes_nothing_beside(device: Device, offset: int) -> None:
    device.write_memory(_FREE, bytes([0xEE]) * 40)
    device.write_memory(_FREE + 8 + offset, noise(13))
    expected = np.full(40, 0xEE, np.uint8)
    expected[8 + offset : 21 + offset] = noise(13)
    assert (device.read_memory(_FREE, 40) == expected).all()
    assert (device.read_memory(_FREE + 8 + offset, 13) == noise(13)).all()


def test_memory_takes_bytes_and_arrays_of_any_type(device: Device) -> None:
    device.write_memory(_FREE, b"\x01\x02")
    device.write_memory(_FREE + 2, np.array([[0x0403, 0x0605]], "<u2"))
    assert device.read_memory(_FREE, 6).tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("address", [-8, (1 << 32) - 8])
def test_memory_that_is_not_there_is_an_error_and_the_next_access_works(device: Device, address: int) -> None:
    with pytest.raises(DeviceError):
        device.read_memory(address, 16)
    with pytest.raises(DeviceError):
        device.write_memory(address, bytes(16))
    device.write_memory(_FREE, b"fine")
    assert device.read_memory(_FREE, 4).tobytes() == b"fine"


def test_runs_are_right_while_memory_is_moved(device: Device, section: EngineSection) -> None:
    """Start, transfer, interrupt: twice, so that the second must not see the first one's interrupt."""
    graph = mixed_graph()
    loaded = LoadedSection(device, section, 0)
    for seed in range(2):
        image = np.random.default_rng(seed).integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)
        during = Disturbed(device, noise(200, seed))
        loaded = LoadedSection(during, section, 0)
        outputs, run = loaded.run({graph.inputs[0]: image})
        expected = trace_graph(graph, [image])
        (tensor,) = outputs
        assert outputs[tensor] == expected[tensor].tobytes()
        assert run.total.cycles > 0
        assert during.transfers == 1


class Disturbed:
    """A device whose memory is used while an engine runs."""

    def __init__(self, device: Device, content: np.ndarray) -> None:
        self._device = device
        self._content = content
        self.transfers = 0
        self.read_register = device.read_register
        self.write_register = device.write_register
        self.read_memory = device.read_memory
        self.write_memory = device.write_memory
        self.reset = device.reset
        self.close = device.close

    def wait_for_interrupt(self, timeout_cycles: int) -> None:
        self._device.write_memory(_FREE, self._content)
        assert (self._device.read_memory(_FREE, self._content.size) == self._content).all()
        self.transfers += 1
        self._device.wait_for_interrupt(timeout_cycles)


def test_an_interrupt_that_does_not_come_is_a_time_out(device: Device, section: EngineSection) -> None:
    with pytest.raises(DeviceTimeout, match="no interrupt within 300 cycles"):
        device.wait_for_interrupt(300)
    assert device.read_register(MAGIC.offset) == MAGIC_VALUE
    image = noise(48).astype(np.int8)
    outputs, _ = LoadedSection(device, section, 0).run({mixed_graph().inputs[0]: image})
    assert len(outputs) == 1, "the next run starts from a reset"


def test_a_negative_time_is_refused(device: Device) -> None:
    with pytest.raises(DeviceError, match="timeout_cycles must be 0 or more, not -1"):
        device.wait_for_interrupt(-1)


def test_a_reset_leaves_the_registers_as_at_first_and_memory_as_it_is(device: Device) -> None:
    device.write_register(WATCHDOG_CYCLES.offset, 5)
    device.write_memory(_FREE, b"stays")
    device.reset()
    assert device.read_register(STATUS.offset) == STATUS.mask("idle")
    assert device.read_register(WATCHDOG_CYCLES.offset) == WATCHDOG_CYCLES.reset
    assert device.read_memory(_FREE, 5).tobytes() == b"stays"


def test_a_reset_ends_a_run(device: Device, section: EngineSection) -> None:
    loaded = LoadedSection(device, section, 0)
    image = noise(48).astype(np.int8)
    expected, _ = loaded.run({mixed_graph().inputs[0]: image})
    device.write_register(CONTROL.offset, CONTROL.mask("start"))
    device.reset()
    assert device.read_register(STATUS.offset) == STATUS.mask("idle")
    again, _ = loaded.run({mixed_graph().inputs[0]: image})
    assert again == expected


def test_a_closed_device_says_so(device: Device) -> None:
    device.close()
    device.close()
    for use in (
        lambda: device.read_register(0),
        lambda: device.write_register(0, 0),
        lambda: device.read_memory(0, 1),
        lambda: device.write_memory(0, b"x"),
        lambda: device.wait_for_interrupt(1),
    ):
        with pytest.raises(DeviceError, match="the device is closed"):
            use()
