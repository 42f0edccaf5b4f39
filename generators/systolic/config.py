"""What can be chosen about a systolic engine, validated, with the named presets."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..chassis.command import CommandLayout
from ..chassis.configuration import EngineConfig, require, require_power_of_two
from ..chassis.tiles.tile_config import TileConfig
from .isa import ACTIVATE, COMPUTE

_BUFFER_BANKS = 8

_SIDES = {1 << n for n in range(3, 10)}
_LARGEST_BUFFER_WORDS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SystolicConfig(TileConfig):
    """One generated systolic engine: what is chosen besides the chassis.

    Attributes:
        rows: R, input channels that the array takes in a cycle: a power of two in 8..512.
        columns: C, output channels that it gives in a cycle: a power of two in 8..512.
        accumulators: places of C sums in each of the two halves of the accumulator memory, a power of two in 16..8192.
        weight_tiles: T, tiles of R x C weights that the weight FIFO holds: a power of two in 2..64.
        buffer_kib: unified buffer for activations, in KiB; at most 65536 words of R bytes.
        lanes: results that the output stage requantizes in a cycle: 8.
        parameter_beats: depth of the parameter store in beats of the weight port, a power of two in 64..4096.
        int16: activations, weights or both may have 16 bits, at half and quarter speed.
        weight_bits: width of the weights' own AXI read port: 64, 128, 256 or 512, at most a row of weights.
        burst_beats: longest AXI burst in beats, a power of two in 2..64: 4 KiB of the widest port.
        outstanding_reads: AXI read bursts in flight, on each of the two ports.
    """

    family: ClassVar[str] = "systolic"
    family_id: ClassVar[int] = 2
    isa_version: ClassVar[int] = 3

    rows: int = 16
    columns: int = 16
    accumulators: int = 512
    weight_tiles: int = 4
    lanes: int = 8
    parameter_beats: int = 512
    int16: bool = False
    weight_bits: int = 128
    burst_beats: int = 16
    outstanding_reads: int = 8

    def __post_init__(self) -> None:
        EngineConfig.__post_init__(self)
        require_power_of_two("accumulators", self.accumulators, 16, 8192)
        require_power_of_two("weight_tiles", self.weight_tiles, 2, 64)
        require_power_of_two("parameter_beats", self.parameter_beats, 64, 4096)
        require(self.lanes == 8, "lanes", "must be 8", self.lanes)
        require(
            self.weight_bits in (64, 128, 256, 512) and self.weight_bits <= 8 * self.columns,
            "weight_bits",
            f"must be 64, 128, 256 or 512, and at most the {8 * self.columns} bits of a row of weights",
            self.weight_bits,
        )
        require_power_of_two("burst_beats", self.burst_beats, 2, 64)
        require(
            self.fifo_beats >= self.burst_beats,
            "burst_beats",
            f"must fit the weight FIFO of {self.fifo_beats} beats",
            self.burst_beats,
        )

    def _check_buffer(self) -> None:
        for name in ("rows", "columns"):  # whose sizes the buffer's words have
            require(
                getattr(self, name) in _SIDES, name, "must be a power of two in 8..512", getattr(self, name)
            )
        least = max(1, 2 * _BUFFER_BANKS * self.rows // 1024)
        most = self.rows * _LARGEST_BUFFER_WORDS // 1024
        require(
            least <= self.buffer_kib <= most,
            "buffer_kib",
            f"must be in {least}..{most} for {self.rows} rows",
            self.buffer_kib,
        )

    @property
    def title(self) -> str:
        """Family and size, for people."""
        return f"systolic array of {self.rows} x {self.columns} multipliers"

    @property
    def peak_macs(self) -> int:
        """A multiplier for each row and column."""
        return self.rows * self.columns

    @property
    def brick_channels(self) -> int:
        """A word of the unified buffer is what the array takes in a cycle."""
        return self.rows

    @property
    def weights_port_bits(self) -> int:
        """Weights have a port of their own."""
        return self.weight_bits

    @property
    def cores(self) -> int:
        """Eight columns each."""
        return self.columns // self.core_outputs

    @property
    def core_outputs(self) -> int:
        """Columns whose accumulators ACTIVATE reads in a cycle."""
        return 8

    @property
    def tile_pixels(self) -> int:
        """Pixels of an accumulator tile."""
        return self.accumulators

    @property
    def splits_int16(self) -> bool:
        """As chosen."""
        return self.int16

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
    def row_beats(self) -> int:
        """Beats of the weight port that carry one row of a tile."""
        return 8 * self.columns // self.weight_bits

    @property
    def tile_beats(self) -> int:
        """Beats of the weight port that carry one tile."""
        return self.rows * self.row_beats

    @property
    def fifo_beats(self) -> int:
        """Beats of the weight port that the weight FIFO holds."""
        return self.weight_tiles * self.tile_beats

    @property
    def on_chip_bytes(self) -> int:
        """Unified buffer + weight FIFO + both halves of the accumulators."""
        accumulators = 2 * self.accumulators * self.columns * 4
        return self.buffer_kib * 1024 + self.weight_tiles * self.peak_macs + accumulators


_BASE = SystolicConfig()
PRESETS: dict[str, SystolicConfig] = {
    # Small tiles come often: the FIFO holds as many as hide the memory's latency at the port's full rate.
    "tpu-8x8": replace(_BASE, rows=8, columns=8, weight_bits=64, weight_tiles=16),
    "tpu-16x16": replace(_BASE, weight_tiles=8),
    "tpu-32x32": replace(_BASE, rows=32, columns=32, weight_bits=256, accumulators=1024, buffer_kib=256),
    "tpu-256x256": replace(
        _BASE,
        rows=256,
        columns=256,
        weight_bits=512,
        accumulators=2048,
        buffer_kib=8192,
        parameter_beats=4096,
    ),
}
