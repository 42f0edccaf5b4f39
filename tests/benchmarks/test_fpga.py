"""The boards' table keeps the rows that were not measured again."""

from dataclasses import replace

from benchmarks.fpga import BEGIN, END, Measurement, merge
from celosia.boards.build_result import ClockResult, Usage
from celosia.boards.nextpnr_report import CriticalPath

PATH = CriticalPath(("system.load.left", "system.load.sum", "system.store.open"), 11.0, 7.5)
PAGE = f"# Title\n\n{BEGIN}\n{END}\nafter\n"
MEASUREMENT = Measurement(
    board="ulx3s_85f",
    preset="u55-64",
    seeds=(1, 2, 3),
    fmax=(91.0, 89.0, 95.5),
    memory_fmax=(120.0, 118.0, 121.5),
    usage=(
        Usage("LUT4", "lut4", 32000, 83640),
        Usage("registers", "flip_flops", 23000, 83640),
        Usage("MULT18X18D", "dsp", 88, 156),
        Usage("DP16KD", "bram", 113, 208),
    ),
    clocks=(
        ClockResult("sync", 91.0, 90.625, PATH),
        ClockResult("memory", 120.0, 103.571, PATH),
        ClockResult("memory_chip", 650.0, 103.571, PATH),
        ClockResult("line", 170.0, 25.0, PATH),
    ),
    seconds={"Verilog": [9.6], "synthesis": [70.2], "routes": [800.0, 900.1, 850.0], "bitstream": [8.0]},
    peak_bytes=1_450_000_000,
)


def test_a_row_tells_cells_clocks_and_steps() -> None:
    row = MEASUREMENT.row
    assert "| ulx3s_85f | u55-64 | 32,000 | 500 | 23,000 | 88 | 113 | 91.0 |" in row
    assert "| 1: 91.0, 2: 89.0, 3: 95.5 | 1: 120.0, 2: 118.0, 3: 121.5 | 90.62 | 103.57 |" in row
    assert "| Verilog 10, synthesis 70, routes 800 / 900 / 850, bitstream 8 | 1.4 |" in row
    assert "`system.load.left` to `system.store.open`, 11.0 ns, 7.5 of them wires" in row


def test_a_board_without_an_sdram_has_no_clock_of_its_memory() -> None:
    sync, _, _, line = MEASUREMENT.clocks
    row = replace(MEASUREMENT, board="ecpix5_85f", memory_fmax=(), clocks=(sync, line)).row
    assert "| 1: 91.0, 2: 89.0, 3: 95.5 |  | 90.62 |  |" in row


def test_rows_are_in_the_order_of_boards_and_presets_and_the_rest_of_the_page_stays() -> None:
    page = merge(PAGE, [MEASUREMENT])
    page = merge(page, [replace(MEASUREMENT, board="ecpix5_85f"), replace(MEASUREMENT, preset="u55-32")])
    assert page.startswith("# Title\n")
    assert page.endswith(f"{END}\nafter\n")
    rows = [line.split(" | ")[:2] for line in page.splitlines() if "| u55" in line]
    assert rows == [["| ulx3s_85f", "u55-32"], ["| ulx3s_85f", "u55-64"], ["| ecpix5_85f", "u55-64"]]


def test_a_row_measured_again_replaces_the_old_one() -> None:
    page = merge(merge(PAGE, [MEASUREMENT]), [replace(MEASUREMENT, seeds=(4,), fmax=(101.0,))])
    assert page.count("| u55-64 |") == 1
    assert "4: 101.0" in page
