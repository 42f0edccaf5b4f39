"""Requests to a board's endpoint, and what it answers."""

from dataclasses import dataclass

from celosia.hdl.link.protocol import (
    IDENTITY,
    OUTCOME_BYTES,
    REGISTER_BYTES,
    REPLY_HEADER,
    REQUEST_HEADER,
    Kind,
    Outcome,
    size,
)

SHORTEST_REPLY = size(REPLY_HEADER) + OUTCOME_BYTES
"""Bytes of a reply without data."""

_FRAME_OVERHEAD = 8
"""Bytes that a frame takes on the line besides its content: flags, checksum, some stuffing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the board; see `Kind`."""

    kind: Kind
    address: int = 0
    length: int = 0
    data: bytes = b""

    @property
    def reply_bytes(self) -> int:
        """Data in its reply."""
        return {
            Kind.CONNECT: size(IDENTITY),
            Kind.READ_CYCLES: REGISTER_BYTES,
            Kind.READ_REGISTER: REGISTER_BYTES,
            Kind.READ_MEMORY: self.length,
        }.get(self.kind, 0)

    def fits(self, reply: "Reply") -> bool:
        """Whether a reply has as much data as it must."""
        if self.kind == Kind.CONNECT or reply.outcome == Outcome.REFUSED:
            return True  # another version may say more of itself; what is refused has no data
        return len(reply.data) == self.reply_bytes

    @property
    def receive_bytes(self) -> int:
        """Room that it takes in the board's receiver."""
        return size(REQUEST_HEADER) + len(self.data)

    @property
    def line_bytes(self) -> int:
        """About what it and its reply take on the line."""
        return self.receive_bytes + SHORTEST_REPLY + self.reply_bytes + 2 * _FRAME_OVERHEAD


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `interrupt` is the interrupt's level when it was sent, which was after it was asked for."""

    outcome: Outcome
    data: bytes
    interrupt: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """What the endpoint says of itself; see `IDENTITY`."""

    window: int
    address_bits: int
    receive_bytes: int
    payload_bytes: int
