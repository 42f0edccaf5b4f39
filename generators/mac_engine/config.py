"""What can be chosen about a MAC engine, validated, with the named presets."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace

FAMILY = "mac_engine"
FAMILY_ID = 1
ISA_VERSION = 4
"""Raised whenever a command word changes its meaning; part of the configuration hash."""

_MAX_BUFFER_KIB = 256


@dataclass(frozen=True, slots=True)
class MacEngineConfig:
    """One generated MAC engine.

    Attributes:
        macs: int8 multiply-accumulates a cycle: 32, or 64 times a power of two up to 1024.
        buffer_kib: unified buffer for activations, in KiB; a multiple of 4 in 4..256.
        weight_kib: weight store, in KiB; a multiple of 1 in 4..128.
        lanes: results that the output stage requantizes in a cycle: 4 or 8.
        parameter_beats: depth of the parameter store in 64-bit beats (9 beats serve 8 channels).
        queue_depth: commands that each verb's queue holds.
        burst_beats: longest AXI burst in beats, a power of two in 2..256.
        outstanding_reads: AXI read bursts in flight.
        data_bits: width of the AXI memory port.
        address_bits: width of an AXI address.
        profile_entries: snapshots of the counters that the profile memory holds.
    """

    macs: int = 128
    buffer_kib: int = 128
    weight_kib: int = 24
    lanes: int = 4
    parameter_beats: int = 512
    queue_depth: int = 4
    burst_beats: int = 32
    outstanding_reads: int = 4
    data_bits: int = 64
    address_bits: int = 32
    profile_entries: int = 128

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{entry.name} must be an integer, not {value!r}")
        _require(
            self.macs == 32 or (self.macs in {64 << n for n in range(5)}),
            "macs",
            "must be 32, 64, 128, 256, 512 or 1024",
            self.macs,
        )
        _require(
            self.buffer_kib % 4 == 0 and 4 <= self.buffer_kib <= _MAX_BUFFER_KIB,
            "buffer_kib",
            f"must be a multiple of 4 in 4..{_MAX_BUFFER_KIB}",
            self.buffer_kib,
        )
        _require(4 <= self.weight_kib <= 128, "weight_kib", "must be in 4..128", self.weight_kib)
        _require(self.lanes in (4, 8), "lanes", "must be 4 or 8", self.lanes)
        _require(
            self.lanes <= self.core_outputs,
            "lanes",
            f"must be at most the {self.core_outputs} output channels of a core",
            self.lanes,
        )
        _require(
            64 <= self.parameter_beats <= 4096, "parameter_beats", "must be in 64..4096", self.parameter_beats
        )
        _require(self.queue_depth in (2, 4, 8, 16), "queue_depth", "must be 2, 4, 8 or 16", self.queue_depth)
        _require(
            self.burst_beats in {1 << n for n in range(1, 9)},
            "burst_beats",
            "must be a power of two in 2..256",
            self.burst_beats,
        )
        _require(
            1 <= self.outstanding_reads <= 16, "outstanding_reads", "must be in 1..16", self.outstanding_reads
        )
        _require(
            self.data_bits == 64, "data_bits", "must be 64 (wider ports are not built yet)", self.data_bits
        )
        _require(32 <= self.address_bits <= 64, "address_bits", "must be in 32..64", self.address_bits)
        _require(
            self.profile_entries in {1 << n for n in range(4, 11)},
            "profile_entries",
            "must be a power of two in 16..1024",
            self.profile_entries,
        )

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
    def buffer_bricks(self) -> int:
        """Bricks of 8 bytes in the unified buffer."""
        return self.buffer_kib * 128

    @property
    def weight_words(self) -> int:
        """128-bit words in the weight store."""
        return self.weight_kib * 64

    @property
    def block_words(self) -> int:
        """128-bit words of one core's weights for one reduction step (core_outputs x 8 bytes)."""
        return self.core_outputs // 2

    @property
    def on_chip_bytes(self) -> int:
        """Unified buffer + weight store + both halves of the accumulators."""
        accumulators = 2 * 16 * self.core_outputs * 4 * self.cores
        return self.buffer_kib * 1024 + self.weight_kib * 1024 + accumulators

    @property
    def hash(self) -> int:
        """64 bits that name this configuration and command set; a program carries the one it was compiled for."""
        text = json.dumps({"family": FAMILY, "isa": ISA_VERSION, **asdict(self)}, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")

    @classmethod
    def preset(cls, name: str) -> "MacEngineConfig":
        """The configuration called `name`.

        Raises:
            ValueError: no such preset; the message lists those there are.
        """
        if name not in PRESETS:
            raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
        return PRESETS[name]


def _require(holds: bool, name: str, rule: str, value: int) -> None:
    if not holds:
        raise ValueError(f"{name} {rule}, not {value}")


_BASE = MacEngineConfig()
PRESETS: dict[str, MacEngineConfig] = {
    "u55-32": replace(_BASE, macs=32),
    "u55-64": replace(_BASE, macs=64),
    "u55-128": replace(_BASE, macs=128),
    "u55-256": replace(_BASE, macs=256, buffer_kib=256, lanes=8),
}
