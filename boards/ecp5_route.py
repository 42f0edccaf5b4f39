"""From a netlist to a placed and routed ECP5 design, with nextpnr."""

from dataclasses import dataclass
from pathlib import Path

from .ecp5_part import Ecp5Part
from .ecp5_synthesis import Netlist
from .nextpnr_report import RouteReport, read_report
from .wheel_tool import NEXTPNR_ECP5, ToolCost

PLACER = "static"
"""Takes a third longer than nextpnr's default and gives shorter wires, which are three quarters of a long path."""


@dataclass(frozen=True, slots=True)
class Route:
    """A placed and routed design.

    Attributes:
        report: area and clocks.
        config: the device's configuration in Project Trellis's textual form.
        cost: of placing and routing.
    """

    report: RouteReport
    config: Path
    cost: ToolCost


def route_arguments(
    netlist: str, part: Ecp5Part, *, step: str, seed: int, constraints: str | None, target_mhz: float | None
) -> list[str]:
    """Of nextpnr: from the file `netlist` to `<step>.config` and `<step>.json`, the report; see `place_and_route`."""
    pins = ["--lpf-allow-unconstrained"] if constraints is None else ["--lpf", constraints]
    target = [] if target_mhz is None else ["--freq", str(target_mhz)]
    return [
        part.option,
        *("--package", part.package, "--speed", str(part.speed)),
        *("--json", netlist, "--report", f"{step}.json", "--textcfg", f"{step}.config"),
        *("--placer", PLACER, "--seed", str(seed), *target, *pins, "--timing-allow-fail"),
    ]


def place_and_route(
    netlist: Netlist,
    part: Ecp5Part,
    *,
    seed: int,
    step: str | None = None,
    constraints: str | None = None,
    target_mhz: float | None = None,
) -> Route:
    """Place and route `netlist` beside its file; a clock that misses its target is no error.

    The same netlist, part, seed and targets give the same result on every machine. The files that come out are called
    `step`, `route_seed_<seed>` by default. `constraints` is the name of an LPF file beside the netlist; without it pins
    are placed anywhere. `target_mhz` is for clocks that the constraints do not tell.

    Raises:
        BuildError: nextpnr is missing or failed, for instance because the design does not fit.
    """
    folder = netlist.file.parent
    step = step or f"route_seed_{seed}"
    arguments = route_arguments(
        netlist.file.name, part, step=step, seed=seed, constraints=constraints, target_mhz=target_mhz
    )
    cost = NEXTPNR_ECP5.run(arguments, folder, step)
    report = read_report(folder / f"{step}.json", folder / f"{step}.log")
    return Route(report, folder / f"{step}.config", cost)
