"""What frames say: one definition for the gateware, the host and the manual.

All numbers are unsigned, the lowest byte first. `docs/link.md` tells how they are used.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.lib import data

PROTOCOL_VERSION = 1
"""Raised whenever a frame changes its meaning."""

LINK_MAGIC = int.from_bytes(b"CLnk", "little")

NO_SESSION = 0
"""Session of an endpoint that nobody has connected to since its reset."""

REGISTER_BYTES = 4
BEAT_BITS = 64
"""Width of the memory port."""

REPLY_BIT = 0x80
"""A reply's kind is its request's with this bit."""


class Kind(enum.IntEnum):
    """First byte of a frame.

    Attributes:
        meaning: what it asks for, for people.
        request: what follows the request's header.
        reply: what lies between the reply's header and its outcome.
    """

    meaning: str
    request: str
    reply: str

    def __new__(cls, value: int, meaning: str, request: str, reply: str) -> "Kind":
        """A member with its value and meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.request = request
        member.reply = reply
        return member

    NOTICE = (
        REPLY_BIT,
        "nobody's request: the interrupt rose, or a frame was not executed",
        "never sent",
        "nothing",
    )
    CONNECT = 1, "begin the session named in the header, at sequence 0", "nothing", "the identity"
    READ_CYCLES = 2, "the endpoint's clock cycles since its reset, modulo 2**32", "nothing", "4 bytes"
    READ_REGISTER = 3, "the register at `address`", "nothing", "4 bytes"
    WRITE_REGISTER = 4, "write the register at `address`", "4 bytes", "nothing"
    READ_MEMORY = 5, "`length` bytes, at least 1, of memory from `address`", "nothing", "the bytes"
    WRITE_MEMORY = 6, "write memory from `address`", "the bytes, at least 1", "nothing"


class Outcome(enum.IntEnum):
    """Low bits of a reply's last byte.

    Attributes:
        meaning: what happened, for people.
    """

    meaning: str

    def __new__(cls, value: int, meaning: str) -> "Outcome":
        """A member with its value and meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DONE = 0, "executed; in a notice: the interrupt rose"
    SLAVE_ERROR = 1, "the bus answered SLVERR"
    DECODE_ERROR = 2, "the bus answered DECERR: nothing lies at that address"
    REFUSED = 3, "there is no such request, or not with that address or size"
    DAMAGED = (
        4,
        "notice: a frame's checksum was wrong, or it did not fit; `sequence` is the one expected next",
    )
    OUT_OF_ORDER = 5, "notice: a frame came before its time; `sequence` is the one expected next"
    OTHER_SESSION = 6, "notice: a request named another session than the header of this notice"


OUTCOME_MASK = 0x07
INTERRUPT_BIT = 0x80
"""Of a reply's last byte: level of the interrupt when it was sent."""


@dataclass(frozen=True, slots=True)
class FrameField:
    """An unsigned number of `bytes` bytes."""

    name: str
    bytes: int
    doc: str


REQUEST_HEADER = (
    FrameField("kind", 1, "what is asked for"),
    FrameField("session", 2, "chosen by the host; not 0"),
    FrameField("sequence", 2, "one more for every request of the session, modulo 2**16"),
    FrameField("address", 6, "of a register, in bytes from the first, or of memory"),
    FrameField("length", 2, "bytes to read (READ_MEMORY), else 0"),
)

REPLY_HEADER = (
    FrameField("kind", 1, "the request's with bit 7 set"),
    FrameField("session", 2, "the request's; in a notice the endpoint's own, 0 if it has none"),
    FrameField("sequence", 2, "the request's; in a notice the one that is expected next"),
)

IDENTITY = (
    FrameField("magic", 4, f'the bytes "CLnk": 0x{LINK_MAGIC:08X}'),
    FrameField("version", 1, f"of this protocol: {PROTOCOL_VERSION}"),
    FrameField("window", 1, "requests that may be unanswered at a time; replies of this many are kept"),
    FrameField("address_bits", 1, "of memory"),
    FrameField("receive_bytes", 2, "room for requests: headers and data of all that are unanswered must fit"),
    FrameField("payload_bytes", 2, "most bytes of data in one request or reply"),
)

OUTCOME_BYTES = 1


def layout(fields: Sequence[FrameField]) -> data.StructLayout:
    """The fields as gateware has them."""
    return data.StructLayout({field.name: 8 * field.bytes for field in fields})


def size(fields: Sequence[FrameField]) -> int:
    """Bytes of all fields."""
    return sum(field.bytes for field in fields)


def field_bits(fields: Sequence[FrameField], name: str) -> int:
    """Width of the field called `name`; ValueError when there is none."""
    for field in fields:
        if field.name == name:
            return 8 * field.bytes
    raise ValueError(f"field must be one of {[field.name for field in fields]}, not {name!r}")


def pack(fields: Sequence[FrameField], values: Mapping[str, int]) -> bytes:
    """The fields' bytes.

    Raises:
        KeyError, OverflowError: a value is missing or does not fit.
    """
    return b"".join(values[field.name].to_bytes(field.bytes, "little") for field in fields)


def unpack(fields: Sequence[FrameField], content: bytes) -> dict[str, int]:
    """The values at the start of `content`, which must be long enough."""
    values = {}
    place = 0
    for field in fields:
        values[field.name] = int.from_bytes(content[place : place + field.bytes], "little")
        place += field.bytes
    return values


def markdown_tables() -> str:
    """Kinds, fields and outcomes, as the manual prints them."""
    lines = ["| kind | name | meaning | data of the request | data of the reply |", "|---|---|---|---|---|"]
    lines += [
        f"| 0x{kind.value:02X} | {kind.name} | {kind.meaning} | {kind.request} | {kind.reply} |"
        for kind in Kind
    ]
    for title, fields in (
        ("Header of a request", REQUEST_HEADER),
        ("Header of a reply", REPLY_HEADER),
        ("Identity", IDENTITY),
    ):
        lines += ["", f"### {title}", "", "| bytes | field | meaning |", "|---|---|---|"]
        first = 0
        for field in fields:
            last = first + field.bytes - 1
            lines.append(f"| {first if last == first else f'{first}..{last}'} | {field.name} | {field.doc} |")
            first = last + 1
    lines += ["", "### Outcome", "", "| bits 2:0 | name | meaning |", "|---|---|---|"]
    lines += [f"| {outcome.value} | {outcome.name} | {outcome.meaning} |" for outcome in Outcome]
    return "\n".join(lines)
