"""From an accelerator and a board to a bitstream or a vendor's project: the one place that knows all flows."""

from collections.abc import Callable
from pathlib import Path

from .board import Toolchain
from .build_job import BuildJob, Progress, no_progress
from .build_result import BuildResult
from .ecp5_build import build_ecp5
from .vivado_build import build_vivado

_FLOWS: dict[Toolchain, Callable[[BuildJob, Path, Progress], BuildResult]] = {
    Toolchain.TRELLIS: build_ecp5,
    Toolchain.VIVADO: build_vivado,
}


def build(job: BuildJob, folder: Path, progress: Progress = no_progress) -> BuildResult:
    """Build `job` in `folder`, which is made if need be; what an earlier build left there is replaced.

    Raises:
        FitError: the device is too small, by how much of what.
        BuildError: a tool is missing or failed, or the clock is not reached.
        ValueError: the board cannot have the clock.
        VerilogError: Yosys failed while writing Verilog.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return _FLOWS[job.board.toolchain](job, folder.resolve(), progress)
