"""What nextpnr-ecp5 says of a routed design, as values."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BuildError

_COUNTS = {
    "logic_luts": r"logic LUTs:\s+(\d+)/",
    "carry_luts": r"carry LUTs:\s+(\d+)/",
    "ram_luts": r"RAM LUTs:\s+(\d+)/",
    "ram_write_luts": r"RAMW LUTs:\s+(\d+)/",
    "flip_flops": r"Total DFFs:\s+(\d+)/",
    "block_rams": r"\bDP16KD:\s+(\d+)/",
    "multipliers": r"\bMULT18X18D:\s+(\d+)/",
}
_CELL = re.compile(r"(_(TRELLIS_FF|LUT4|PFUMX|L6MUX21|CCU2C|TRELLIS_DPR16X4)_.*|(\.\d+)+)$")


@dataclass(frozen=True, slots=True)
class Utilization:
    """Cells, by nextpnr's own totals.

    Attributes:
        logic_luts: LUT4 of logic.
        carry_luts: LUT4 in carry chains, two a CCU2C.
        ram_luts, ram_write_luts: LUT4 that are memory, and those given up for its write ports.
        flip_flops: registers.
        multipliers: MULT18X18D.
        block_rams: DP16KD.
    """

    logic_luts: int
    carry_luts: int
    ram_luts: int
    ram_write_luts: int
    flip_flops: int
    multipliers: int
    block_rams: int

    @property
    def luts(self) -> int:
        """All that a LUT4 is used for."""
        return self.logic_luts + self.carry_luts + self.ram_luts + self.ram_write_luts


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The slowest way of a clock from register to register.

    Attributes:
        components: where it leads through, by hierarchical name: first the register or memory it starts from, last the
            one it ends in.
        nanoseconds: from clock edge to clock edge.
        routing_nanoseconds: of these in wires.
    """

    components: tuple[str, ...]
    nanoseconds: float
    routing_nanoseconds: float


@dataclass(frozen=True, slots=True)
class ClockReport:
    """One clock: `fmax_mhz` reached, and what kept it from more."""

    name: str
    fmax_mhz: float
    critical_path: CriticalPath


@dataclass(frozen=True, slots=True)
class RouteReport:
    """A routed design."""

    utilization: Utilization
    clocks: tuple[ClockReport, ...]

    @property
    def slowest(self) -> ClockReport:
        """The clock that reached least."""
        return min(self.clocks, key=lambda clock: clock.fmax_mhz)


def read_report(report: Path, log: Path) -> RouteReport:
    """What nextpnr wrote into its JSON `report` and its `log`, which alone tells carries and memories apart.

    Raises:
        BuildError: one of them is not there, or lacks a figure.
    """
    try:
        timing = json.loads(report.read_text(encoding="utf-8"))
        said = log.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BuildError(f"nextpnr-ecp5 left no readable report: {error}") from error
    return RouteReport(parse_utilization(said), parse_clocks(timing))


def parse_utilization(log: str) -> Utilization:
    """The totals in nextpnr's log.

    Raises:
        BuildError: one is not there.
    """
    counts: dict[str, int] = {}
    for name, pattern in _COUNTS.items():
        found = re.search(pattern, log)
        if found is None:
            raise BuildError(f"nextpnr-ecp5's log has no line {pattern!r}: is it another version?")
        counts[name] = int(found[1])
    return Utilization(**counts)


def parse_clocks(timing: Mapping[str, Any]) -> tuple[ClockReport, ...]:
    """The clocks in nextpnr's JSON report.

    Raises:
        BuildError: there is none, or one has no path.
    """
    paths = {
        path["from"].removeprefix("posedge "): _critical_path(path["path"])
        for path in timing["critical_paths"]
        if path["from"] == path["to"]
    }
    clocks: list[ClockReport] = []
    for net, speed in timing["fmax"].items():
        if net not in paths:
            raise BuildError(f"nextpnr-ecp5's report has no path of the clock {net!r}")
        name = net.removeprefix("$glbnet$").split("$TRELLIS_IO")[0]
        clocks.append(ClockReport(name, speed["achieved"], paths[net]))
    if not clocks:
        raise BuildError("nextpnr-ecp5's report has no clock: is the design empty?")
    return tuple(clocks)


def component(cell: str) -> str:
    """The name of what became the cell `cell`: the hierarchy and the signal, without Yosys's endings."""
    return _CELL.sub("", cell)


def _critical_path(path: Sequence[Mapping[str, Any]]) -> CriticalPath:
    components: list[str] = []
    for hop in path:
        for end in (hop["from"], hop["to"]):
            name = component(end["cell"])
            if not components or components[-1] != name:
                components.append(name)
    return CriticalPath(
        tuple(components),
        sum(hop["delay"] for hop in path),
        sum(hop["delay"] for hop in path if hop["type"] == "routing"),
    )
