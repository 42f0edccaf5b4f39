"""Figures out of nextpnr's log and report."""

import json
from pathlib import Path
from typing import Any

import pytest

from celosia.boards.errors import BuildError
from celosia.boards.nextpnr_report import component, parse_clocks, parse_utilization, read_report

LOG = """\
Info: Logic utilisation before packing:
Info:     Total LUT4s:     32162/83640    38%
Info:         logic LUTs:  23678/83640    28%
Info:         carry LUTs:   6366/83640     7%
Info:           RAM LUTs:   1412/10455    13%
Info:          RAMW LUTs:    706/20910     3%

Info:      Total DFFs:     20170/83640    24%
Info: Device utilisation:
Info: 	              DP16KD:     110/    208    52%
Info: 	          MULT18X18D:      88/    156    56%
"""


def end(cell: str) -> dict[str, Any]:
    return {"cell": cell, "loc": [1, 2], "port": "Q"}


def hop(kind: str, delay: float, source: str, sink: str) -> dict[str, Any]:
    return {"type": kind, "delay": delay, "from": end(source), "to": end(sink)}


CLOCK = "$glbnet$clock$TRELLIS_IO_IN"
PATH = [
    hop("clk-to-q", 0.5, "engine.walk.place_TRELLIS_FF_Q_3", "engine.walk.place_TRELLIS_FF_Q_3"),
    hop("routing", 1.5, "engine.walk.place_TRELLIS_FF_Q_3", "engine.load.sum_LUT4_Z_1"),
    hop("logic", 0.25, "engine.load.sum_LUT4_Z_1", "engine.load.sum_LUT4_Z_1"),
    hop("routing", 2.0, "engine.load.sum_LUT4_Z_1", "engine.bank.0.0.1"),
    hop("setup", 0.0, "engine.bank.0.0.1", "engine.bank.0.0.1"),
]
TIMING = {
    "fmax": {CLOCK: {"achieved": 88.5, "constraint": 105}},
    "critical_paths": [
        {"from": "<async>", "to": f"posedge {CLOCK}", "path": []},
        {"from": f"posedge {CLOCK}", "to": f"posedge {CLOCK}", "path": PATH},
    ],
}


def test_luts_are_those_that_nextpnr_counts() -> None:
    cells = parse_utilization(LOG)
    assert cells.luts == 32162
    assert (cells.logic_luts, cells.carry_luts, cells.ram_luts, cells.ram_write_luts) == (
        23678,
        6366,
        1412,
        706,
    )
    assert (cells.flip_flops, cells.multipliers, cells.block_rams) == (20170, 88, 110)


def test_a_log_without_a_figure_is_refused() -> None:
    with pytest.raises(BuildError, match=r"no line .*DP16KD"):
        parse_utilization(LOG.replace("DP16KD", "EBR"))


def test_a_clock_has_its_speed_and_the_path_from_register_to_register() -> None:
    (clock,) = parse_clocks(TIMING)
    assert (clock.name, clock.fmax_mhz) == ("clock", 88.5)
    assert clock.critical_path.components == ("engine.walk.place", "engine.load.sum", "engine.bank")
    assert clock.critical_path.nanoseconds == pytest.approx(4.25)
    assert clock.critical_path.routing_nanoseconds == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("timing", "message"),
    [
        ({"fmax": {}, "critical_paths": []}, "has no clock"),
        ({"fmax": TIMING["fmax"], "critical_paths": []}, "has no path of the clock"),
    ],
)
def test_a_report_without_clock_or_path_is_refused(timing: dict[str, Any], message: str) -> None:
    with pytest.raises(BuildError, match=message):
        parse_clocks(timing)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("a.b_TRELLIS_FF_Q_CE_LUT4_Z_1", "a.b"),
        ("a.sums_CCU2C_S0$CCU2_COMB0", "a.sums"),
        ("a.table.3.0.1", "a.table"),
        ("a.multiplier.block", "a.multiplier.block"),
    ],
)
def test_a_component_is_named_without_yosys_endings(cell: str, name: str) -> None:
    assert component(cell) == name


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(TIMING))
    with pytest.raises(BuildError, match=r"no readable report.*route\.log"):
        read_report(tmp_path / "report.json", tmp_path / "route.log")
