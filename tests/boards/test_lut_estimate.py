"""The estimate of LUT4 is within 15 % of synthesis."""

from dataclasses import replace
from pathlib import Path

import pytest

from celosia.boards.board import BOARDS
from celosia.boards.board_sources import BOARD_NAME
from celosia.boards.build_job import BuildJob
from celosia.boards.ecp5_build import generate_ecp5, write_ecp5
from celosia.boards.ecp5_synthesis import run_synthesis
from celosia.boards.fit_estimate import estimate_fit
from celosia.boards.lut_estimate import estimated_luts
from celosia.generators.generate import engine_design
from celosia.generators.mac_engine.config import PRESETS

U55_64 = PRESETS["u55-64"]
ULX3S = BOARDS["ulx3s_85f"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "config"),
    [
        ("ulx3s_85f", U55_64),
        # None of these is among the designs that the constants were fitted to.
        ("ecpix5_85f", replace(U55_64, lanes=8, buffer_kib=64, queue_depth=8, outstanding_reads=8)),
    ],
    ids=["u55-64", "changed"],
)
def test_estimate_is_within_15_percent_of_synthesis_for_luts_and_exact_for_blocks(
    board: str, config, tmp_path: Path
) -> None:
    target = BOARDS[board]
    design = generate_ecp5(BuildJob(target, engine_design(config)), tmp_path)
    write_ecp5(target, design, tmp_path, seed=1)
    netlist = run_synthesis(BOARD_NAME, tmp_path)
    luts, multipliers, block_rams = (usage.used for usage in estimate_fit(target, config).usage)
    assert luts == pytest.approx(netlist.luts, rel=0.15)
    assert (multipliers, block_rams) == (netlist.cells["MULT18X18D"], netlist.cells["DP16KD"])


def test_deeper_command_queues_take_whole_memories_of_16_rows() -> None:
    luts = {depth: estimated_luts(ULX3S, replace(U55_64, queue_depth=depth)) for depth in (2, 4, 8, 16)}
    # COMPUTE has 7 words a command, the other verbs 3 or 4: 5, 6, 12 and 22 memories.
    assert luts[2] < luts[4] < luts[8] < luts[16]
    assert luts[16] - luts[8] == pytest.approx(10 / 6 * (luts[8] - luts[4]), abs=2)


def test_a_lane_and_an_output_cost_the_same_everywhere() -> None:
    cores = [estimated_luts(ULX3S, replace(U55_64, macs=macs)) for macs in (64, 128, 256)]
    assert cores[2] - cores[1] == pytest.approx(2 * (cores[1] - cores[0]), abs=2)
