"""What the compiler is told of a board's memory."""

from fractions import Fraction

import pytest

from celosia.boards.board import BOARDS
from celosia.boards.board_clocks import choose_clocks
from celosia.boards.memory_models import clocked_memory_model, memory_model

ULX3S = BOARDS["ulx3s_85f"]


def test_an_sdram_gives_two_bytes_a_cycle_of_its_own_less_what_refreshing_takes() -> None:
    """133.3 MHz to 80 MHz; a REFRESH, 18 cycles, every 584."""
    memory = memory_model(ULX3S, 80_000_000)
    exact = Fraction(10, 3) * (1 - Fraction(18, 584))
    assert memory.bytes_per_cycle == pytest.approx(float(exact), rel=1e-5)
    assert memory.latency == 17


def test_a_slower_accelerator_sees_a_faster_memory_up_to_its_port() -> None:
    slow, slower = (memory_model(ULX3S, hz) for hz in (40_000_000, 20_000_000))
    assert 6 < slow.bytes_per_cycle < slower.bytes_per_cycle == 8
    assert slower.latency < slow.latency < 17


def test_clocks_that_a_build_reached_may_be_given() -> None:
    clocks = choose_clocks(ULX3S, 80_000_000, 110_000_000)
    assert clocked_memory_model(ULX3S, clocks).bytes_per_cycle < memory_model(ULX3S).bytes_per_cycle


def test_block_ram_gives_a_beat_a_cycle() -> None:
    memory = memory_model(BOARDS["ecpix5_85f"])
    assert memory.bytes_per_cycle == 8
    assert memory.latency < 5
