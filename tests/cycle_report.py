"""Cycles that tests counted on the RTL, as a table at the end of the test run.

A test reports a point with `report_cycles`; the table comes from the tests' reports, so that it is whole however many
processes the tests ran in.
"""

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass

from _pytest.terminal import TerminalReporter

from celosia.generators.chassis.memory import MemoryModel
from tests.commit_seed import commit_seed

__all__ = ["report_cycles", "write_cycle_table"]

_PROPERTY = "cycles"


@dataclass(frozen=True, order=True)
class _Point:
    network: str
    preset: str
    buffer_kib: int
    memory: str
    cycles: int


def report_cycles(
    record_property: Callable[[str, object], None],
    network: str,
    preset: str,
    buffer_kib: int,
    memory: MemoryModel,
    cycles: int,
) -> None:
    """Put a point into the table: `cycles` were counted, and were the predicted ones."""
    name = f"{memory.latency}, {memory.bytes_per_cycle} B"
    record_property(_PROPERTY, astuple(_Point(network, preset, buffer_kib, name, cycles)))


def write_cycle_table(terminal: TerminalReporter) -> None:
    """One line for each network, preset and buffer; a column for each memory: latency, bytes a cycle."""
    points = sorted(_reported(terminal))
    if not points:
        return
    memories = sorted({point.memory for point in points})
    terminal.section(f"cycles on the RTL, as predicted: {len(points)} points")
    terminal.write_line(f"drawn by CELOSIA_SEED={commit_seed()}, the commit; columns: latency, bytes a cycle")
    lines: dict[tuple[str, str, int], dict[str, int]] = {}
    for point in points:
        place = point.network, point.preset, point.buffer_kib
        lines.setdefault(place, {})[point.memory] = point.cycles
    terminal.write_line(f"{'network':24}{'preset':9}{'KiB':>4}" + "".join(f"{name:>12}" for name in memories))
    for (network, preset, kib), cycles in lines.items():
        cells = "".join(f"{cycles[name]:12,}" if name in cycles else f"{'':12}" for name in memories)
        terminal.write_line(f"{network:24}{preset:9}{kib:4}{cells}")


def _reported(terminal: TerminalReporter) -> Iterable[_Point]:
    for report in terminal.getreports("passed"):
        for name, value in report.user_properties:
            if name == _PROPERTY:
                yield _Point(*value)
