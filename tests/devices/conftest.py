"""The transports that the conformance suite runs over: a new one only adds an entry here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TypeAlias

import pytest

from celosia.boards.board import BOARDS
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.device import Device
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import find_preset
from celosia.host.simulated import open_simulated
from celosia.host.simulated_board import board_design, open_simulated_board
from celosia.host.transports.link import Link
from celosia.host.transports.serial_device import SerialDevice
from celosia.host.transports.serial_place import SerialPlace, open_serial
from celosia.sim.board import pty_line
from celosia.sim.board.board_on_line import BoardOnLine
from tests.families import SMALLEST
from tests.link_bench.endpoint_twin import EndpointTwin
from tests.link_bench.gateware_board import GatewareBoard
from tests.link_bench.line import Board, DirectPort, Faults, PtyLine
from tests.link_bench.machine import Machine

Transport: TypeAlias = Callable[[EngineConfig], AbstractContextManager[Device]]

MEMORY_BYTES = 1 << 20

_PATIENCE = 3600.0
"""Seconds for a simulated board on a busy machine."""


@contextmanager
def simulator(config: EngineConfig) -> Iterator[Device]:
    """The engine's gateware, simulated in this process."""
    device, _ = open_simulated(config, MemoryModel(), MEMORY_BYTES, None, None)
    with device:
        yield device


@contextmanager
def _over_pty(board: Board, rate: float) -> Iterator[Device]:
    line = PtyLine(board, Faults(rate, 1), Faults(rate, 2))
    try:
        with open_serial(SerialPlace(line.name, patience=_PATIENCE)) as device:
            yield device
    finally:
        line.close()


@contextmanager
def serial(config: EngineConfig) -> Iterator[Device]:
    """pyserial and a pseudo-terminal, the endpoint's model behind it."""
    with _over_pty(EndpointTwin(Machine(config, MEMORY_BYTES)), 0.0) as device:
        yield device


@contextmanager
def bad_serial(config: EngineConfig) -> Iterator[Device]:
    """The same with 1 % of all bytes dropped, damaged or doubled in each direction."""
    with _over_pty(EndpointTwin(Machine(config, MEMORY_BYTES)), 0.01) as device:
        yield device


@cache
def _elaborated(config: EngineConfig) -> GatewareBoard:
    return GatewareBoard(Machine(config, MEMORY_BYTES))


def _gateware_board(config: EngineConfig) -> GatewareBoard:
    board = _elaborated(config)
    board.restart(Machine(config, MEMORY_BYTES))
    return board


@contextmanager
def gateware(config: EngineConfig) -> Iterator[Device]:
    """The endpoint's gateware in Amaranth's simulator, in the host's own thread and simulated time."""
    port = DirectPort(_gateware_board(config))
    with SerialDevice(Link(lambda: port, clock=port.clock)) as device:
        yield device


@contextmanager
def gateware_over_pty(config: EngineConfig) -> Iterator[Device]:
    """The endpoint's gateware in Amaranth's simulator, pyserial and a pseudo-terminal: a very slow board."""
    with _over_pty(_gateware_board(config), 0.0) as device:
        yield device


@contextmanager
def _on_board(config: EngineConfig, rate: float) -> Iterator[Device]:
    with open_simulated_board(board_design(BOARDS["ulx3s_85f"], config)) as board:
        line = pty_line.PtyLine(BoardOnLine(board), Faults(rate, 1), Faults(rate, 2))
        try:
            with open_serial(SerialPlace(line.name, patience=_PATIENCE)) as device:
                yield device
        finally:
            line.close()
            assert line.failure is None


@contextmanager
def board(config: EngineConfig) -> Iterator[Device]:
    """A whole board as it is built, in Verilator, the chip on its memory pins; pyserial and a pseudo-terminal."""
    with _on_board(config, 0.0) as device:
        yield device


@contextmanager
def board_on_bad_line(config: EngineConfig) -> Iterator[Device]:
    """The same with 1 % of all bytes dropped, damaged or doubled in each direction."""
    with _on_board(config, 0.01) as device:
        yield device


_TRANSPORTS = (
    serial,
    bad_serial,
    gateware,
    pytest.param(gateware_over_pty, marks=pytest.mark.slow),
    pytest.param(board, marks=pytest.mark.slow),
    pytest.param(board_on_bad_line, marks=pytest.mark.slow),
)
"""What differs from one to the other is none of the engine's business: one family is enough."""


@pytest.fixture(params=[*SMALLEST, *_TRANSPORTS], ids=lambda place: getattr(place, "__name__", place))
def place(request: pytest.FixtureRequest) -> tuple[Transport, EngineConfig]:
    """A simulator of each family's smallest engine; every other transport to that of the first family."""
    if isinstance(request.param, str):
        return simulator, find_preset(request.param)
    return request.param, find_preset(SMALLEST[0])


@pytest.fixture
def config(place: tuple[Transport, EngineConfig]) -> EngineConfig:
    """Of the engine that `device` has."""
    return place[1]


@pytest.fixture
def device(place: tuple[Transport, EngineConfig]) -> Iterator[Device]:
    """A device on each transport, with an engine of `config` and `MEMORY_BYTES` of memory."""
    transport, config = place
    with transport(config) as opened:
        yield opened
