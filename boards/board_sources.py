"""A board's design as the tools take it: Verilog around the accelerator's, and the constraints of its pins."""

from dataclasses import dataclass

from amaranth.hdl import Elaboratable

from celosia.generators.verilog import verilog_from_rtlil
from celosia.hdl.sdram_transfer import BEAT_BITS

from .accelerator_instance import AcceleratorInstance
from .board import Board
from .board_clocks import PllSettings
from .board_top import BoardTop

BOARD_NAME = "board"
"""The top module."""


@dataclass(frozen=True, slots=True)
class BoardSources:
    """What is the board's; the module `celosia` is a text of its own.

    Attributes:
        verilog: the module `BOARD_NAME` and all in it but `celosia` and the device's cells.
        constraints: LPF: where each pin is, its I/O standard, the oscillator's frequency.
    """

    verilog: str
    constraints: str


def board_sources(board: Board, clocks: PllSettings, *, address_bits: int) -> BoardSources:
    """The sources, for a board with an ECP5, of an accelerator with a memory port of `address_bits`.

    The same text whenever they are made.

    Raises:
        BuildError: amaranth-boards is not installed.
        VerilogError: Yosys failed.
    """
    accelerator = AcceleratorInstance(address_bits, BEAT_BITS)
    top: Elaboratable = BoardTop(board, accelerator, address_bits=address_bits, clocks=clocks)
    files = board.platform().build(top, name=BOARD_NAME, do_build=False, emit_src=False).files
    verilog = verilog_from_rtlil(file_text(files[f"{BOARD_NAME}.il"]))
    return BoardSources(verilog, file_text(files[f"{BOARD_NAME}.lpf"]))


def file_text(file: str | bytes) -> str:
    """What a file of a platform's plan holds."""
    return file if isinstance(file, str) else file.decode()
