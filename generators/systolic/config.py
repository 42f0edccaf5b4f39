"""What can be chosen about a systolic engine, validated, with the named presets."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace

FAMILY = "systolic"
FAMILY_ID = 2
ISA_VERSION = 1
"""Raised whenever a command word changes its meaning; part of the configuration hash."""

BUFFER_BANKS = 4
"""Banks of the unified buffer; word address modulo 4 names the bank."""

_SIDES = {1 << n for n in range(3, 10)}
_LARGEST_BUFFER_WORDS = 1 << 16


@dataclass(frozen=True, slots=True)
class SystolicConfig:
    """One generated systolic engine.

    Attributes:
        rows: R, input channels that the array takes in a cycle: a power of two in 8..512.
        columns: C, output channels that it gives in a cycle: a power of two in 8..512.
        accumulators: places of C sums in each of the two halves of the accumulator memory, a power of two in 16..8192.
        weight_tiles: T, tiles of R x C weights that the weight FIFO holds: a power of two in 2..64.
        buffer_kib: unified buffer for activations, in KiB; at most 65536 words of R bytes.
        parameter_beats: depth of the parameter store in beats of the weight port, a power of two in 64..4096.
        weight_bits: width of the weights' own AXI read port: 64, 128, 256 or 512, at most a row of weights.
        queue_depth: commands that each verb's queue holds.
        burst_beats: longest AXI burst in beats, a power of two in 2..64.
        outstanding_reads: AXI read bursts in flight, on each of the two ports.
        data_bits: width of the AXI port for activations.
        address_bits: width of an AXI address.
        profile_entries: snapshots of the counters that the profile memory holds.
    """

    rows: int = 16
    columns: int = 16
    accumulators: int = 512
    weight_tiles: int = 4
    buffer_kib: int = 128
    parameter_beats: int = 512
    weight_bits: int = 128
    queue_depth: int = 4
    burst_beats: int = 16
    outstanding_reads: int = 8
    data_bits: int = 64
    address_bits: int = 32
    profile_entries: int = 128

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{entry.name} must be an integer, not {value!r}")
        for name in ("rows", "columns"):
            self._require(getattr(self, name) in _SIDES, name, "must be a power of two in 8..512")
        self._require_power_of_two("accumulators", 16, 8192)
        self._require_power_of_two("weight_tiles", 2, 64)
        granule = BUFFER_BANKS * self.rows / 1024
        self._require(
            self.buffer_kib >= max(1, granule)
            and self.buffer_kib * 1024 // self.rows <= _LARGEST_BUFFER_WORDS,
            "buffer_kib",
            f"must be in {max(1, int(granule))}..{self.rows * _LARGEST_BUFFER_WORDS // 1024} for {self.rows} rows",
        )
        self._require_power_of_two("parameter_beats", 64, 4096)
        self._require(
            self.weight_bits in (64, 128, 256, 512) and self.weight_bits <= 8 * self.columns,
            "weight_bits",
            f"must be 64, 128, 256 or 512, and at most the {8 * self.columns} bits of a row of weights",
        )
        self._require(self.queue_depth in (2, 4, 8, 16), "queue_depth", "must be 2, 4, 8 or 16")
        self._require_power_of_two("burst_beats", 2, 64)
        self._require(
            self.fifo_beats >= self.burst_beats,
            "burst_beats",
            f"must fit the weight FIFO of {self.fifo_beats} beats",
        )
        self._require(1 <= self.outstanding_reads <= 16, "outstanding_reads", "must be in 1..16")
        self._require(self.data_bits == 64, "data_bits", "must be 64 (wider ports are not built yet)")
        self._require(32 <= self.address_bits <= 64, "address_bits", "must be in 32..64")
        self._require_power_of_two("profile_entries", 16, 1024)

    def _require(self, holds: bool, name: str, rule: str) -> None:
        if not holds:
            raise ValueError(f"{name} {rule}, not {getattr(self, name)}")

    def _require_power_of_two(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        holds = low <= value <= high and value & (value - 1) == 0
        self._require(holds, name, f"must be a power of two in {low}..{high}")

    @property
    def macs(self) -> int:
        """Multiply-accumulates a cycle."""
        return self.rows * self.columns

    @property
    def buffer_words(self) -> int:
        """Words of R bytes in the unified buffer."""
        return self.buffer_kib * 1024 // self.rows

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
        return self.buffer_kib * 1024 + self.weight_tiles * self.macs + accumulators

    @property
    def hash(self) -> int:
        """64 bits that name this configuration and command set; a program carries the one it was compiled for."""
        text = json.dumps({"family": FAMILY, "isa": ISA_VERSION, **asdict(self)}, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")

    @classmethod
    def preset(cls, name: str) -> "SystolicConfig":
        """The configuration called `name`.

        Raises:
            ValueError: no such preset; the message lists those there are.
        """
        if name not in PRESETS:
            raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
        return PRESETS[name]


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
