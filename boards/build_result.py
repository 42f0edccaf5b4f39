"""What a build made, and what its steps cost: the same figures for tables and for programs, whatever the toolchain."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .nextpnr_report import CriticalPath
from .wheel_tool import ToolCost


@dataclass(frozen=True, slots=True)
class Usage:
    """Cells of one kind: `name` for people, `key` for programs, `used` of `available`."""

    name: str
    key: str
    used: int
    available: int


@dataclass(frozen=True, slots=True)
class ClockResult:
    """One clock domain of a routed design.

    Attributes:
        domain: its name in the gateware; `sync` is the accelerator's.
        fmax_mhz: what it could have.
        clock_mhz: what the bitstream gives it; `None` if there is none.
        critical_path: what keeps it from more.
    """

    domain: str
    fmax_mhz: float
    clock_mhz: float | None
    critical_path: CriticalPath


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One step: seconds by the clock on the wall; the most memory of its process, `None` if it had none of its own."""

    name: str
    seconds: float
    peak_bytes: int | None

    @classmethod
    def of_tool(cls, name: str, cost: ToolCost) -> "BuildStep":
        """A step that was one run of a tool."""
        return cls(name, cost.seconds, cost.peak_bytes)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A build as far as its toolchain is run here.

    Attributes:
        board, toolchain: names.
        seed: of placement.
        usage: kinds of cells; none if nothing was synthesized.
        clocks: `sync` first; none if nothing was routed.
        steps: in their order.
        bitstream: the file for the board; `None` if there is none yet.
        files: all that is worth keeping.
    """

    board: str
    toolchain: str
    seed: int
    usage: tuple[Usage, ...]
    clocks: tuple[ClockResult, ...]
    steps: tuple[BuildStep, ...]
    bitstream: Path | None
    files: tuple[Path, ...]

    @property
    def seconds(self) -> float:
        """All steps together."""
        return sum(step.seconds for step in self.steps)

    def values(self) -> dict[str, Any]:
        """Plain values for JSON; `fmax_mhz` and `clock_mhz` are the accelerator's."""
        sync = self.clocks[0] if self.clocks else None
        return {
            "board": self.board,
            "toolchain": self.toolchain,
            "seed": self.seed,
            "fmax_mhz": None if sync is None else round(sync.fmax_mhz, 3),
            "clock_mhz": None if sync is None else _rounded(sync.clock_mhz),
            "clocks": [_clock(clock) for clock in self.clocks],
            **{usage.key: usage.used for usage in self.usage},
            "available": {usage.key: usage.available for usage in self.usage},
            "seconds": round(self.seconds, 1),
            "steps": [
                {"step": step.name, "seconds": round(step.seconds, 1), "peak_bytes": step.peak_bytes}
                for step in self.steps
            ],
            "bitstream": None if self.bitstream is None else str(self.bitstream),
            "files": [str(file) for file in self.files],
        }


def _clock(clock: ClockResult) -> dict[str, Any]:
    path = clock.critical_path
    return {
        "domain": clock.domain,
        "fmax_mhz": round(clock.fmax_mhz, 3),
        "clock_mhz": _rounded(clock.clock_mhz),
        "critical_path": list(path.components),
        "path_nanoseconds": round(path.nanoseconds, 3),
        "routing_nanoseconds": round(path.routing_nanoseconds, 3),
    }


def _rounded(megahertz: float | None) -> float | None:
    return None if megahertz is None else round(megahertz, 6)
