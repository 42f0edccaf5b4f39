"""From a netlist to a placed and routed ECP5 design, with nextpnr."""

from .ecp5_part import Ecp5Part
from .ecp5_synthesis import Netlist
from .nextpnr_report import RouteReport, read_report
from .wheel_tool import NEXTPNR_ECP5


def place_and_route(netlist: Netlist, part: Ecp5Part, *, seed: int, target_mhz: float) -> RouteReport:
    """Place and route `netlist` beside its file; missing `target_mhz` is no error.

    The same netlist, part, seed and target give the same result on every machine. Pins are placed anywhere.

    Raises:
        BuildError: nextpnr is missing or failed, for instance because the design does not fit.
    """
    folder = netlist.file.parent
    step = f"route_seed_{seed}"
    report = folder / f"{step}.json"
    NEXTPNR_ECP5.run(
        [
            part.option,
            *("--package", part.package, "--speed", str(part.speed)),
            *("--json", netlist.file.name, "--report", report.name),
            *("--textcfg", f"{step}.config"),
            *("--freq", str(target_mhz), "--seed", str(seed)),
            *("--lpf-allow-unconstrained", "--timing-allow-fail"),
        ],
        folder,
        step,
    )
    return read_report(report, folder / f"{step}.log")
