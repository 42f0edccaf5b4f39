"""ULX3S with a very small accelerator, simulated: it builds in seconds."""

from dataclasses import replace
from functools import cache

from celosia.boards.board import BOARDS, SdramChip
from celosia.boards.board_clocks import choose_clocks
from celosia.boards.board_sources import BOARD_NAME, board_sources
from celosia.generators.top import CelosiaTop
from celosia.generators.verilog import write_verilog
from celosia.sim.board.model import BoardPorts
from celosia.sim.board.simulated_board import SimulatedBoard, SimulatedBoardSettings
from tests.boards.inverter import Inverter

BOARD = BOARDS["ulx3s_85f"]
CHIP = BOARD.memory
assert isinstance(CHIP, SdramChip)
CLOCKS = choose_clocks(BOARD, 80_000_000)
SETTINGS = SimulatedBoardSettings(BOARD.oscillator, BOARD.baud, CHIP.geometry, CHIP.timing)
"""As the board is."""


@cache
def _verilog() -> str:
    accelerator = write_verilog(CelosiaTop(Inverter(), 32, 64), "inverter")
    return board_sources(BOARD, CLOCKS, address_bits=32).verilog + accelerator.text


def inverting_board(settings: SimulatedBoardSettings = SETTINGS, verilog: str = "") -> SimulatedBoard:
    """The board in surroundings of `settings`; with other Verilog than its own if that is given."""
    ports = BoardPorts(BOARD_NAME, "clk25_0__io", settings.geometry.row_bits)
    return SimulatedBoard(verilog or _verilog(), ports, settings)


def changed_verilog(old: str, new: str) -> str:
    """The board's Verilog with one place changed."""
    assert old in _verilog()
    return _verilog().replace(old, new)


def strict(**times: int) -> SimulatedBoardSettings:
    """Surroundings with a memory chip that asks for more."""
    return replace(SETTINGS, timing=replace(SETTINGS.timing, **times))
