"""BoardTop: what a platform is asked for, and that the whole design holds together."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from celosia.boards.accelerator_instance import AcceleratorInstance
from celosia.boards.board import BOARDS, SdramChip, Toolchain
from celosia.boards.board_clocks import BoardClocks, choose_clocks
from celosia.boards.board_top import BoardTop
from celosia.boards.wheel_tool import YOSYS
from tests.sim.copy_engine import copy_engine_verilog

MHZ = 1_000_000
every_board = pytest.mark.parametrize(
    "name", [name for name, board in BOARDS.items() if board.toolchain is Toolchain.TRELLIS]
)

CHECK = """\
read_verilog -lib +/lattice/cells_sim_ecp5.v +/lattice/cells_bb_ecp5.v
read_rtlil board.il
read_verilog celosia.v
hierarchy -check -top board
proc
check -assert
"""


@dataclass(frozen=True)
class Plan:
    """What the platform's tools would be given."""

    rtlil: str
    constraints: str

    def cells(self, kind: str) -> int:
        return len(re.findall(rf"^  cell \\{kind} ", self.rtlil, re.MULTILINE))


@cache
def plan(name: str) -> Plan:
    board = BOARDS[name]
    accelerator = AcceleratorInstance(address_bits=32, data_bits=64)
    top = BoardTop(board, accelerator, address_bits=32, clocks=choose_clocks(board, 80 * MHZ))
    files = board.platform().build(top, name="board", do_build=False).files
    texts = {file: text if isinstance(text, str) else text.decode() for file, text in files.items()}
    return Plan(texts["board.il"], texts["board.lpf"])


@every_board
def test_the_oscillator_the_line_and_two_lights_have_pins(name: str) -> None:
    constraints = plan(name).constraints
    assert len(re.findall(r'LOCATE COMP "uart_0__[rt]x__io"', constraints)) == 2
    assert len(set(re.findall(r'LOCATE COMP "(?:rgb_)?led_(\d)__', constraints))) == 2
    assert re.findall(r'FREQUENCY PORT "clk\d+_0__io" (\d+)', constraints) == [str(BOARDS[name].oscillator)]


@every_board
def test_every_pin_of_a_chip_has_a_register_in_its_cell(name: str) -> None:
    memory = BOARDS[name].memory
    pins = plan(name).constraints.count('LOCATE COMP "sdram_0__')
    lights = plan(name).constraints.count("LOCATE COMP") - pins - 3
    if not isinstance(memory, SdramChip):
        assert (pins, plan(name).cells("ODDRX1F"), plan(name).cells("IFS1P3DX")) == (0, 0, 0)
        return
    data, clock = 16, 1
    assert pins == clock + 5 + memory.geometry.bank_bits + memory.geometry.row_bits + 2 + data
    assert plan(name).cells("ODDRX1F") == clock
    assert plan(name).cells("IFS1P3DX") == data
    # Each data pin has one for its value and one for whether it is driven.
    assert plan(name).cells("OFS1P3DX") >= pins - clock + data + lights


@every_board
def test_the_design_is_complete_and_has_no_loops(name: str, tmp_path: Path) -> None:
    (tmp_path / "board.il").write_text(plan(name).rtlil)
    (tmp_path / "celosia.v").write_text(copy_engine_verilog())
    (tmp_path / "check.ys").write_text(CHECK)
    YOSYS.run(["-q", "-s", "check.ys"], tmp_path, "check")


def test_clocks_need_an_output_for_each_domain() -> None:
    with pytest.raises(ValueError, match=r"settings must have an output for each of .*, not 1"):
        BoardClocks(choose_clocks(BOARDS["ecpix5_85f"], 80 * MHZ), ("sync", "memory"))
