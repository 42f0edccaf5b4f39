"""The count of multipliers and block RAMs is that of the gateware."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from celosia.boards.block_count import (
    Blocks,
    accelerator_blocks,
    board_blocks,
    design_blocks,
    shortfall,
)
from celosia.boards.board import BOARDS
from celosia.boards.wheel_tool import YOSYS
from celosia.generators.generate import engine_verilog
from celosia.generators.mac_engine.area import area
from celosia.generators.mac_engine.config import PRESETS
from celosia.hdl.ecp5_platform import Ecp5Platform
from celosia.hdl.verilog_memory import BLOCK_RAM_BITS
from celosia.hdl.xilinx_platform import XilinxPlatform

OTHER = replace(
    PRESETS["u55-32"], buffer_kib=36, weight_kib=9, parameter_beats=300, burst_beats=64, profile_entries=32
)
EVERY = {**PRESETS, "other": OTHER}

CELLS = """\
read_verilog -lib +/lattice/cells_sim_ecp5.v +/lattice/cells_bb_ecp5.v
read_verilog celosia.v
synth_ecp5 -top celosia -run begin:map_gates
tee -o cells.txt stat
"""
XILINX_CELLS = """\
read_verilog celosia.v
synth_xilinx -family xc7 -flatten -top celosia -run begin:map_luts
tee -o cells.txt stat
"""


@pytest.mark.parametrize("name", ["u55-32", "other"])
def test_memories_are_those_of_the_generated_text(name: str) -> None:
    """Those below the size at which a memory becomes a module of its own are asked for by attribute."""
    found = Counter()
    for ram in engine_verilog(EVERY[name]).block_rams:
        found[ram.depth, ram.width] += ram.instances
    counted = Counter()
    for memory in area(EVERY[name]).memories:
        if memory.depth * memory.width >= BLOCK_RAM_BITS:
            counted[memory.depth, memory.width] += memory.count
    assert counted == found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["u55-32", "u55-256", "other"])
def test_blocks_are_those_that_yosys_makes(name: str, tmp_path: Path) -> None:
    text = engine_verilog(EVERY[name], Ecp5Platform()).text
    (tmp_path / "celosia.v").write_text(text)
    (tmp_path / "cells.ys").write_text(CELLS)
    YOSYS.run(["-q", "-s", "cells.ys"], tmp_path, "cells")
    total = (tmp_path / "cells.txt").read_text().split("design hierarchy")[-1]
    cells = {kind: int(count) for count, kind in re.findall(r"^ +(\d+) +(\w+)$", total, re.MULTILINE)}
    assert Blocks(cells["MULT18X18D"], cells["DP16KD"]) == accelerator_blocks(EVERY[name])


@pytest.mark.slow
def test_blocks_are_those_that_yosys_makes_for_the_7_series(tmp_path: Path) -> None:
    """DSP48E1 for every product; RAMB36E1 count as two."""
    text = engine_verilog(PRESETS["u55-32"], XilinxPlatform()).text
    (tmp_path / "celosia.v").write_text(text)
    (tmp_path / "cells.ys").write_text(XILINX_CELLS)
    YOSYS.run(["-q", "-s", "cells.ys"], tmp_path, "cells")
    total = (tmp_path / "cells.txt").read_text().split("design hierarchy")[-1]
    cells = {kind: int(count) for count, kind in re.findall(r"^ +(\d+) +(\w+)$", total, re.MULTILINE)}
    halves = cells.get("RAMB18E1", 0) + 2 * cells["RAMB36E1"]
    assert Blocks(cells["DSP48E1"], halves) == accelerator_blocks(PRESETS["u55-32"])


def test_the_presets_take_what_they_are_said_to() -> None:
    assert accelerator_blocks(PRESETS["u55-64"]).multipliers == 88
    assert accelerator_blocks(PRESETS["u55-128"]).multipliers == 152


def test_link_and_memory_count() -> None:
    assert board_blocks(BOARDS["ulx3s_85f"]) == Blocks(0, 6)
    assert board_blocks(BOARDS["ecpix5_85f"]) == Blocks(0, 66)
    config = PRESETS["u55-32"]
    whole, alone = design_blocks(BOARDS["ulx3s_85f"], config), accelerator_blocks(config)
    assert (whole.multipliers, whole.block_rams) == (alone.multipliers, alone.block_rams + 6)


def test_what_is_missing_is_told_by_number() -> None:
    part = BOARDS["ulx3s_85f"].part
    assert shortfall(part, Blocks(156, 208)) == ()
    assert shortfall(part, Blocks(296, 210)) == ("140 MULT18X18D too few", "2 DP16KD too few")
