"""What can be chosen about a MAC engine, validated, with the named presets."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..chassis.command import CommandLayout
from ..chassis.configuration import EngineConfig, require
from ..chassis.tiles.tile_config import StoredWeightsConfig
from .isa import ACTIVATE, COMPUTE, TILE_PIXELS, WEIGHT_WORD_BYTES

_MAX_BUFFER_KIB = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class MacEngineConfig(StoredWeightsConfig):
    """One generated MAC engine: what is chosen besides the chassis.

    Attributes:
        macs: int8 multiply-accumulates a cycle: 32, or 64 times a power of two up to 1024.
        weight_kib: weight store, in KiB; a multiple of 1 in 4..128.
        lanes: results that the output stage requantizes in a cycle: 4 or 8.
        buffer_kib: unified buffer for activations, in KiB; a multiple of 4 in 4..256.
        parameter_beats: depth of the parameter store in 64-bit beats (9 beats serve 8 channels).
    """

    family: ClassVar[str] = "mac_engine"
    family_id: ClassVar[int] = 1
    isa_version: ClassVar[int] = 4

    macs: int = 128
    weight_kib: int = 24
    lanes: int = 4
    parameter_beats: int = 512

    def __post_init__(self) -> None:
        EngineConfig.__post_init__(self)
        require(
            self.macs == 32 or (self.macs in {64 << n for n in range(5)}),
            "macs",
            "must be 32, 64, 128, 256, 512 or 1024",
            self.macs,
        )
        require(4 <= self.weight_kib <= 128, "weight_kib", "must be in 4..128", self.weight_kib)
        require(self.lanes in (4, 8), "lanes", "must be 4 or 8", self.lanes)
        require(
            self.lanes <= self.core_outputs,
            "lanes",
            f"must be at most the {self.core_outputs} output channels of a core",
            self.lanes,
        )
        require(
            64 <= self.parameter_beats <= 4096, "parameter_beats", "must be in 64..4096", self.parameter_beats
        )

    def _check_buffer(self) -> None:
        require(
            self.buffer_kib % 4 == 0 and 4 <= self.buffer_kib <= _MAX_BUFFER_KIB,
            "buffer_kib",
            f"must be a multiple of 4 in 4..{_MAX_BUFFER_KIB}",
            self.buffer_kib,
        )

    @property
    def title(self) -> str:
        """Family and size, for people."""
        return f"MAC engine with {self.macs} multipliers"

    @property
    def peak_macs(self) -> int:
        """All multipliers of all cores."""
        return self.macs

    @property
    def core_outputs(self) -> int:
        """Output channels that one core computes for a pixel in a cycle."""
        return 4 if self.macs == 32 else 8

    @property
    def cores(self) -> int:
        """Dot-product cores, each `core_outputs` x 8 multipliers."""
        return max(1, self.macs // 64)

    @property
    def max_pixel_cores(self) -> int:
        """Cores that may take neighbouring pixels: a window of eight bricks feeds them."""
        return min(self.cores, 8)

    @property
    def weight_words(self) -> int:
        """128-bit words in the weight store."""
        return self.weight_kib * 64

    @property
    def weight_word_bytes(self) -> int:
        """Bytes of such a word."""
        return WEIGHT_WORD_BYTES

    @property
    def block_words(self) -> int:
        """128-bit words of one core's weights for one reduction step (core_outputs x 8 bytes)."""
        return self.core_outputs // 2

    @property
    def tile_pixels(self) -> int:
        """Pixel groups that one accumulator half holds."""
        return TILE_PIXELS

    @property
    def has_softmax(self) -> bool:
        """ACTIVATE computes SOFTMAX."""
        return True

    @property
    def compute(self) -> CommandLayout:
        """Command words of COMPUTE."""
        return COMPUTE

    @property
    def activate(self) -> CommandLayout:
        """Command words of ACTIVATE."""
        return ACTIVATE

    @property
    def on_chip_bytes(self) -> int:
        """Unified buffer + weight store + both halves of the accumulators."""
        accumulators = 2 * 16 * self.core_outputs * 4 * self.cores
        return self.buffer_kib * 1024 + self.weight_kib * 1024 + accumulators


_BASE = MacEngineConfig()
PRESETS: dict[str, MacEngineConfig] = {
    "u55-32": replace(_BASE, macs=32),
    "u55-64": replace(_BASE, macs=64),
    "u55-128": replace(_BASE, macs=128),
    "u55-256": replace(_BASE, macs=256, buffer_kib=256, lanes=8),
}
