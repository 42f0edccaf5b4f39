"""From Amaranth to ECP5 cells."""

from pathlib import Path

import pytest
from amaranth.back import verilog
from amaranth.hdl import signed

from celosia.boards.ecp5_synthesis import synthesize
from celosia.boards.errors import BuildError
from celosia.hdl.ecp5_multiplier import ecp5_multiplier
from celosia.hdl.multiplier import Multiplier


def test_a_multiplier_comes_through_as_one_block_and_no_logic(tmp_path: Path) -> None:
    multiplier = Multiplier(signed(9), signed(9))
    block = ecp5_multiplier(multiplier)
    ports = [multiplier.a, multiplier.b, multiplier.product]
    text = verilog.convert(block, name="multiplier", ports=ports)
    netlist = synthesize([("multiplier.v", text)], "multiplier", tmp_path)
    assert netlist.cells["MULT18X18D"] == 1
    assert "LUT4" not in netlist.cells
    assert "TRELLIS_FF" not in netlist.cells
    assert '"REG_OUTPUT_CLK": "CLK0"' in netlist.file.read_text()


def test_wrong_verilog_ends_with_yosys_own_words(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"(?s)synthesis failed.*syntax error"):
        synthesize([("wrong.v", "module wrong(;")], "wrong", tmp_path)
