"""AXI4 and AXI4-Lite as bundles of typed streams, one stream a channel.

Only what a master of whole-beat INCR bursts needs is carried: burst type INCR, size = width of the data, ID 0,
cache, protection and lock are constants that the top level adds when it names the ports `m_axi_*`.
Source: Arm IHI 0022, "AMBA AXI and ACE Protocol Specification", issue E.
"""

import enum

from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

MAXIMUM_BURST_BEATS = 256
"""Longest INCR burst of AXI4."""

BOUNDARY_BYTES = 4096
"""No burst crosses a multiple of this."""


class Response(enum.Enum):
    """RRESP and BRESP."""

    OKAY = 0
    EXCLUSIVE_OKAY = 1
    SLAVE_ERROR = 2
    DECODE_ERROR = 3


RESPONSE_BITS = 2


def is_error(response: Value) -> Value:
    """Whether a response is SLAVE_ERROR or DECODE_ERROR: the two that have bit 1 set."""
    return response[1]


def burst_layout(address_bits: int) -> data.StructLayout:
    """An address channel: `address` in bytes, a multiple of the beat, and `length` = beats - 1 (AxLEN)."""
    return data.StructLayout({"address": address_bits, "length": 8})


def write_beat_layout(data_bits: int) -> data.StructLayout:
    """A beat of W: `data`, `strobe` (bit i: byte i is written) and `last` of its burst."""
    return data.StructLayout({"data": data_bits, "strobe": data_bits // 8, "last": 1})


def read_beat_layout(data_bits: int) -> data.StructLayout:
    """A beat of R: `data`, `response` (see `Response`) and `last` of its burst."""
    return data.StructLayout({"data": data_bits, "response": RESPONSE_BITS, "last": 1})


def check_widths(address_bits: int, data_bits: int) -> None:
    """Refuse widths that AXI4 does not have.

    Raises:
        TypeError: a width is not an int.
        ValueError: `address_bits` is outside 12..64 or `data_bits` is not 8, 16, .. 1024.
    """
    for name, value in (("address_bits", address_bits), ("data_bits", data_bits)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} must be an int, not {value!r}")
    if not 12 <= address_bits <= 64:
        raise ValueError(f"address_bits must be in 12..64, not {address_bits}")
    if data_bits not in {8 << n for n in range(8)}:
        raise ValueError(f"data_bits must be a power of two in 8..1024, not {data_bits}")


class AxiReadSignature(wiring.Signature):
    """The two read channels of an AXI4 master.

    Members:
        ar: bursts asked for, `burst_layout`.
        r: beats that come back, `read_beat_layout`.
    """

    def __init__(self, address_bits: int, data_bits: int) -> None:
        check_widths(address_bits, data_bits)
        super().__init__(
            {
                "ar": Out(stream.Signature(burst_layout(address_bits))),
                "r": In(stream.Signature(read_beat_layout(data_bits))),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "AxiReadBus":
        """The interface with these members."""
        return AxiReadBus(self, path=path, src_loc_at=1 + src_loc_at)


class AxiReadBus(wiring.PureInterface):
    """Interface of `AxiReadSignature`."""

    ar: stream.Interface
    r: stream.Interface


class AxiWriteSignature(wiring.Signature):
    """The three write channels of an AXI4 master.

    Members:
        aw: bursts announced, `burst_layout`.
        w: their beats, `write_beat_layout`.
        b: one response (`Response`) a burst.
    """

    def __init__(self, address_bits: int, data_bits: int) -> None:
        check_widths(address_bits, data_bits)
        super().__init__(
            {
                "aw": Out(stream.Signature(burst_layout(address_bits))),
                "w": Out(stream.Signature(write_beat_layout(data_bits))),
                "b": In(stream.Signature(data.StructLayout({"response": RESPONSE_BITS}))),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "AxiWriteBus":
        """The interface with these members."""
        return AxiWriteBus(self, path=path, src_loc_at=1 + src_loc_at)


class AxiWriteBus(wiring.PureInterface):
    """Interface of `AxiWriteSignature`."""

    aw: stream.Interface
    w: stream.Interface
    b: stream.Interface


class AxiSignature(wiring.Signature):
    """A whole AXI4 master: the members of `AxiReadSignature` and `AxiWriteSignature`, side by side."""

    def __init__(self, address_bits: int, data_bits: int) -> None:
        super().__init__(
            {
                **AxiReadSignature(address_bits, data_bits).members,
                **AxiWriteSignature(address_bits, data_bits).members,
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "AxiBus":
        """The interface with these members."""
        return AxiBus(self, path=path, src_loc_at=1 + src_loc_at)


class AxiBus(wiring.PureInterface):
    """Interface of `AxiSignature`."""

    ar: stream.Interface
    r: stream.Interface
    aw: stream.Interface
    w: stream.Interface
    b: stream.Interface


class ReadClientSignature(wiring.Signature):
    """What a client of `AxiReadArbiter` drives: legal bursts out, their beats back, in order.

    Members:
        request: a burst, `burst_layout`; asked for only when the client can take all of its beats.
        beats: the beats of the client's own bursts, `read_beat_layout`; always ready.
    """

    def __init__(self, address_bits: int, data_bits: int) -> None:
        check_widths(address_bits, data_bits)
        super().__init__(
            {
                "request": Out(stream.Signature(burst_layout(address_bits))),
                "beats": In(stream.Signature(read_beat_layout(data_bits), always_ready=True)),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "ReadClient":
        """The interface with these members."""
        return ReadClient(self, path=path, src_loc_at=1 + src_loc_at)


class ReadClient(wiring.PureInterface):
    """Interface of `ReadClientSignature`."""

    request: stream.Interface
    beats: stream.Interface


class AxiLiteSignature(wiring.Signature):
    """An AXI4-Lite master of 32 data bits; flip it for a slave.

    Members:
        aw, ar: `address` in bytes.
        w: `data` and `strobe`.
        b: `response`.
        r: `data` and `response`.
    """

    def __init__(self, address_bits: int) -> None:
        address = stream.Signature(data.StructLayout({"address": address_bits}))
        response = stream.Signature(data.StructLayout({"response": RESPONSE_BITS}))
        super().__init__(
            {
                "aw": Out(address),
                "w": Out(stream.Signature(data.StructLayout({"data": 32, "strobe": 4}))),
                "b": In(response),
                "ar": Out(address),
                "r": In(stream.Signature(data.StructLayout({"data": 32, "response": RESPONSE_BITS}))),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "AxiLiteBus":
        """The interface with these members."""
        return AxiLiteBus(self, path=path, src_loc_at=1 + src_loc_at)


class AxiLiteBus(wiring.PureInterface):
    """Interface of `AxiLiteSignature`."""

    aw: stream.Interface
    w: stream.Interface
    b: stream.Interface
    ar: stream.Interface
    r: stream.Interface
