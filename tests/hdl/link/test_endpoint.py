"""LinkEndpoint: requests are executed once, in order; whatever else comes is answered or told of."""

import random

import pytest

from celosia.generators.chassis.register_map import CONFIG_HASH_LO, CONTROL, MAGIC, MAGIC_VALUE, QUEUE_COUNT
from celosia.hdl.link.endpoint import LinkEndpoint
from celosia.hdl.link.protocol import (
    IDENTITY,
    INTERRUPT_BIT,
    LINK_MAGIC,
    PROTOCOL_VERSION,
    REPLY_BIT,
    REPLY_HEADER,
    REQUEST_HEADER,
    Kind,
    Outcome,
    pack,
    size,
    unpack,
)
from celosia.hdl.link.request_executor import WINDOW
from celosia.host.transports.framing import FrameDecoder, encode_frame
from celosia.host.transports.link import Link
from celosia.host.transports.serial_device import SerialDevice
from tests.gateware import convert
from tests.link_bench.endpoint_twin import EndpointTwin
from tests.link_bench.gateware_board import GatewareBoard
from tests.link_bench.line import DirectPort, Faults
from tests.link_bench.machine import Machine

SESSION = 0x1234
LONGEST = 3000
"""Cycles in which everything here is answered."""


def frame(
    kind: int, sequence: int, address: int = 0, length: int = 0, data: bytes = b"", session: int = SESSION
):
    header = {
        "kind": kind,
        "session": session,
        "sequence": sequence % (1 << 16),
        "address": address,
        "length": length,
    }
    return encode_frame(pack(REQUEST_HEADER, header) + data)


class Bench:
    """A gateware board, asked by hand; what it says is (kind, session, sequence, body, last byte)."""

    def __init__(self, receive_bytes: int = 4096) -> None:
        self.machine = Machine()
        self.board = GatewareBoard(self.machine, receive_bytes=receive_bytes)
        self._decoder = FrameDecoder()

    def hear(self, line: bytes, count: int = 1) -> list[tuple[int, int, int, bytes, int]]:
        """The next `count` frames after `line` was sent."""
        frames = self._decoder.feed(self.board.step(line))
        end = self.machine.cycles + LONGEST
        while len(frames) < count and self.machine.cycles < end:
            frames += self._decoder.feed(self.board.step(b""))
        answers = []
        for entry in frames:
            header = unpack(REPLY_HEADER, entry)
            body = entry[size(REPLY_HEADER) : -1]
            answers.append((header["kind"], header["session"], header["sequence"], body, entry[-1]))
        return answers

    def connect(self) -> None:
        assert len(self.hear(frame(Kind.CONNECT, 0))) == 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_connecting_gives_the_identity(bench: Bench) -> None:
    ((kind, session, sequence, body, last),) = bench.hear(frame(Kind.CONNECT, 0))
    assert (kind, session, sequence, last) == (Kind.CONNECT | REPLY_BIT, SESSION, 0, Outcome.DONE)
    assert unpack(IDENTITY, body) == {
        "magic": LINK_MAGIC,
        "version": PROTOCOL_VERSION,
        "window": WINDOW,
        "address_bits": 32,
        "receive_bytes": 4096,
        "payload_bytes": 1024,
    }


def test_requests_and_their_answers_are_the_models(bench: Bench) -> None:
    """Every kind of request, sound or not, repeated or out of order."""
    requests = [
        frame(Kind.READ_REGISTER, 0, MAGIC.offset),  # no session yet
        frame(Kind.CONNECT, 0),
        frame(Kind.READ_REGISTER, 0, MAGIC.offset),
        frame(Kind.READ_REGISTER, 0, MAGIC.offset),  # again
        frame(Kind.READ_REGISTER, 1, 0xFFC),
        frame(Kind.WRITE_REGISTER, 2, QUEUE_COUNT.offset, data=b"\x7e\x7d\x01\x02"),
        frame(Kind.READ_REGISTER, 3, QUEUE_COUNT.offset),
        frame(Kind.WRITE_REGISTER, 4, CONFIG_HASH_LO.offset, data=b"1234"),  # read-only
        frame(Kind.WRITE_REGISTER, 5, QUEUE_COUNT.offset, data=b"123"),
        frame(Kind.WRITE_REGISTER, 6, QUEUE_COUNT.offset, data=b"12345"),
        frame(Kind.WRITE_REGISTER, 7, QUEUE_COUNT.offset),
        frame(Kind.WRITE_MEMORY, 8, 3, data=bytes(range(100, 130))),
        frame(Kind.READ_MEMORY, 9, 1, length=35),
        frame(Kind.READ_MEMORY, 9, 1, length=35),
        frame(Kind.READ_MEMORY, 10, 1, length=0),
        frame(Kind.READ_MEMORY, 10, 1, length=0),
        frame(Kind.WRITE_MEMORY, 11, 3),
        frame(Kind.READ_MEMORY, 12, 0xFFFFFFF0, length=9),
        frame(Kind.WRITE_MEMORY, 13, 0xFFFFFFF0, data=b"1234"),
        frame(0x55, 14, data=b"what"),
        frame(Kind.READ_REGISTER, 30, MAGIC.offset),  # too early
        frame(Kind.READ_REGISTER, 15 - WINDOW - 1, MAGIC.offset),  # long forgotten
        frame(Kind.READ_REGISTER, 15, MAGIC.offset, session=SESSION + 1),
        frame(Kind.CONNECT, 0),  # the same session: no news
        frame(Kind.READ_REGISTER, 15, MAGIC.offset),
        frame(Kind.CONNECT, 0, session=SESSION + 1),
        frame(Kind.READ_REGISTER, 0, MAGIC.offset, session=SESSION + 1),
    ]
    twin = EndpointTwin(Machine())
    decoder = FrameDecoder()
    for number, request in enumerate(requests):
        (expected,) = decoder.feed(twin.step(request))
        ((*header, body, last),) = bench.hear(request)
        assert (
            pack(REPLY_HEADER, dict(zip(("kind", "session", "sequence"), header, strict=True)))
            == expected[:5]
        ), number
        assert (body, last) == (expected[5:-1], expected[-1]), number
    assert (bench.machine.memory == twin.machine.memory).all()
    assert bench.machine.written == twin.machine.written


@pytest.mark.parametrize("kind", [Kind.READ_REGISTER, Kind.WRITE_REGISTER])
def test_a_register_beyond_the_block_is_refused_and_not_another_ones(bench: Bench, kind: Kind) -> None:
    bench.connect()
    ((*_, last),) = bench.hear(frame(kind, 0, 0x1000 + QUEUE_COUNT.offset, data=b"abcd"))
    assert last == Outcome.REFUSED
    assert bench.machine.written == []


def test_memory_beyond_the_bus_is_refused(bench: Bench) -> None:
    bench.connect()
    assert bench.hear(frame(Kind.READ_MEMORY, 0, 1 << 32, length=4))[0][3:] == (b"", Outcome.REFUSED)
    assert bench.hear(frame(Kind.WRITE_MEMORY, 1, 1 << 40, data=b"abcd"))[0][3:] == (b"", Outcome.REFUSED)
    assert not bench.machine.memory.any()


def test_a_request_repeated_at_any_distance_within_the_window_is_not_executed_again(bench: Bench) -> None:
    bench.connect()
    requests = [
        frame(Kind.WRITE_REGISTER, number, 0x80, data=bytes([number, 0, 0, 0])) for number in range(20)
    ]
    for request in requests:
        bench.hear(request)
    for request in requests[-WINDOW:]:
        assert bench.hear(request)[0][-1] == Outcome.DONE
    assert [value for _, value in bench.machine.written] == list(range(20))


def test_a_window_of_requests_may_be_sent_ahead(bench: Bench) -> None:
    bench.connect()
    line = b"".join(frame(Kind.READ_REGISTER, number, MAGIC.offset) for number in range(WINDOW))
    replies = bench.hear(line, WINDOW)
    assert [(sequence, body) for _, _, sequence, body, _ in replies] == [
        (number, MAGIC_VALUE.to_bytes(4, "little")) for number in range(WINDOW)
    ]


def test_the_clock_is_read(bench: Bench) -> None:
    bench.connect()
    first, second = (
        int.from_bytes(bench.hear(frame(Kind.READ_CYCLES, number))[0][3], "little") for number in range(2)
    )
    assert 50 < second - first < 300


def test_a_damaged_frame_is_told_with_what_is_expected(bench: Bench) -> None:
    bench.connect()
    bench.hear(frame(Kind.READ_CYCLES, 0))
    damaged = bytearray(frame(Kind.READ_CYCLES, 1))
    damaged[5] ^= 4
    assert bench.hear(bytes(damaged)) == [(Kind.NOTICE, SESSION, 1, b"", Outcome.DAMAGED)]


def test_a_frame_shorter_than_a_header_is_nobodys_request(bench: Bench) -> None:
    bench.connect()
    replies = bench.hear(encode_frame(b"short") + frame(Kind.READ_REGISTER, 0, MAGIC.offset))
    assert [reply[0] for reply in replies] == [Kind.READ_REGISTER | REPLY_BIT]


def test_an_interrupt_is_told_when_it_rises_and_in_every_reply_while_it_is_high(bench: Bench) -> None:
    bench.connect()
    clear = CONTROL.mask("interrupt_clear").to_bytes(4, "little")
    assert bench.hear(frame(Kind.READ_CYCLES, 0))[0][-1] == Outcome.DONE
    bench.machine.schedule_interrupt(100)
    assert bench.hear(b"") == [(Kind.NOTICE, SESSION, 1, b"", Outcome.DONE | INTERRUPT_BIT)]
    assert bench.hear(frame(Kind.READ_CYCLES, 1))[0][-1] == Outcome.DONE | INTERRUPT_BIT
    assert bench.hear(frame(Kind.WRITE_REGISTER, 2, CONTROL.offset, data=clear))[0][-1] == Outcome.DONE
    assert bench.hear(b"") == []


def test_what_does_not_fit_the_receiver_is_told_and_can_be_sent_again() -> None:
    bench = Bench(receive_bytes=256)
    bench.connect()
    request = frame(Kind.WRITE_MEMORY, 0, 0, data=bytes(300))
    assert bench.hear(request)[0][-1] == Outcome.DAMAGED
    assert bench.hear(frame(Kind.WRITE_MEMORY, 0, 0, data=bytes(200)))[0][-1] == Outcome.DONE


@pytest.mark.parametrize(("pause", "rate", "seed"), [(0.4, 0.0, 1), (0.0, 0.01, 2), (0.3, 0.01, 3)])
def test_nothing_is_lost_repeated_or_changed_on_a_bad_line(pause: float, rate: float, seed: int) -> None:
    machine = Machine()
    board = GatewareBoard(machine, pause=pause, seed=seed)
    port = DirectPort(board, Faults(rate, seed), Faults(rate, seed + 10))
    device = SerialDevice(Link(lambda: port, clock=port.clock))
    content = random.Random(seed).randbytes(300)
    device.write_memory(5, content)
    assert device.read_memory(5, 300).tobytes() == content
    assert not machine.memory[:5].any()
    assert not machine.memory[305:].any()
    for value in range(12):
        device.write_register(QUEUE_COUNT.offset, value)
        assert device.read_register(QUEUE_COUNT.offset) == value
    assert machine.written == [(QUEUE_COUNT.offset, value) for value in range(12)]


def test_wider_addresses_than_the_links_are_refused() -> None:
    with pytest.raises(ValueError, match="address_bits must be at most 48"):
        LinkEndpoint(register_address_bits=12, address_bits=64)


@pytest.mark.parametrize("size", [128, 1000, 1 << 16])
def test_a_receiver_that_is_no_ring_or_cannot_be_told_of_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"receive_bytes must be a power of two in 256..32768, not {size}"):
        LinkEndpoint(register_address_bits=12, address_bits=32, receive_bytes=size)


def test_converts() -> None:
    assert "module" in convert(LinkEndpoint(register_address_bits=12, address_bits=32))
