"""The clocks of a routed design: legal, reached, and none that it did not reach."""

from collections.abc import Mapping

import pytest

from celosia.boards.board import BOARDS
from celosia.boards.ecp5_clocks import clock_results, clocks_of, settle_clocks
from celosia.boards.errors import BuildError
from celosia.boards.nextpnr_report import ClockReport, CriticalPath, RouteReport, Utilization

ULX3S = BOARDS["ulx3s_85f"]
ECPIX5 = BOARDS["ecpix5_85f"]
MHZ = 1_000_000
PATH = CriticalPath(("system.load.left", "system.store.open"), 11.0, 7.5)
NONE = Utilization(0, 0, 0, 0, 0, 0, 0)
NETS = (frozenset({"clk", "pll.clocks[0]"}), frozenset({"memory_clk"}), frozenset({"clocks[2]"}))


def clock(name: str, fmax: float) -> ClockReport:
    return ClockReport(name, fmax, PATH)


def reached(sync: float, memory: float = 120.0, line: float = 170.0) -> Mapping[str, ClockReport]:
    speeds = {"sync": sync, "memory": memory, "memory_chip": 650.0, "line": line}
    return {domain: clock(domain, speed) for domain, speed in speeds.items()}


def test_clocks_are_told_apart_by_the_nets_at_the_pll() -> None:
    clocks = (
        clock("i", 170),
        clock("clocks[2]", 650),
        clock("memory_clk", 120),
        clock("pll.clocks[0]", 88.9),
    )
    found = clocks_of(ULX3S, RouteReport(NONE, clocks), NETS)
    assert {domain: report.fmax_mhz for domain, report in found.items()} == {
        "sync": 88.9,
        "memory": 120,
        "memory_chip": 650,
        "line": 170,
    }
    assert next(iter(found)) == "sync"


@pytest.mark.parametrize(
    "names",
    [("i", "clk", "memory_clk"), ("i", "clk", "memory_clk", "clocks[2]", "stray")],
    ids=["few", "many"],
)
def test_other_clocks_than_the_board_s_are_refused(names: tuple[str, ...]) -> None:
    report = RouteReport(NONE, tuple(clock(name, 100) for name in names))
    with pytest.raises(BuildError, match="those of the board are sync, memory, memory_chip, line"):
        clocks_of(ULX3S, report, NETS)


@pytest.mark.parametrize("sync", [51.3, 80.0, 88.9, 97.2, 104.99])
@pytest.mark.parametrize("memory", [75.5, 112.0, 141.0])
def test_the_engine_gets_nearly_what_it_reached_and_nothing_gets_more(sync: float, memory: float) -> None:
    settings = settle_clocks(ULX3S, reached(sync, memory), None)
    engine, controller, chip = (float(frequency) / MHZ for frequency in settings.frequencies)
    assert engine <= sync
    # Only where both are nearly as slow as the SDRAM may be does the engine give way by more.
    assert engine >= (0.9 if memory < 76 else 0.97) * sync
    assert 75 <= controller == chip <= min(memory, 134)
    results = clock_results(ULX3S, reached(sync, memory), settings)
    assert [result.clock_mhz for result in results] == pytest.approx([engine, controller, chip, 25])


def test_a_clock_that_is_asked_for_is_given_though_more_was_reached() -> None:
    assert settle_clocks(ULX3S, reached(97.0), 80 * MHZ).frequencies[0] == 80 * MHZ


def test_a_pll_makes_no_more_than_its_limit() -> None:
    assert settle_clocks(ECPIX5, {"sync": clock("clk", 600), "line": clock("i", 170)}, None).frequencies == (
        400 * MHZ,
    )


@pytest.mark.parametrize(
    ("clocks", "asked", "message"),
    [
        (
            reached(88.0),
            90,
            r"the clock sync reached 88\.00 MHz, not the 90 MHz .* 11\.0 ns from system\.load\.left",
        ),
        (reached(88.0, memory=74.9), None, r"the clock memory reached 74\.90 MHz, not the 75 MHz"),
        (reached(88.0, line=24.0), None, r"the clock line reached 24\.00 MHz, not the 25 MHz"),
        (reached(120.0, memory=77.0), 97, r"96\.875 MHz go with no SDRAM clock up to 77\.0 MHz"),
    ],
)
def test_what_is_missed_is_told_by_how_much_and_where(
    clocks: Mapping[str, ClockReport], asked: int | None, message: str
) -> None:
    with pytest.raises(BuildError, match=message):
        settle_clocks(ULX3S, clocks, None if asked is None else asked * MHZ)
