"""The table of inferences a second, without measuring."""

from benchmarks.board_cycles import BEGIN, END, BoardCycles, merge, table
from celosia.boards.board import BOARDS
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.simulated_board import board_design

DESIGN = board_design(BOARDS["ulx3s_85f"], PRESETS["u55-64"])
ROW = BoardCycles("mlperf_kws_dscnn", 57_600, 57_000, DESIGN.frequency, 38_296, 12, True)


def test_inferences_a_second_are_clock_by_cycles() -> None:
    assert round(ROW.inferences_per_second) == 1389
    text = table(DESIGN, "u55-64", [ROW])
    assert "u55-64 at 80 MHz, memory at 133.3 MHz" in text
    assert "| mlperf_kws_dscnn | 57,600 | 57,000 | 1,389 | 38,296 | 12 | 3088, 188 DSP, 143 MHz |" in text


def test_the_table_takes_the_place_of_the_one_before_it() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert merge(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert merge(merge(page, "new"), "new") == merge(page, "new")
