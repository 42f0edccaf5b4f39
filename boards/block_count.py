"""How many multipliers and block RAMs a design takes, from its configuration alone: exact, and in no time.

LUTs are another matter (`lut_estimate.py`): what they come to is decided by mapping.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from celosia.generators.chassis.counters import COUNTER_WORDS
from celosia.generators.chassis.register_map import REGISTER_BITS
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.isa import SOFTMAX_CHANNELS
from celosia.generators.mac_engine.weight_decoder import decoder_beats
from celosia.generators.mac_engine.weight_store import weight_memories
from celosia.hdl.axi_sdram import REQUEST_BEATS
from celosia.hdl.sdram_transfer import BEAT_BITS
from celosia.hdl.stream_queue import LARGEST_LUT_RAM

from .board import BlockRamMemory, Board
from .part import Part, missing_cells

_ASPECTS = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Rows and bits of a block of 18 kbit: ECP5's DP16KD, the 7 series' RAMB18E1; a RAMB36E1 is as good as two."""
_DUAL_ASPECTS = _ASPECTS[1:]
"""With two ports that read or write."""
_LINK_MEMORY = (4096, 9)
_BANKS = 8
_REQUANTIZER_MULTIPLIERS = 4
"""A product of 32 x 32 bits."""


@dataclass(frozen=True, slots=True)
class Memory:
    """`count` memories of `depth` rows of `width` bits in block RAM; `is_dual`: both ports read or write."""

    depth: int
    width: int
    count: int = 1
    is_dual: bool = False

    @property
    def blocks(self) -> int:
        """Blocks of 18 kbit for all of them."""
        aspects = _DUAL_ASPECTS if self.is_dual else _ASPECTS
        return self.count * min(-(-self.depth // rows) * -(-self.width // bits) for rows, bits in aspects)


@dataclass(frozen=True, slots=True)
class Blocks:
    """MULT18X18D and DP16KD on ECP5, as many DSP48E1 and RAMB18E1 (or halves of RAMB36E1) on the 7 series."""

    multipliers: int
    block_rams: int


def accelerator_memories(config: MacEngineConfig) -> Iterator[Memory]:
    """The accelerator's memories in block RAM; all smaller ones are LUT RAM."""
    in_flight = max(config.burst_beats * max(2, config.outstanding_reads), 2 * LARGEST_LUT_RAM)
    yield Memory(config.buffer_bricks // _BANKS, 64, _BANKS)
    for depth in weight_memories(config.weight_words):
        yield Memory(depth, 128)
    yield Memory(config.parameter_beats, 64)
    yield Memory(SOFTMAX_CHANNELS // config.lanes, 8 * config.lanes)
    yield Memory(128, 64)  # exponentials
    yield Memory(32, 64, config.lanes)  # activation tables
    yield Memory(512, 32, config.core_outputs // 2, is_dual=True)  # operand tables
    yield Memory(config.profile_entries * COUNTER_WORDS, REGISTER_BITS)
    yield Memory(2 * LARGEST_LUT_RAM, 64)  # fetch
    yield Memory(1 << (in_flight - 1).bit_length(), 64)  # LOAD
    yield Memory(max(4 * config.burst_beats, 2 * LARGEST_LUT_RAM), 72)  # STORE
    yield Memory(decoder_beats(config), 64)


def accelerator_blocks(config: MacEngineConfig) -> Blocks:
    """What the accelerator alone takes."""
    multipliers = config.macs + config.core_outputs + _REQUANTIZER_MULTIPLIERS * config.lanes
    return Blocks(multipliers, sum(memory.blocks for memory in accelerator_memories(config)))


def board_blocks(board: Board) -> Blocks:
    """What a board's design takes beside the accelerator: link and memory."""
    memories = [Memory(*_LINK_MEMORY)]
    if isinstance(board.memory, BlockRamMemory):
        memories.append(Memory(8 * board.memory.size // BEAT_BITS, BEAT_BITS))
    else:
        queue = 4 * REQUEST_BEATS
        memories += [Memory(queue, BEAT_BITS), Memory(queue, BEAT_BITS + BEAT_BITS // 8)]
    return Blocks(0, sum(memory.blocks for memory in memories))


def design_blocks(board: Board, config: MacEngineConfig) -> Blocks:
    """The whole design."""
    accelerator, rest = accelerator_blocks(config), board_blocks(board)
    return Blocks(accelerator.multipliers + rest.multipliers, accelerator.block_rams + rest.block_rams)


def shortfall(part: Part, blocks: Blocks, luts: int = 0) -> tuple[str, ...]:
    """What the part has too few of, by how many: nothing if all fit."""
    return missing_cells(part, multipliers=blocks.multipliers, block_rams=blocks.block_rams, luts=luts)
