"""Builds for boards: a configuration, and a model if there is one, to everything that a user needs for the board."""

from dataclasses import dataclass
from pathlib import Path

from celosia.boards.board import Board, find_board
from celosia.boards.build_result import BuildResult
from celosia.boards.memory_models import NOMINAL_CLOCK, memory_model
from celosia.generators.chassis.configuration import EngineConfig
from celosia.sim import ToolError
from celosia.sim.verilator import Progress

from .device_spec import DeviceSpecError
from .program import Program
from .program_cache import compiled
from .program_file import save_program
from .runtime import program_memory_bytes


@dataclass(frozen=True, slots=True)
class BoardProgram:
    """A model for a board: its program file, and the bytes of the board's memory that it takes."""

    file: Path
    memory_bytes: int


def board_called(name: str) -> Board:
    """The board `name`.

    Raises:
        DeviceSpecError: there is none; the message lists those there are.
    """
    try:
        return find_board(name)
    except ValueError as error:
        raise DeviceSpecError(str(error)) from error


def compile_for_board(
    board: Board,
    config: EngineConfig,
    model: Path,
    *,
    clock: int | None = None,
    progress: Progress | None = None,
) -> Program:
    """`model` for an engine of `config` at about `clock` Hz with the memory of `board`.

    Raises:
        ModelError: the model cannot be used.
        DeviceSpecError: it does not fit the board's memory; the message says by how many bytes. Or the board cannot
            have that clock.
        CacheError: the cache of programs cannot be used.
    """
    try:
        memory = memory_model(board, clock or NOMINAL_CLOCK)
    except ValueError as error:
        raise DeviceSpecError(f"{board.name}: {error}") from error
    program = compiled(model, config, memory, progress=progress)
    needed, there = program_memory_bytes(program), board.memory.size
    if needed > there:
        raise DeviceSpecError(
            f"{model} needs {needed:,} bytes of memory, {needed - there:,} more than {board.name} has "
            f"({board.memory}): use a smaller model or a board with more memory"
        )
    return program


def save_board_program(program: Program, model: Path, directory: Path) -> BoardProgram:
    """Put `program` into `directory`, which is made if need be, as a file called like its model.

    Raises:
        OSError: the directory cannot be made or written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{model.stem}.celosia"
    save_program(program, file)
    return BoardProgram(file, program_memory_bytes(program))


def build_for_board(
    board: Board,
    config: EngineConfig,
    directory: Path,
    *,
    clock: int | None = None,
    seed: int = 1,
    companions: tuple[Path, ...] = (),
    progress: Progress | None = None,
) -> BuildResult:
    """The engine of `config` for `board`, in `directory`; see `boards.build`. `companions` are files that its manifest
    names, too.

    Raises:
        DeviceSpecError: the board cannot have that clock, in Hz.
        FitError: the board's device is too small.
        BuildError, ToolError: a tool is missing or failed, or the clock is not reached.
        OSError: the directory cannot be made or written.
    """
    # Imported here: the gateware takes a second to load.
    from celosia.boards.build import build
    from celosia.boards.build_job import BuildJob, no_progress
    from celosia.boards.fit_estimate import require_board_fit
    from celosia.generators.generate import engine_design
    from celosia.generators.verilog import VerilogError

    require_board_fit(board, config)
    job = BuildJob(board, engine_design(config), clock, seed, companions)
    try:
        return build(job, directory, progress or no_progress)
    except VerilogError as error:
        raise ToolError(f"Yosys cannot write the design's Verilog: {error}") from error
    except ValueError as error:
        raise DeviceSpecError(f"{board.name}: {error}") from error
