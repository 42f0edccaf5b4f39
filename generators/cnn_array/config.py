"""What can be chosen about a CNN array, validated, with the named presets."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..chassis.command import CommandLayout
from ..chassis.configuration import EngineConfig, require, require_power_of_two
from ..chassis.fixed_point import ELEMENT_BYTES
from ..chassis.tiles.tile_config import StoredWeightsConfig
from .isa import ACTIVATE, COMPUTE

_BUFFER_BANKS = 8
_SIDES = (8, 16, 32, 64)
_LARGEST_BUFFER_WORDS = 1 << 16
_MOST_BEATS = 1 << 16
"""An address in the kernel buffers has 16 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CnnArrayConfig(StoredWeightsConfig):
    """One generated CNN array: what is chosen besides the chassis.

    Attributes:
        operand_bits: 8 for TFLite's int8; 16 or 18 for fixed-point numbers, with accumulators of 48 bits.
        rows: R, output channels that the array computes at once: 8, 16, 32 or 64.
        columns: C, pixels that it computes at once, and channels in a word of the unified buffer: 8, 16, 32 or 64.
        registers: partial sums that a unit has in each of two halves, a power of two in 2..64.
        kernel_kib: kernel buffers of all rows, in KiB: a power of two, at most 65536 beats of 64 bits.
        buffer_kib: unified buffer for activations, in KiB; at most 65536 words of C operands.
        lanes: results that the output stage requantizes in a cycle: 8.
        parameter_beats: depth of the parameter store in 64-bit beats, a power of two in 64..4096.
    """

    family: ClassVar[str] = "cnn_array"
    family_id: ClassVar[int] = 3
    isa_version: ClassVar[int] = 3

    operand_bits: int = 8
    rows: int = 8
    columns: int = 8
    registers: int = 16
    kernel_kib: int = 32
    lanes: int = 8
    parameter_beats: int = 512

    def __post_init__(self) -> None:
        EngineConfig.__post_init__(self)
        require_power_of_two("registers", self.registers, 2, 64)
        require_power_of_two(
            "kernel_kib",
            self.kernel_kib,
            2 * self.peak_macs * self.element_bytes // 1024 or 1,
            _MOST_BEATS * 8 // 1024,
        )
        require_power_of_two("parameter_beats", self.parameter_beats, 64, 4096)
        require(self.lanes == 8, "lanes", "must be 8", self.lanes)

    def _check_buffer(self) -> None:
        require(self.operand_bits in ELEMENT_BYTES, "operand_bits", "must be 8, 16 or 18", self.operand_bits)
        for name in ("rows", "columns"):  # whose sizes the memories have
            require(getattr(self, name) in _SIDES, name, "must be 8, 16, 32 or 64", getattr(self, name))
        least = max(1, 2 * _BUFFER_BANKS * self.brick_bytes // 1024)
        most = self.brick_bytes * _LARGEST_BUFFER_WORDS // 1024
        require(
            least <= self.buffer_kib <= most,
            "buffer_kib",
            f"must be in {least}..{most} for {self.columns} columns",
            self.buffer_kib,
        )

    @property
    def title(self) -> str:
        """Family and size, for people."""
        numbers = "" if self.operand_bits == 8 else f" of {self.operand_bits} bit fixed point"
        return f"CNN array of {self.rows} x {self.columns} functional units{numbers}"

    @property
    def peak_macs(self) -> int:
        """One in each unit."""
        return self.rows * self.columns

    @property
    def element_bits(self) -> int:
        """As wide as the multipliers."""
        return self.operand_bits

    @property
    def brick_channels(self) -> int:
        """A brick lasts a column as many cycles as bricks come for the others."""
        return self.columns

    @property
    def cores(self) -> int:
        """Eight rows each."""
        return self.rows // self.core_outputs

    @property
    def core_outputs(self) -> int:
        """Rows whose partial sums ACTIVATE reads in a cycle."""
        return 8

    @property
    def tile_pixels(self) -> int:
        """Pixels of an accumulator tile: pixel k is in register k // C of column k % C."""
        return self.registers * self.columns

    @property
    def has_softmax(self) -> bool:
        """SOFTMAX runs on the host."""
        return False

    @property
    def compute(self) -> CommandLayout:
        """Command words of COMPUTE."""
        return COMPUTE

    @property
    def activate(self) -> CommandLayout:
        """Command words of ACTIVATE."""
        return ACTIVATE

    @property
    def weight_words(self) -> int:
        """Words of R weights in the kernel buffers."""
        return self.kernel_kib * 1024 // self.weight_word_bytes

    @property
    def weight_word_bytes(self) -> int:
        """An operand for each row."""
        return self.rows * self.element_bytes

    @property
    def on_chip_bytes(self) -> int:
        """Unified buffer + kernel buffers + both halves of the units' registers and of the vector tiles."""
        sums = 2 * self.tile_pixels * (self.rows + self.core_outputs) * self.sum_bits // 8
        return self.buffer_kib * 1024 + self.kernel_kib * 1024 + sums


_SMALL = CnnArrayConfig()
_SMALL_FIXED_16 = replace(_SMALL, operand_bits=16, kernel_kib=128, buffer_kib=256)
PRESETS: dict[str, CnnArrayConfig] = {
    "catapult-8x8": _SMALL,
    "catapult-8x8-fixed16": _SMALL_FIXED_16,
    "catapult-16x16": replace(_SMALL, rows=16, columns=16, kernel_kib=64),
    "catapult-16x16-fixed16": replace(_SMALL_FIXED_16, rows=16, columns=16, kernel_kib=256),
}
