"""How many LUT4 a design takes on ECP5, estimated from its configuration in no time: what its family says, and what the
board's memory makes of it.
"""

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import family_of

from .board import BlockRamMemory, Board
from .xilinx_part import XilinxPart

BLOCK_RAM_LUTS = -900.0
"""LUT4 of a block RAM in place of an SDRAM: not fitted, about what `AxiSdram` takes and `AxiBlockRam` does not."""
LUT6_SHARE = 0.65
"""LUT6 for each LUT4. Yosys 0.70 (`synth_xilinx -family xc7 -flatten`) took 17,553 for the engine of u55-32 alone:
16,567 of logic, four for each of 206 RAM32M, 162 SRL16E. A fifteenth more is a guess for link and memory."""


def estimated_luts(board: Board, config: EngineConfig) -> int:
    """LUTs of the whole design, link and memory included, on ECP5 within 15 % of what synthesis comes to.

    Of the wider LUTs of the 7 series it takes fewer, by a share that one engine was measured for.
    """
    luts = family_of(config).area(config).luts
    if has_block_ram(board):
        luts += BLOCK_RAM_LUTS
    return round(luts * LUT6_SHARE if isinstance(board.part, XilinxPart) else luts)


def has_block_ram(board: Board) -> bool:
    """Whether block RAM is in place of an SDRAM."""
    return isinstance(board.memory, BlockRamMemory)
