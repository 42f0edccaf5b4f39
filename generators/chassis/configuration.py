"""What can be chosen about every engine, whatever its family: the chassis around its core."""

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import ClassVar

from .fixed_point import ELEMENT_BYTES
from .placement import BRICK_CHANNELS, UnifiedBuffer

_MAX_BUFFER_BRICKS = 1 << 16
"""Pointers into the unified buffer have 16 bits."""
_KINDS = {int: "an integer", bool: "true or false", str: "a word"}
"""What a value may be, by the type of its default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig(ABC):
    """One generated engine: what the chassis needs to know; a family's class adds the choices of its core.

    A subclass is a frozen dataclass with slots whose fields are integers, booleans or words and have defaults. It sets
    the class variables, defines `title` and `peak_macs`, and calls `EngineConfig.__post_init__` before it checks its
    own fields.

    Attributes:
        family: name of the folder under `generators/`.
        family_id: what the register FAMILY reads.
        isa_version: raised whenever a command word of the family changes its meaning; part of the hash.
        buffer_kib: unified buffer for activations, in KiB.
        queue_depth: commands that each verb's queue holds.
        burst_beats: longest AXI burst in beats, a power of two in 2..256.
        outstanding_reads: AXI read bursts in flight.
        data_bits: width of the AXI memory port.
        address_bits: width of an AXI address.
        profile_entries: snapshots of the counters that the profile memory holds.
    """

    family: ClassVar[str]
    family_id: ClassVar[int]
    isa_version: ClassVar[int]

    buffer_kib: int = 128
    queue_depth: int = 4
    burst_beats: int = 32
    outstanding_reads: int = 4
    data_bits: int = 64
    address_bits: int = 32
    profile_entries: int = 128

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, kind = getattr(self, entry.name), type(entry.default)
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                raise TypeError(f"{entry.name} must be {_KINDS[kind]}, not {value!r}")
        self._check_buffer()
        require(self.queue_depth in (2, 4, 8, 16), "queue_depth", "must be 2, 4, 8 or 16", self.queue_depth)
        require(
            self.burst_beats in {1 << n for n in range(1, 9)},
            "burst_beats",
            "must be a power of two in 2..256",
            self.burst_beats,
        )
        require(
            1 <= self.outstanding_reads <= 16, "outstanding_reads", "must be in 1..16", self.outstanding_reads
        )
        self._check_port()
        require(32 <= self.address_bits <= 64, "address_bits", "must be in 32..64", self.address_bits)
        require(
            self.profile_entries in {1 << n for n in range(4, 11)},
            "profile_entries",
            "must be a power of two in 16..1024",
            self.profile_entries,
        )

    def _check_port(self) -> None:
        """Refuse a width of the memory port; a family may have wider ones."""
        require(self.data_bits == 64, "data_bits", "must be 64", self.data_bits)

    def _check_buffer(self) -> None:
        """Refuse a size of the unified buffer; a family may ask for more."""
        largest = _MAX_BUFFER_BRICKS * self.brick_bytes // 1024
        require(1 <= self.buffer_kib <= largest, "buffer_kib", f"must be in 1..{largest}", self.buffer_kib)

    @property
    @abstractmethod
    def title(self) -> str:
        """Family and size, for people."""

    @property
    @abstractmethod
    def peak_macs(self) -> int:
        """Multiply-accumulates of int8 in a cycle, at most: the register MACS, and what utilisation refers to."""

    @property
    def values(self) -> dict[str, int | str]:
        """Every choice by its name, those of the family's core first."""
        chosen: dict[str, int | str] = asdict(self)
        shared = [entry.name for entry in fields(EngineConfig)]
        own = [name for name in chosen if name not in shared]
        return {name: chosen[name] for name in own + shared}

    @property
    def brick_channels(self) -> int:
        """Channels of a brick, the word of the unified buffer: so many elements of one pixel."""
        return BRICK_CHANNELS

    @property
    def element_bits(self) -> int:
        """Bits of an operand."""
        return 8

    @property
    def element_bytes(self) -> int:
        """What one takes in memory and in the unified buffer."""
        return ELEMENT_BYTES[self.element_bits]

    @property
    def brick_bytes(self) -> int:
        """What a brick holds, a multiple of 8."""
        return self.brick_channels * self.element_bytes

    @property
    def buffer_bricks(self) -> int:
        """Bricks in the unified buffer."""
        return self.buffer_kib * 1024 // self.brick_bytes

    @property
    def weights_port_bits(self) -> int:
        """Width of a second AXI port, which only reads, for weights; 0 if there is none."""
        return 0

    @property
    def weights_beat_bytes(self) -> int:
        """What a beat of WEIGHTS has."""
        return (self.weights_port_bits or self.data_bits) // 8

    @property
    def buffer(self) -> UnifiedBuffer:
        """The unified buffer, to place maps in."""
        return UnifiedBuffer(self.buffer_bricks, self.brick_channels, self.element_bytes)

    @property
    def hash(self) -> int:
        """64 bits that name this configuration and command set; a program carries the one it was compiled for."""
        content = {"family": self.family, "isa": self.isa_version, **self.values}
        text = json.dumps(content, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def require(holds: bool, name: str, rule: str, value: object) -> None:
    """Refuse the value of a field.

    Raises:
        ValueError: it does not hold; the message is the field's name, the rule and the value.
    """
    if not holds:
        raise ValueError(f"{name} {rule}, not {value}")


def require_power_of_two(name: str, value: int, low: int, high: int) -> None:
    """As `require`, of a power of two in `low`..`high`."""
    require(
        low <= value <= high and value & (value - 1) == 0,
        name,
        f"must be a power of two in {low}..{high}",
        value,
    )
