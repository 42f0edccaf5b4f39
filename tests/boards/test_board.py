"""The list of boards says what amaranth-boards says."""

import importlib.util
from dataclasses import replace

import pytest

from celosia.boards.board import BOARDS, BlockRamMemory, Board, SdramChip, find_board
from celosia.boards.board_clocks import choose_clocks
from celosia.boards.ecp5_pll import Ecp5PllSettings
from celosia.boards.errors import BuildError
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry
from celosia.hdl.uart import bit_step

PACKAGES = {"BG381": "CABGA381", "BG554": "CABGA554"}
"""Amaranth's names, and nextpnr's where they differ."""

every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


@every_board
def test_part_and_oscillator_are_the_platform_s(board: Board) -> None:
    platform = board.platform()
    assert (platform.device, PACKAGES.get(platform.package, platform.package)) == (
        board.part.name,
        board.part.package,
    )
    assert platform.speed == str(board.part.speed)
    assert platform.default_clk_frequency == board.oscillator


@every_board
def test_a_chip_is_as_large_as_its_pins_say(board: Board) -> None:
    resources = {name: resource for (name, _), resource in board.platform().resources.items()}
    if not isinstance(board.memory, SdramChip):
        assert "sdram" not in resources
        return
    pins = {signal.name: len(signal.ios[0].names) for signal in resources["sdram"].ios}
    geometry = board.memory.geometry
    assert (pins["a"], pins["ba"], pins["dq"]) == (geometry.row_bits, geometry.bank_bits, 16)


@every_board
def test_the_line_is_as_fast_as_the_oscillator_allows(board: Board) -> None:
    assert bit_step(board.oscillator, board.baud) > 0


@every_board
@pytest.mark.parametrize("frequency", [50_000_000, 80_000_000, 100_000_000])
def test_there_are_clocks_not_above_what_is_wanted(board: Board, frequency: int) -> None:
    clocks = choose_clocks(board, frequency)
    assert clocks.input_frequency == board.oscillator
    assert 0.98 * frequency <= clocks.frequencies[0] <= frequency
    if isinstance(board.memory, SdramChip):
        assert isinstance(clocks, Ecp5PllSettings)
        _, controller, chip = clocks.frequencies
        assert 0.85 * board.memory.frequency <= controller == chip <= board.memory.frequency
        assert clocks.outputs[2].phase > clocks.outputs[1].phase == 0


def test_an_unknown_board_is_told_the_others() -> None:
    with pytest.raises(
        ValueError, match="board must be one of ulx3s_85f, ecpix5_85f, arty_a7_100t, genesys2, not 'ulx3s'"
    ):
        find_board("ulx3s")
    assert find_board("ulx3s_85f") is BOARDS["ulx3s_85f"]


def test_refuses_a_chip_faster_than_its_datasheet() -> None:
    with pytest.raises(ValueError, match="frequency must be at most 142857142 Hz, not 150000000"):
        SdramChip(SdramGeometry(), AS4C16M16SA_7, frequency=150_000_000, least_frequency=100_000_000)
    with pytest.raises(
        ValueError, match="least_frequency must be at most frequency, 100000000 Hz, not 101000000"
    ):
        SdramChip(SdramGeometry(), AS4C16M16SA_7, frequency=100_000_000, least_frequency=101_000_000)


def test_an_sdram_is_never_slower_than_its_refresh_allows() -> None:
    board = BOARDS["ulx3s_85f"]
    for frequency in range(25_000_000, 134_000_000, 1_700_000):
        clocks = choose_clocks(board, frequency)
        assert isinstance(board.memory, SdramChip)
        assert clocks.frequencies[1] >= board.memory.least_frequency
    slow = replace(board, memory=replace(board.memory, least_frequency=134_000_000))
    with pytest.raises(
        ValueError, match="no clock up to 80000000 Hz leaves the SDRAM at least 134000000 Hz: no setting"
    ):
        choose_clocks(slow, 80_000_000)


def test_memories_are_told_in_words() -> None:
    assert str(BOARDS["ulx3s_85f"].memory) == "32 MiB SDR SDRAM"
    assert str(BlockRamMemory(128 << 10)) == "128 KiB block RAM"


def test_says_how_to_install_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BuildError, match="pip install amaranth-boards"):
        replace(BOARDS["ulx3s_85f"]).platform()
