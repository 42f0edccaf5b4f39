"""What the parts in this folder must know of a family's configuration."""

from abc import abstractmethod

from ..command import CommandLayout
from ..configuration import EngineConfig
from ..fixed_point import SUM_BITS
from ..placement import BRICK_CHANNELS


class TileConfig(EngineConfig):
    """A configuration whose COMPUTE fills accumulator tiles.

    Attributes:
        lanes: results that ACTIVATE requantizes in a cycle, at most `core_outputs`.
        parameter_beats: 64-bit beats of the parameter store.
    """

    __slots__ = ()

    lanes: int
    parameter_beats: int

    @property
    @abstractmethod
    def cores(self) -> int:
        """Groups of output channels that a tile has for each pixel group."""

    @property
    @abstractmethod
    def core_outputs(self) -> int:
        """Output channels of each group, 4 or 8."""

    @property
    @abstractmethod
    def tile_pixels(self) -> int:
        """Pixel groups that one accumulator half holds."""

    @property
    @abstractmethod
    def has_softmax(self) -> bool:
        """ACTIVATE computes SOFTMAX."""

    @property
    @abstractmethod
    def compute(self) -> CommandLayout:
        """Command words of COMPUTE."""

    @property
    @abstractmethod
    def activate(self) -> CommandLayout:
        """Command words of ACTIVATE."""

    @property
    def splits_int16(self) -> bool:
        """COMPUTE takes operands of 16 bits, too, a byte at a time; see `planes`."""
        return False

    @property
    def can_pause(self) -> bool:
        """COMPUTE's reads of a step may pause, as its loader of weights says."""
        return False

    @property
    def sum_bits(self) -> int:
        """Bits of an accumulator."""
        return 32 if self.element_bits == 8 else SUM_BITS

    @property
    def brick_pieces(self) -> int:
        """Pieces of eight channels in a brick of the unified buffer, a power of two."""
        return self.brick_channels // BRICK_CHANNELS

    @property
    def blocks_per_brick(self) -> int:
        """Output blocks of `core_outputs` channels in a brick."""
        return self.brick_channels // self.core_outputs


class StoredWeightsConfig(TileConfig):
    """A configuration whose weights lie in a store that WEIGHTS fills, a ring, and that COMPUTE reads by address."""

    __slots__ = ()

    @property
    @abstractmethod
    def weight_words(self) -> int:
        """Words of the weight store."""

    @property
    @abstractmethod
    def weight_word_bytes(self) -> int:
        """Bytes that COMPUTE reads of it in a cycle, a multiple of 8."""


def tile_bits(config: TileConfig) -> int:
    """Bits of the command fields that count a tile's rows or groups."""
    return config.tile_pixels.bit_length()


def core_bits(config: TileConfig) -> int:
    """Bits of a count of cores."""
    return max(5, config.cores.bit_length())


def block_part_bits(config: TileConfig) -> int:
    """Bits that tell the output blocks of a brick apart; one even if there is only one."""
    return max(1, (config.blocks_per_brick - 1).bit_length())
