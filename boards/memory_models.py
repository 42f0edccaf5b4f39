"""A board's memory as an accelerator on it sees it, for the compiler and the cycle model."""

from fractions import Fraction
from math import ceil

from celosia.generators.chassis.memory import MemoryModel
from celosia.hdl.sdram_transfer import BEAT_BITS

from .board import BlockRamMemory, Board
from .board_clocks import PllSettings, choose_clocks

NOMINAL_CLOCK = 80_000_000
"""Hz of an accelerator whose clock is not known yet."""

_SDRAM_BYTES = 2
"""A cycle of the SDRAM's clock, reads and writes together."""
_SDRAM_LATENCY = 23
"""Cycles of the SDRAM's clock from AR to R: 18 where the row is open, I/O registers 2, and 3 of crossing to it."""
_CROSSING_LATENCY = 3
"""Cycles of the accelerator's clock until a beat has crossed to it."""
_REFRESH_CYCLES = 18
"""Of the SDRAM's clock, that a stream loses with each REFRESH."""
_BLOCK_RAM_LATENCY = 4
"""Cycles from AR to R, the port shared with the link included."""
_LARGEST_DENOMINATOR = 1000


def memory_model(board: Board, clock: int = NOMINAL_CLOCK) -> MemoryModel:
    """The memory of `board` in cycles of an accelerator with the highest clock up to `clock` Hz.

    Raises:
        ValueError: there is no such clock.
    """
    return clocked_memory_model(board, choose_clocks(board, clock))


def clocked_memory_model(board: Board, clocks: PllSettings) -> MemoryModel:
    """The memory of `board` in cycles of an accelerator that the PLL gives these clocks.

    What opening rows and turning the bus round take is not in it: networks read long streams. How near that comes
    is measured by `benchmarks/board_cycles.py`.
    """
    memory = board.memory
    if isinstance(memory, BlockRamMemory):
        return MemoryModel(latency=_BLOCK_RAM_LATENCY, bytes_per_cycle=Fraction(BEAT_BITS // 8))
    accelerator, chip, *_ = clocks.frequencies
    ratio = chip / accelerator
    # The controller refreshes for the slowest clock of the board's list, whatever the clock is.
    interval = memory.timing.refresh_interval(memory.least_frequency)
    rate = _SDRAM_BYTES * ratio * (1 - Fraction(_REFRESH_CYCLES, interval))
    return MemoryModel(
        latency=ceil(_SDRAM_LATENCY / ratio) + _CROSSING_LATENCY,
        bytes_per_cycle=min(Fraction(BEAT_BITS // 8), rate).limit_denominator(_LARGEST_DENOMINATOR),
    )
