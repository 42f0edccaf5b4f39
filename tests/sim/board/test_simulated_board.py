"""A whole board, clock by clock: what comes up, what the chip refuses, and the real driver on the other end."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from celosia.generators.chassis.device import DeviceError
from celosia.host.transports.errors import PortError
from celosia.host.transports.serial_device import SerialDevice
from celosia.host.transports.serial_place import SerialPlace, open_serial
from celosia.sim.board.board_on_line import BoardOnLine
from celosia.sim.board.library import PinTiming
from celosia.sim.board.pty_line import PtyLine
from celosia.sim.board.simulated_board import SimulatedBoard, SimulatedBoardSettings
from tests.link_bench.line import Faults
from tests.sim.board.inverting_board import CLOCKS, SETTINGS, inverting_board, strict

_PATIENCE = 3600.0
_POWER_UP = 10_000
"""Oscillator cycles in which the board comes up."""


@contextmanager
def driver(board: SimulatedBoard, rate: float = 0.0) -> Iterator[SerialDevice]:
    line = PtyLine(BoardOnLine(board), Faults(rate, 1), Faults(rate, 2))
    try:
        with open_serial(SerialPlace(line.name, patience=_PATIENCE)) as device:
            yield device
    finally:
        line.close()
        assert line.failure is None


def test_memory_is_ready_after_power_up_and_refreshed_from_then_on() -> None:
    with inverting_board() as board:
        board.run(5_000)
        assert not board.statistics.lights & 1
        board.run(_POWER_UP)
        before = board.statistics
        assert before.lights & 1
        board.run(25_000)  # 1 ms
        refreshes = board.statistics.refreshes - before.refreshes
        assert refreshes >= 1_000_000 // 7813
        assert board.statistics.worst_refresh_debt < 1000


def test_clocks_are_those_of_the_pll_s_settings() -> None:
    with inverting_board() as board:
        board.run(_POWER_UP)
        before = board.statistics.chip_edges
        board.run(2_500)  # 100 us
        assert board.statistics.chip_edges - before == pytest.approx(CLOCKS.frequencies[2] / 10_000, abs=1)


@pytest.mark.parametrize("rate", [0.0, 0.01])
def test_the_driver_runs_the_accelerator_on_the_chip_s_memory(rate: float) -> None:
    content = random.Random(5).randbytes(200)
    with inverting_board() as board, driver(board, rate) as device:
        for place in (0x1003, board.memory.size - 200):
            device.write_memory(place, content)
            assert device.read_memory(place, 200).tobytes() == content
            assert board.memory[place : place + 200].tobytes() == content
        device.write_register(0x010, 0x1008)
        device.wait_for_interrupt(100_000)
        assert device.read_memory(0x1010, 8).tobytes() == bytes(255 - byte for byte in content[5:13])
        assert board.statistics.broken_bytes == 0


@pytest.mark.parametrize("baud", [2_970_000, 3_030_000])
def test_the_host_s_rate_may_be_a_little_off(baud: int) -> None:
    with inverting_board(replace(SETTINGS, baud=baud)) as board, driver(board) as device:
        device.write_memory(0, bytes(range(100)))
        assert device.read_memory(0, 100).tobytes() == bytes(range(100))


def test_a_quiet_board_stands_still_until_it_is_asked() -> None:
    with inverting_board() as board:
        end = BoardOnLine(board, quiet_seconds=0.001)
        while not end.pause:
            end.step(b"")
        assert 0.001 < board.seconds < 0.0011
        before = board.seconds
        assert end.step(b"") == b""
        assert board.seconds == before
        end.step(b"\x7e")
        assert board.seconds > before
        assert not end.pause


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (strict(power_up=250_000), r"power-up: PRECHARGE after 2\d{5} ns, at least 250000"),
        (strict(refresh=90), "tRFC: .* from REFRESH to REFRESH, at least 90 ns"),
        (strict(refresh_period=32_000_000), "tREF"),
        (replace(SETTINGS, pins=PinTiming(set_up=4200)), "tIS: a pin changed too shortly before the clock"),
        (replace(SETTINGS, pins=PinTiming(hold=3600)), "tIH: a pin changes too soon after the clock"),
    ],
)
def test_a_chip_that_asks_for_more_names_what_is_broken(settings: SimulatedBoardSettings, rule: str) -> None:
    with (
        inverting_board(settings) as board,
        pytest.raises(DeviceError, match=f"the board broke a rule of its SDRAM: {rule}"),
    ):
        board.run(50_000)


@pytest.mark.parametrize("ways", [(0, 900), (5700, 6500)])
def test_data_whose_way_is_too_short_or_too_long_are_noise(ways: tuple[int, int]) -> None:
    """The phase of the chip's clock leaves room for 1 to 5.6 ns, there and back."""
    pins = PinTiming(least_round_trip=ways[0], greatest_round_trip=ways[1])
    with inverting_board(replace(SETTINGS, pins=pins)) as board, driver(board) as device:
        device.write_memory(0, bytes(64))
        assert device.read_memory(0, 64).tobytes() != bytes(64)


def test_the_line_goes_when_the_board_fails() -> None:
    board = inverting_board(strict(row_to_column=50))
    line = PtyLine(BoardOnLine(board))
    with open_serial(SerialPlace(line.name, patience=_PATIENCE)) as device:
        with pytest.raises(PortError, match="is gone"):
            device.write_memory(0, bytes(64))
        assert not line.wait(10)
        assert isinstance(line.failure, DeviceError)
        assert "tRCD: " in str(line.failure)
    line.close()


def test_a_board_that_is_off_says_so() -> None:
    board = inverting_board()
    board.close()
    board.close()
    with pytest.raises(DeviceError, match="is switched off"):
        board.run(1)
