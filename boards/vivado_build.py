"""From a job to a folder that a user's own Vivado builds: nothing of Vivado runs here."""

import time
from dataclasses import replace
from pathlib import Path

from celosia.generators.generate import write_design
from celosia.generators.top import TOP_NAME
from celosia.generators.whole_file import write_whole
from celosia.hdl.xilinx_platform import XilinxPlatform

from .board_clocks import choose_clocks
from .build_files import MANIFEST_FILE, remove, write_manifest
from .build_job import BuildJob, Progress
from .build_result import BuildResult, BuildStep
from .vivado_project import ACCELERATOR_FILE, vivado_project
from .xilinx_pll import XilinxPllSettings

_GENERATION = "Verilog"
_MHZ = 1_000_000


def build_vivado(job: BuildJob, folder: Path, progress: Progress) -> BuildResult:
    """As `build.build`, for `Toolchain.VIVADO`: the project, without figures and bitstream."""
    clocks = project_clocks(job)
    start = time.monotonic()
    progress(_GENERATION, 0, 1)
    remove(folder, [MANIFEST_FILE])
    project = vivado_project(job.board, clocks, address_bits=job.design.address_bits)
    write_design(job.design, folder, XilinxPlatform())
    for name, text in project.files:
        write_whole(folder / name, text)
    progress(_GENERATION, 1, 1)
    names = (ACCELERATOR_FILE, f"{TOP_NAME}.json", f"{TOP_NAME}.h", *(name for name, _ in project.files))
    files = (*(folder / name for name in names), *job.companions)
    result = BuildResult(
        board=job.board.name,
        toolchain=job.board.toolchain.value,
        seed=job.seed,
        usage=(),
        clocks=(),
        steps=(BuildStep(_GENERATION, time.monotonic() - start, None),),
        bitstream=None,
        files=files,
    )
    about = {
        "configuration": dict(job.design.configuration),
        "configuration_hash": f"{job.design.configuration_hash:016x}",
        "asked_clock_mhz": float(clocks.frequencies[0] / _MHZ),
    }
    manifest = write_manifest(folder, {**about, **result.values()}, files)
    return replace(result, files=(*files, manifest))


def project_clocks(job: BuildJob) -> XilinxPllSettings:
    """What the MMCM makes: the job's clock, else the board's.

    Raises:
        ValueError: the board cannot have the clock.
        TypeError: the board has no Xilinx device.
    """
    frequency = job.clock or job.board.clock
    if frequency is None:
        raise ValueError(f"{job.board.name} has no clock of its own: ask for one")
    clocks = choose_clocks(job.board, frequency)
    if not isinstance(clocks, XilinxPllSettings):
        raise TypeError(f"board must have a Xilinx device, unlike {job.board.name}")
    return clocks
