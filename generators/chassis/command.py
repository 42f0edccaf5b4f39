"""Command words: one definition for the decoder in gateware, the encoder on the host and the docs.

A command is `COMMAND_BYTES` long in memory, little-endian, and starts with a header that every verb
shares. A verb's own fields follow in the order of its layout; what is left of the command is zero and is
not stored in the verb's queue.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

COMMAND_BYTES = 64
COMMAND_BEATS = COMMAND_BYTES // 8
"""64-bit beats of one command in memory."""


class Verb(enum.IntEnum):
    """The five concurrent in-order queues, and their place in token masks."""

    LOAD = 0
    WEIGHTS = 1
    COMPUTE = 2
    ACTIVATE = 3
    STORE = 4


class Opcode(enum.IntEnum):
    """First byte of a command. Zero is illegal, so that erased memory does not run."""

    LOAD = 0x10
    WEIGHTS = 0x11
    COMPUTE = 0x12
    ACTIVATE = 0x13
    STORE = 0x14
    BEGIN = 0x20
    """First command of a program: carries the configuration hash that it was compiled for."""
    HALT = 0x2F
    """Last command: once every queue is idle and every write answered, raise the interrupt."""


OPCODE_OF_VERB = {verb: Opcode[verb.name] for verb in Verb}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a command.

    `doc` is the line that the manual prints; `bits` its width; `is_signed` two's complement.
    """

    name: str
    bits: int
    doc: str
    is_signed: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 64:
            raise ValueError(f"bits of field {self.name!r} must be in 1..64, not {self.bits}")

    @property
    def low(self) -> int:
        """The least value that fits."""
        return -(1 << (self.bits - 1)) if self.is_signed else 0

    @property
    def high(self) -> int:
        """The greatest value that fits."""
        return (1 << (self.bits - 1)) - 1 if self.is_signed else (1 << self.bits) - 1


TOKEN_BITS = 6
"""Width of a wait count: at most 63 tokens are awaited by one command."""

HEADER = (
    Field("opcode", 8, "which command this is"),
    *(
        Field(f"wait_{verb.name.lower()}", TOKEN_BITS, f"tokens from {verb.name} to take before starting")
        for verb in Verb
    ),
    Field("signal", len(Verb), "bit v: on completion give one token to verb v"),
    Field("reserved", 5, "zero"),
    Field("index", 16, "zero in memory; the fetch unit writes the command's index here"),
)
HEADER_BITS = sum(entry.bits for entry in HEADER)
assert HEADER_BITS == 64, "the header is one beat"


@dataclass(frozen=True)
class CommandLayout:
    """The words of one opcode: header, then `fields`, packed from bit 64 up without gaps."""

    opcode: Opcode
    fields: tuple[Field, ...]
    all_fields: tuple[Field, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all_fields", HEADER + self.fields)
        if len(self.names) != len(self.all_fields):
            raise ValueError(f"{self.opcode.name} names a field twice")
        if self.bits > COMMAND_BYTES * 8:
            raise ValueError(f"{self.opcode.name} takes {self.bits} bits of {COMMAND_BYTES * 8}")

    @property
    def bits(self) -> int:
        """Bits of header and fields together, without the padding of the last beat."""
        return sum(entry.bits for entry in self.all_fields)

    @property
    def names(self) -> frozenset[str]:
        """Of all fields."""
        return frozenset(entry.name for entry in self.all_fields)

    @property
    def beats(self) -> int:
        """64-bit beats that the verb's queue keeps, the header included."""
        return -(-self.bits // 64)

    def struct(self) -> data.StructLayout:
        """The command as Amaranth sees it, padded to whole beats with `padding`."""
        members = {
            entry.name: signed(entry.bits) if entry.is_signed else unsigned(entry.bits)
            for entry in self.all_fields
        }
        if padding := self.beats * 64 - self.bits:
            members["padding"] = unsigned(padding)
        return data.StructLayout(members)

    def encode(self, values: Mapping[str, int]) -> bytes:
        """`COMMAND_BYTES` bytes; fields not named are 0.

        Raises:
            ValueError: an unknown field, or a value that its field cannot hold.
        """
        unknown = set(values) - self.names
        if unknown:
            raise ValueError(f"{self.opcode.name} has no field {sorted(unknown)[0]!r}")
        word = 0
        offset = 0
        for entry in self.all_fields:
            value = int(self.opcode if entry.name == "opcode" else values.get(entry.name, 0))
            if not entry.low <= value <= entry.high:
                raise ValueError(
                    f"{self.opcode.name} field {entry.name!r} must be in {entry.low}..{entry.high}, not {value}"
                )
            word |= (value & ((1 << entry.bits) - 1)) << offset
            offset += entry.bits
        return word.to_bytes(COMMAND_BYTES, "little")

    def decode(self, command: bytes) -> dict[str, int]:
        """The fields of a command in memory, by name."""
        word = int.from_bytes(command, "little")
        values = {}
        for entry in self.all_fields:
            value = word & ((1 << entry.bits) - 1)
            word >>= entry.bits
            values[entry.name] = value - (1 << entry.bits) if value > entry.high else value
        return values


TRANSFER_FIELDS = (
    Field("region", 2, "memory region (see Region)"),
    Field("offset", 32, "first byte, relative to the region"),
    Field("rows", 16, "rows to move"),
    Field("width", 16, "pixels in a row"),
    Field("channels", 16, "bytes of a pixel in memory; ceil(channels / 8) bricks in the buffer"),
    Field("row", 16, "buffer: brick address of pixel 0, channel brick 0 of the first row"),
    Field("row_pitch", 16, "buffer: bricks from a row to the next"),
    Field("channel_pitch", 16, "buffer: bricks from a channel brick to the next"),
    Field("ring_end", 17, "buffer: one past the last brick of the ring of rows"),
    Field("ring_size", 17, "buffer: bricks of the ring of rows; a row at or past ring_end wraps back by it"),
)
"""LOAD and STORE: rows of a feature map, packed NHWC in memory, bricks in the unified buffer."""

LOAD = CommandLayout(Opcode.LOAD, TRANSFER_FIELDS)
STORE = CommandLayout(Opcode.STORE, TRANSFER_FIELDS)
BEGIN = CommandLayout(
    Opcode.BEGIN, (Field("configuration_hash", 64, "must equal the CONFIG_HASH registers"),)
)
HALT = CommandLayout(Opcode.HALT, ())


class Region(enum.IntEnum):
    """What the compiler uses each of the four region registers for."""

    PROGRAM = 0
    """Commands and constants; never written by the engine."""
    SCRATCH = 1
    """Feature maps that do not fit the unified buffer."""
    INPUT = 2
    OUTPUT = 3
