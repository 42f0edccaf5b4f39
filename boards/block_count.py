"""How many multipliers and block RAMs a design takes, from its configuration alone: exact, and in no time.

LUTs are another matter (`lut_estimate.py`): what they come to is decided by mapping.
"""

from dataclasses import dataclass

from celosia.generators.chassis.area import Memory, block_rams
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import family_of
from celosia.hdl.axi_sdram import REQUEST_BEATS
from celosia.hdl.sdram_transfer import BEAT_BITS

from .board import BlockRamMemory, Board
from .part import Part, missing_cells

_LINK_MEMORY = (4096, 9)


@dataclass(frozen=True, slots=True)
class Blocks:
    """MULT18X18D and DP16KD on ECP5, as many DSP48E1 and RAMB18E1 (or halves of RAMB36E1) on the 7 series."""

    multipliers: int
    block_rams: int


def accelerator_blocks(config: EngineConfig) -> Blocks:
    """What the accelerator alone takes."""
    area = family_of(config).area(config)
    return Blocks(area.multipliers, area.block_rams)


def board_blocks(board: Board) -> Blocks:
    """What a board's design takes beside the accelerator: link and memory."""
    memories = [Memory(*_LINK_MEMORY)]
    if isinstance(board.memory, BlockRamMemory):
        memories.append(Memory(8 * board.memory.size // BEAT_BITS, BEAT_BITS))
    else:
        queue = 4 * REQUEST_BEATS
        memories += [Memory(queue, BEAT_BITS), Memory(queue, BEAT_BITS + BEAT_BITS // 8)]
    return Blocks(0, block_rams(memories))


def design_blocks(board: Board, config: EngineConfig) -> Blocks:
    """The whole design."""
    accelerator, rest = accelerator_blocks(config), board_blocks(board)
    return Blocks(accelerator.multipliers + rest.multipliers, accelerator.block_rams + rest.block_rams)


def shortfall(part: Part, blocks: Blocks, luts: int = 0) -> tuple[str, ...]:
    """What the part has too few of, by how many: nothing if all fit."""
    return missing_cells(part, multipliers=blocks.multipliers, block_rams=blocks.block_rams, luts=luts)
