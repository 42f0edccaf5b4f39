"""What an engine takes of an FPGA, told from its configuration alone."""

from collections.abc import Iterable
from dataclasses import dataclass

_ASPECTS = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Rows and bits of a block of 18 kbit: ECP5's DP16KD, the 7 series' RAMB18E1; a RAMB36E1 is as good as two."""
_DUAL_ASPECTS = _ASPECTS[1:]
"""With two ports that read or write."""


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
class Area:
    """What an engine takes.

    Attributes:
        luts: LUT4 on ECP5, estimated; the link and SDRAM of a board included.
        multipliers: MULT18X18D on ECP5, DSP48E1 on the 7 series, exactly.
        memories: in block RAM, exactly; all smaller ones are LUT RAM.
        fmax_mhz: clock on ECP5 at speed grade 6, a guide and no promise.
    """

    luts: float
    multipliers: int
    memories: tuple[Memory, ...]
    fmax_mhz: float

    @property
    def block_rams(self) -> int:
        """DP16KD on ECP5; RAMB18E1, or halves of RAMB36E1, on the 7 series."""
        return block_rams(self.memories)


def block_rams(memories: Iterable[Memory]) -> int:
    """Blocks of 18 kbit that the memories take."""
    return sum(memory.blocks for memory in memories)
