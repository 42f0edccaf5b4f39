"""A board over a serial line: what goes wrong with it, and a network that runs on it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from celosia.generators.chassis.device import DeviceError, DeviceTimeout
from celosia.generators.chassis.register_map import MAGIC, MAGIC_VALUE
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.program_file import ProgramError
from celosia.host.reference import run_graph
from celosia.host.session import InferenceSession
from celosia.host.transports.byte_port import SerialPort
from celosia.host.transports.errors import LinkError, PortError, SessionLost
from celosia.host.transports.link import Link
from celosia.host.transports.serial_device import SerialDevice
from celosia.host.transports.serial_place import SerialPlace, open_serial
from tests.host.models import mixed_graph
from tests.link_bench.endpoint_twin import EndpointTwin
from tests.link_bench.line import DirectPort, Faults, PtyLine
from tests.link_bench.machine import Machine

CONFIG = PRESETS["u55-32"]


@pytest.fixture
def board() -> EndpointTwin:
    return EndpointTwin(Machine(CONFIG))


@contextmanager
def pty(board: EndpointTwin, rate: float = 0.0) -> Iterator[PtyLine]:
    line = PtyLine(board, Faults(rate, 1), Faults(rate, 2))
    try:
        yield line
    finally:
        line.close()


def opened(port: DirectPort) -> SerialDevice:
    return SerialDevice(Link(lambda: port, clock=port.clock))


@pytest.mark.parametrize("rate", [0.0, 0.01])
def test_a_network_runs_over_a_serial_line(board: EndpointTwin, rate: float) -> None:
    graph = mixed_graph()
    with (
        pty(board, rate) as line,
        InferenceSession(
            compile_graph(graph, CONFIG), f"serial:{line.name}?preset=u55-32&patience=3600"
        ) as session,
    ):
        assert session.verilog_path is None
        for seed in range(2):
            image = np.random.default_rng(seed).integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)
            (result,) = session.run(None, {session.get_inputs()[0].name: image})
            assert (result == run_graph(graph, [image])[0]).all()


def test_a_program_for_another_preset_is_refused_by_name(board: EndpointTwin) -> None:
    program = compile_graph(mixed_graph(), PRESETS["u55-64"])
    with pty(board) as line, pytest.raises(ProgramError, match="compile it for that device"):
        InferenceSession(program, f"serial:{line.name}")


def test_a_board_of_another_configuration_than_was_said_is_refused_by_its_hash(board: EndpointTwin) -> None:
    program = compile_graph(mixed_graph(), PRESETS["u55-64"])
    with pty(board) as line, pytest.raises(DeviceError, match=f"has configuration {CONFIG.hash:016x}"):
        InferenceSession(program, f"serial:{line.name}?preset=u55-64")


def test_a_pulled_cable_is_told(board: EndpointTwin) -> None:
    with pty(board) as line, open_serial(SerialPlace(line.name, patience=3600.0)) as device:
        device.write_memory(0, bytes(3000))
        line.close()
        with pytest.raises(
            PortError, match=f"the serial port {line.name} is gone: .*is the cable plugged in"
        ):
            device.read_memory(0, 3000)
        with pytest.raises(PortError, match=f"cannot open the serial port {line.name}"):
            device.read_register(MAGIC.offset)


def test_a_port_is_used_by_one_program_at_a_time(board: EndpointTwin) -> None:
    with pty(board) as line:
        port = SerialPort(line.name, 115200)
        with pytest.raises(PortError, match=f"cannot open the serial port {line.name}: .*lock"):
            SerialPort(line.name, 115200)
        port.close()


def test_a_port_without_a_board_is_told(board: EndpointTwin) -> None:
    class Silent:
        def step(self, line: bytes) -> bytes:
            return b""

    line = PtyLine(Silent())
    try:
        with pytest.raises(LinkError, match="no board answers"):
            open_serial(SerialPlace(line.name, patience=0.5))
    finally:
        line.close()


@pytest.mark.parametrize("after", [1, 400, 2000])
def test_a_board_reset_in_the_middle_of_a_transfer_is_told(board: EndpointTwin, after: int) -> None:
    port = DirectPort(board)
    device = opened(port)

    def reset_in_between(line: bytes) -> bytes:
        nonlocal after
        if 0 < after <= len(line):
            board.reset()
        after -= len(line)
        return line

    port.to_board = reset_in_between
    with pytest.raises(SessionLost, match="the board was reset"):
        device.write_memory(0, bytes(4000))
    device.write_memory(0, b"again")
    assert device.read_memory(0, 5).tobytes() == b"again"


@pytest.mark.parametrize("seed", range(3))
def test_a_line_that_turns_bad_is_followed_to_small_frames_and_back(board: EndpointTwin, seed: int) -> None:
    """Frames of a kilobyte are on their way when one byte in fifty begins to be hit."""
    port = DirectPort(board)
    device = opened(port)
    content = random.Random(seed).randbytes(30000)
    device.write_memory(3, content)
    assert device.link.pace.payload == 1024
    port.to_board = Faults(0.02, seed)
    content = content[::-1]
    device.write_memory(3, content[:9000])
    assert device.link.pace.payload <= 128
    assert device.link.statistics.sessions > 1, "what was too large was cut up in a new session"
    port.to_board = Faults()
    device.write_memory(9003, content[9000:])
    assert device.link.pace.payload == 1024
    assert device.read_memory(3, 30000).tobytes() == content
    assert not board.machine.memory[:3].any()


def test_waiting_takes_as_many_cycles_as_were_given_not_seconds(board: EndpointTwin) -> None:
    device = opened(DirectPort(board))
    for cycles in (1000, 100_000):
        before = board.machine.cycles
        with pytest.raises(
            DeviceTimeout, match=f"no interrupt within {cycles} cycles; seen: interrupt 0 after"
        ):
            device.wait_for_interrupt(cycles)
        assert cycles <= board.machine.cycles - before < 2 * cycles + 5000


def test_an_interrupt_ends_the_wait_by_its_notice(board: EndpointTwin) -> None:
    device = opened(DirectPort(board))
    board.machine.schedule_interrupt(20_000)
    due = board.machine.cycles + 20_000
    device.wait_for_interrupt(1 << 24)
    assert due <= board.machine.cycles < due + 500


def test_an_interrupt_whose_notice_is_lost_is_found(board: EndpointTwin) -> None:
    class WithoutNotices:
        """Every frame that was not asked for is lost."""

        def step(self, line: bytes) -> bytes:
            answer = board.step(line)
            return answer if line else b""

    device = opened(DirectPort(WithoutNotices()))
    board.machine.schedule_interrupt(20_000)
    device.wait_for_interrupt(1 << 24)
    assert board.machine.interrupt


def test_a_stale_notice_does_not_end_a_wait(board: EndpointTwin) -> None:
    """The notice of one interrupt comes again after that was cleared."""
    port = DirectPort(board)
    device = opened(port)
    notices: list[bytes] = []

    class Echoing:
        def step(self, line: bytes) -> bytes:
            answer = board.step(line)
            if not line and answer:
                notices.append(answer)
            return answer + b"".join(notices[:1])

    port.board = Echoing()
    board.machine.schedule_interrupt(100)
    device.wait_for_interrupt(10_000)
    board.machine.schedule_interrupt(1 << 30)
    with pytest.raises(DeviceTimeout):
        device.wait_for_interrupt(10_000)


def test_identity_is_asked_again_after_an_error(board: EndpointTwin) -> None:
    port = DirectPort(board)
    device = opened(port)
    board.reset()
    with pytest.raises(SessionLost):
        device.read_register(MAGIC.offset)
    board.identity["version"] = 99
    with pytest.raises(LinkError, match="version 99"):
        device.read_register(MAGIC.offset)
    board.identity["version"] = 1
    assert device.read_register(MAGIC.offset) == MAGIC_VALUE
