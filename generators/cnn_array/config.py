"""What can be chosen about a CNN array, validated, with the named presets."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..chassis.command import CommandLayout
from ..chassis.configuration import EngineConfig, require, require_power_of_two
from ..chassis.fixed_point import ELEMENT_BYTES
from ..chassis.tiles.tile_config import StoredWeightsConfig
from .isa import ACTIVATE, COMPUTE, COMPUTE_IN_ROUNDS

_BUFFER_BANKS = 8
_SIDES = (8, 16, 32, 64)
_LARGEST_BUFFER_WORDS = 1 << 16
_MOST_BEATS = 1 << 16
"""An address in the kernel buffers has 16 bits."""
_AXES = ("rows", "columns")
_FEWEST_PIXELS, _MOST_PIXELS = 4, 64
_PORT_BITS = (64, 128, 256, 512)
_BOUNDARY_BYTES = 4096
_MOST_PACKED_CHANNELS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CnnArrayConfig(StoredWeightsConfig):
    """One generated CNN array: what is chosen besides the chassis.

    Attributes:
        operand_bits: 8 for TFLite's int8; 16 or 18 for fixed-point numbers, with accumulators of 48 bits.
        rows: functional units of a column: 8, 16, 32 or 64 if output channels lie on the rows, 4..64 if pixels do.
        columns: functional units of a row, likewise.
        channel_axis: where the output channels lie that the array computes at once, rows or columns. On the other axis
            are pixels; a word of the unified buffer has as many channels as these, rounded up to a power of two.
        turns: words of weights that a lane of a brick meets one after the other, for as many output channels: 1 or 2.
        taps: kernel columns over an image of few channels that share a step: 1..4.
        registers: partial sums that a unit has in each of two halves, a power of two in 2..64.
        kernel_kib: kernel buffers of all channels, in KiB: a power of two, at most 65536 beats of the memory port.
        buffer_kib: unified buffer for activations, in KiB; at most 65536 words.
        data_bits: width of the AXI memory port: 64, 128, 256 or 512, at most a word of the unified buffer and one of
            weights; a burst has at most 4 KiB.
        lanes: results that the output stage requantizes in a cycle: 8.
        parameter_beats: depth of the parameter store in 64-bit beats, a power of two in 64..4096.
    """

    family: ClassVar[str] = "cnn_array"
    family_id: ClassVar[int] = 3
    isa_version: ClassVar[int] = 4

    operand_bits: int = 8
    rows: int = 8
    columns: int = 8
    channel_axis: str = "rows"
    turns: int = 1
    taps: int = 1
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
            2 * self.brick_channels * self.turns * self.weight_word_bytes // 1024 or 1,
            _MOST_BEATS * self.data_bits // 8 // 1024,
        )
        require_power_of_two("parameter_beats", self.parameter_beats, 64, 4096)
        require(self.lanes == 8, "lanes", "must be 8", self.lanes)

    def _check_buffer(self) -> None:
        require(self.operand_bits in ELEMENT_BYTES, "operand_bits", "must be 8, 16 or 18", self.operand_bits)
        require(self.channel_axis in _AXES, "channel_axis", "must be rows or columns", self.channel_axis)
        pixel_axis = next(axis for axis in _AXES if axis != self.channel_axis)
        channels, pixels = getattr(self, self.channel_axis), getattr(self, pixel_axis)
        require(channels in _SIDES, self.channel_axis, "must be 8, 16, 32 or 64", channels)
        bounds = f"must be in {_FEWEST_PIXELS}..{_MOST_PIXELS}"
        require(_FEWEST_PIXELS <= pixels <= _MOST_PIXELS, pixel_axis, bounds, pixels)
        require(self.turns in (1, 2), "turns", "must be 1 or 2", self.turns)
        require(1 <= self.taps <= 4, "taps", "must be in 1..4", self.taps)
        least = max(1, 2 * _BUFFER_BANKS * self.brick_bytes // 1024)
        most = self.brick_bytes * _LARGEST_BUFFER_WORDS // 1024
        require(
            least <= self.buffer_kib <= most,
            "buffer_kib",
            f"must be in {least}..{most} for words of {self.brick_channels} channels",
            self.buffer_kib,
        )

    def _check_port(self) -> None:
        widest = 8 * min(self.brick_bytes, self.weight_word_bytes)
        require(
            self.data_bits in _PORT_BITS and self.data_bits <= widest,
            "data_bits",
            f"must be 64, 128, 256 or 512, and at most the {widest} bits of a word of operands or weights",
            self.data_bits,
        )
        most = _BOUNDARY_BYTES * 8 // self.data_bits
        rule = f"must be at most {most} with {self.data_bits} data_bits"
        require(self.burst_beats <= most, "burst_beats", rule, self.burst_beats)

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
    def channel_units(self) -> int:
        """Output channels at once."""
        return self.rows if self.channel_axis == "rows" else self.columns

    @property
    def pixel_units(self) -> int:
        """Pixels at once."""
        return self.columns if self.channel_axis == "rows" else self.rows

    @property
    def has_rounds(self) -> bool:
        """Commands say how long a brick lasts its pixel; else it is as many cycles as there are pixels and lanes."""
        return self.pixel_units != self.brick_channels or self.turns > 1 or self.taps > 1

    @property
    def can_pause(self) -> bool:
        """A brick may last longer than the bricks of the other pixels take to come."""
        return self.has_rounds

    @property
    def neighbour_channels(self) -> int:
        """Channels that each pixel has at most where several share a brick."""
        return min(_MOST_PACKED_CHANNELS, self.brick_channels // 2)

    @property
    def element_bits(self) -> int:
        """As wide as the multipliers."""
        return self.operand_bits

    @property
    def brick_channels(self) -> int:
        """A brick lasts its pixel at least as many cycles as bricks come for the others."""
        return max(8, 1 << (self.pixel_units - 1).bit_length())

    @property
    def cores(self) -> int:
        """Eight output channels each, of every turn."""
        return self.channel_units * self.turns // self.core_outputs

    @property
    def core_outputs(self) -> int:
        """Output channels whose partial sums ACTIVATE reads in a cycle."""
        return 8

    @property
    def tile_pixels(self) -> int:
        """Pixels of an accumulator tile: of P at once, pixel k is in register k // P of units k % P."""
        return self.registers // self.turns * self.pixel_units

    @property
    def has_softmax(self) -> bool:
        """SOFTMAX runs on the host."""
        return False

    @property
    def compute(self) -> CommandLayout:
        """Command words of COMPUTE."""
        return COMPUTE_IN_ROUNDS if self.has_rounds else COMPUTE

    @property
    def activate(self) -> CommandLayout:
        """Command words of ACTIVATE."""
        return ACTIVATE

    @property
    def weight_words(self) -> int:
        """Words of weights in the kernel buffers."""
        return self.kernel_kib * 1024 // self.weight_word_bytes

    @property
    def weight_word_bytes(self) -> int:
        """An operand for each output channel of a turn."""
        return self.channel_units * self.element_bytes

    @property
    def on_chip_bytes(self) -> int:
        """Unified buffer + kernel buffers + both halves of the units' registers and of the vector tiles."""
        units = self.registers * self.peak_macs + self.tile_pixels * self.core_outputs
        sums = 2 * units * self.sum_bits // 8
        return self.buffer_kib * 1024 + self.kernel_kib * 1024 + sums


_SMALL = CnnArrayConfig()
_SMALL_FIXED_16 = replace(_SMALL, operand_bits=16, kernel_kib=128, buffer_kib=256)
PRESETS: dict[str, CnnArrayConfig] = {
    "catapult-8x8": _SMALL,
    "catapult-8x8-fixed16": _SMALL_FIXED_16,
    "catapult-16x16": replace(_SMALL, rows=16, columns=16, kernel_kib=64),
    "catapult-16x16-fixed16": replace(_SMALL_FIXED_16, rows=16, columns=16, kernel_kib=256),
    "catapult-61x64": replace(
        _SMALL_FIXED_16,
        rows=61,
        columns=64,
        channel_axis="columns",
        turns=2,
        taps=4,
        registers=32,
        kernel_kib=1024,
        buffer_kib=2048,
        parameter_beats=4096,
        queue_depth=16,
        burst_beats=16,
        data_bits=512,
    ),
}
