"""The area table keeps the rows that were not measured again."""

from dataclasses import replace

from benchmarks.area import BEGIN, END, Area, merge
from celosia.boards.nextpnr_report import ClockReport, CriticalPath, RouteReport, Utilization

CELLS = Utilization(
    logic_luts=20000,
    carry_luts=5000,
    ram_luts=1400,
    ram_write_luts=700,
    flip_flops=18000,
    multipliers=80,
    block_rams=100,
)
PATH = CriticalPath(("module_between.engine.load.left", "module_between.engine.store.open"), 11.0, 7.5)
PAGE = f"# Title\n\n{BEGIN}\n{END}\nafter\n"


def routed(fmax: float) -> RouteReport:
    return RouteReport(CELLS, (ClockReport("clock", fmax, PATH),))


AREA = Area("u55-64", (1, 2, 3), (routed(91.0), routed(89.0), routed(95.5)))


def test_a_row_tells_totals_and_the_median_of_the_seeds() -> None:
    assert "| u55-64 | 27,100 | 20,000 + 5,000 + 2,100 | 18,000 | 80 | 100 | 91.0 |" in AREA.row
    assert "1: 91.0, 2: 89.0, 3: 95.5" in AREA.row
    assert "`load.left` to `store.open`, 11.0 ns, 7.5 of them wires" in AREA.row


def test_rows_are_in_the_order_of_the_presets_and_the_rest_of_the_page_stays() -> None:
    page = merge(merge(PAGE, [AREA]), [replace(AREA, preset="u55-32")])
    assert page.startswith("# Title\n")
    assert page.endswith(f"{END}\nafter\n")
    assert page.index("| u55-32 |") < page.index("| u55-64 |")


def test_a_row_measured_again_replaces_the_old_one() -> None:
    page = merge(merge(PAGE, [AREA]), [replace(AREA, seeds=(4,), reports=(routed(101.0),))])
    assert page.count("| u55-64 |") == 1
    assert "4: 101.0" in page
