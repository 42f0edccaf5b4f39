"""`celosia build`: from a configuration to a board's bitstream."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from celosia.boards.board import BOARDS, Board
from celosia.boards.build_result import BuildResult
from celosia.boards.fit_estimate import FitEstimate, estimate_fit, require_board_fit
from celosia.generators.chassis.configuration import EngineConfig

from ..board_build import BoardProgram, board_called, build_for_board, compile_for_board, save_board_program
from ..device_spec import DeviceSpecError, configuration
from ..output_folder import require_output_folder
from .options import AsJson, ConfigFile, Preset, Settings, described_by
from .terminal import output, print_json, print_line, progress_bars, table

_DEFAULT_PRESET = "u55-64"
_MHZ = 1_000_000
_MIB = 1 << 20

_Board = Annotated[
    str, typer.Argument(metavar="BOARD", help=f"One of {', '.join(BOARDS)}.", show_default=False)
]
_Directory = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Where the files go; made if need be. Needed without --fit.",
        show_default=False,
    ),
]
_Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Compile this .tflite file for the board, too, into DIR.",
        show_default=False,
    ),
]
_Clock = Annotated[
    float | None,
    typer.Option(
        "--clock",
        metavar="MHZ",
        help="The engine's clock; missing it is an error. Without it: the fastest that is reached.",
        show_default=False,
    ),
]
_Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of placement.")]
_Fit = Annotated[bool, typer.Option("--fit", help="Build nothing: estimate area and clock.")]


def chosen(
    preset: Preset = _DEFAULT_PRESET, settings: Settings = None, config: ConfigFile = None
) -> tuple[str, EngineConfig]:
    """The preset's name, and the configuration that the options make of it.

    Raises:
        DeviceSpecError: as `configuration`.
    """
    return preset, configuration(preset, settings or (), config)


@described_by(chosen)
def build_command(
    board: _Board,
    spec: tuple[str, EngineConfig],
    model: _Model = None,
    clock: _Clock = None,
    seed: _Seed = 1,
    fit: _Fit = False,
    directory: _Directory = None,
    as_json: AsJson = False,
) -> None:
    """Build an engine for an FPGA board: Verilog, constraints, scripts, manifest, and where the toolchain runs here the
    bitstream, with area, clocks, and what each step took.

    Example: celosia build ulx3s_85f --preset u55-64 --model model.tflite -o build/
    """
    target = board_called(board)
    preset, config = spec
    about = {"board": target.name, "preset": preset, "configuration": f"{config.hash:016x}"}
    if fit:
        _print_estimate(target, config, about, as_json)
        require_board_fit(target, config)
        return
    if directory is None:
        raise DeviceSpecError("the folder for the files is missing: add -o DIR, or --fit for an estimate")
    require_output_folder(directory)
    require_board_fit(target, config)
    frequency = None if clock is None else _hertz(clock)
    with progress_bars() as progress:
        program = None
        if model is not None:
            compiled = compile_for_board(target, config, model, clock=frequency, progress=progress)
            program = save_board_program(compiled, model, directory)
        result = build_for_board(
            target,
            config,
            directory,
            clock=frequency,
            seed=seed,
            companions=() if program is None else (program.file,),
            progress=progress,
        )
    if as_json:
        print_json({**about, **result.values(), "program": _program(program)})
        return
    _print_result(output(), target, result, program, f"{preset}, configuration {config.hash:016x}")


def _hertz(megahertz: float) -> int:
    if not 0 < megahertz < 1000:
        raise DeviceSpecError(f"--clock must be above 0 and below 1000 MHz, not {megahertz:g}")
    return round(megahertz * _MHZ)


def _program(program: BoardProgram | None) -> dict[str, Any] | None:
    return None if program is None else {"file": str(program.file), "memory_bytes": program.memory_bytes}


def _print_estimate(board: Board, config: EngineConfig, about: dict[str, str], as_json: bool) -> None:
    estimate = estimate_fit(board, config)
    if as_json:
        print_json({**about, **estimate.values()})
        return
    console, cells = output(), board.part.cells
    exact = f"{cells.multipliers} and {cells.block_rams} exactly"
    print_line(console, f"{board.name} with {about['preset']}, estimated ({exact})")
    _print_usage(console, estimate)
    print_line(console, f"clock: about {estimate.fmax_mhz:.0f} MHz")


def _print_usage(console: Console, source: FitEstimate | BuildResult) -> None:
    listing = table(("cells", "used", "available", "%"), left=("cells",))
    for usage in source.usage:
        share = 100 * usage.used / usage.available
        listing.add_row(usage.name, f"{usage.used:,}", f"{usage.available:,}", f"{share:.0f}")
    console.print(listing)


def _print_result(
    console: Console, board: Board, result: BuildResult, program: BoardProgram | None, config: str
) -> None:
    print_line(console, f"{board.name} ({board.title}) with {config}, seed {result.seed}")
    if result.usage:
        _print_usage(console, result)
    if result.clocks:
        clocks = table(("clock", "Fmax MHz", "gets MHz", "critical path"), left=("clock", "critical path"))
        for clock in result.clocks:
            path = clock.critical_path
            clocks.add_row(
                clock.domain,
                f"{clock.fmax_mhz:.2f}",
                "" if clock.clock_mhz is None else f"{clock.clock_mhz:.2f}",
                f"{path.components[0]} to {path.components[-1]}, {path.nanoseconds:.1f} ns, "
                f"{path.routing_nanoseconds:.1f} of them wires",
            )
        console.print(clocks)
    steps = table(("step", "seconds", "MiB at most"), left=("step",))
    for step in result.steps:
        memory = "" if step.peak_bytes is None else f"{step.peak_bytes / _MIB:,.0f}"
        steps.add_row(step.name, f"{step.seconds:,.1f}", memory)
    steps.add_row("all", f"{result.seconds:,.1f}", "")
    console.print(steps)
    if program is not None:
        print_line(console, f"program: {program.file}, {program.memory_bytes:,} bytes of the board's memory")
    if result.bitstream is not None:
        print_line(console, f"bitstream: {result.bitstream} ({result.bitstream.stat().st_size:,} bytes)")
    else:
        print_line(console, f"files: {', '.join(file.name for file in result.files)}")
