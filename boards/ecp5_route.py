"""From a netlist to a placed and routed ECP5 design, with nextpnr."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .ecp5_part import Ecp5Part
from .ecp5_synthesis import Netlist
from .errors import GivenUpError
from .nextpnr_report import RouteReport, read_report
from .wheel_tool import NEXTPNR_ECP5, ToolCost

PLACERS = ("static", "heap")
"""nextpnr's, in the order in which they are tried: the first gives shorter wires, which are three quarters of a long
path, for a third more time; the second is nextpnr's default."""

_STATIC_LUTS = 10_000
"""A smaller design is placed as well by the default, and the static placer may never spread its few memories."""
_ENDLESS = r"iter=[2-9]\d{3}"
"""The static placer takes 350 to 600 iterations for an engine."""


@dataclass(frozen=True, slots=True)
class Route:
    """A placed and routed design.

    Attributes:
        report: area and clocks.
        config: the device's configuration in Project Trellis's textual form.
        placer: that found the places.
        cost: of placing and routing.
    """

    report: RouteReport
    config: Path
    placer: str
    cost: ToolCost


def route_arguments(
    netlist: str,
    part: Ecp5Part,
    *,
    step: str,
    seed: int,
    constraints: str | None,
    target_mhz: float | None,
    placer: str = PLACERS[0],
) -> list[str]:
    """Of nextpnr: from the file `netlist` to `<step>.config` and `<step>.json`, the report; see `place_and_route`."""
    pins = ["--lpf-allow-unconstrained"] if constraints is None else ["--lpf", constraints]
    target = [] if target_mhz is None else ["--freq", str(target_mhz)]
    return [
        part.option,
        *("--package", part.package, "--speed", str(part.speed)),
        *("--json", netlist, "--report", f"{step}.json", "--textcfg", f"{step}.config"),
        *("--placer", placer, "--seed", str(seed), *target, *pins, "--timing-allow-fail"),
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
    arguments = partial(
        route_arguments,
        netlist.file.name,
        part,
        step=step,
        seed=seed,
        constraints=constraints,
        target_mhz=target_mhz,
    )
    start = time.monotonic()
    static, default = PLACERS
    placer = static if netlist.luts >= _STATIC_LUTS else default
    try:
        cost = NEXTPNR_ECP5.run(arguments(placer=placer), folder, step, endless=_ENDLESS)
    except GivenUpError:
        placer = default
        cost = NEXTPNR_ECP5.run(arguments(placer=placer), folder, step)
    report = read_report(folder / f"{step}.json", folder / f"{step}.log")
    cost = ToolCost(time.monotonic() - start, cost.peak_bytes)
    return Route(report, folder / f"{step}.config", placer, cost)
