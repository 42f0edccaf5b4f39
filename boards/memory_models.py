"""A board's memory as the compiler and the cycle model take it."""

from fractions import Fraction

from celosia.generators.chassis.memory import MemoryModel
from celosia.hdl.sdram_transfer import BEAT_BITS

from .board import BlockRamMemory, Board

_SDRAM_BYTES = 2
"""A cycle of the SDRAM's clock, reads and writes together."""
_SDRAM_LATENCY = 23
"""Cycles of the SDRAM's clock from AR to R at the controller where another row is open, I/O registers included."""
_CROSSING_LATENCY = 8
"""Cycles of the accelerator's clock through the queues between the two clocks, there and back."""
_BLOCK_RAM_LATENCY = 4
"""Cycles from AR to R, the port shared with the link included."""
_NOMINAL_CLOCK = 80_000_000
"""Hz of an accelerator whose clock is not known yet."""


def memory_model(board: Board, clock: int = _NOMINAL_CLOCK) -> MemoryModel:
    """The memory of `board` in cycles of an accelerator at `clock` Hz.

    The bandwidth is the memory's own; what rows, refresh and turning the bus round take is not in it.
    """
    memory = board.memory
    if isinstance(memory, BlockRamMemory):
        return MemoryModel(latency=_BLOCK_RAM_LATENCY, bytes_per_cycle=Fraction(BEAT_BITS // 8))
    ratio = Fraction(memory.frequency, clock)
    return MemoryModel(
        latency=_CROSSING_LATENCY + round(_SDRAM_LATENCY / ratio),
        bytes_per_cycle=(_SDRAM_BYTES * ratio).limit_denominator(64),
    )
