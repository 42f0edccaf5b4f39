"""BoardSources: what goes to synthesis."""

import re
from pathlib import Path

import pytest

from celosia.boards.block_count import board_blocks
from celosia.boards.board import BOARDS
from celosia.boards.board_clocks import choose_clocks
from celosia.boards.board_sources import BOARD_NAME, BoardSources, board_sources
from celosia.boards.ecp5_synthesis import synthesize
from celosia.generators.top import CelosiaTop
from celosia.generators.verilog import write_verilog
from tests.boards.inverter import Inverter

NAME = "ulx3s_85f"
FREQUENCY = 80_000_000


@pytest.fixture(scope="module")
def sources() -> BoardSources:
    return board_sources(BOARDS[NAME], choose_clocks(BOARDS[NAME], FREQUENCY), address_bits=32)


def test_the_same_text_comes_every_time(sources: BoardSources) -> None:
    again = board_sources(BOARDS[NAME], choose_clocks(BOARDS[NAME], FREQUENCY), address_bits=32)
    assert again == sources


def test_nothing_of_this_machine_is_in_the_text(sources: BoardSources) -> None:
    home = str(Path(__file__).resolve().parents[2])
    assert home not in sources.verilog + sources.constraints
    assert "site-packages" not in sources.verilog + sources.constraints


def test_ports_of_the_top_are_the_pins(sources: BoardSources) -> None:
    (ports,) = re.findall(rf"^module {BOARD_NAME}\((.*?)\);", sources.verilog, re.DOTALL | re.MULTILINE)
    located = re.findall(r'LOCATE COMP "(\w+)', sources.constraints)
    assert {port.strip() for port in ports.split(",")} == set(located)


@pytest.mark.slow
def test_the_design_becomes_cells_of_the_device(sources: BoardSources, tmp_path: Path) -> None:
    """With an accelerator that has no block RAM of its own."""
    top = CelosiaTop(Inverter(), 32, 64)
    files = ((f"{BOARD_NAME}.v", sources.verilog), ("celosia.v", write_verilog(top, "inverter").text))
    cells = synthesize(files, BOARD_NAME, tmp_path).cells
    assert cells["EHXPLLL"] == cells["ODDRX1F"] == 1
    assert cells["DP16KD"] == board_blocks(BOARDS[NAME]).block_rams
    assert cells["TRELLIS_IO"] == len(re.findall("LOCATE COMP", sources.constraints))
