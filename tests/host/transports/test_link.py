"""The host's link against the model of the endpoint, in simulated time: what a line can do to it."""

import random
from collections.abc import Callable, Iterator

import pytest

from celosia.generators.chassis.register_map import MAGIC, MAGIC_VALUE, QUEUE_COUNT
from celosia.hdl.link.protocol import Kind, Outcome
from celosia.host.transports.errors import LinkError, PortError, SessionLost
from celosia.host.transports.framing import FrameDecoder, encode_frame
from celosia.host.transports.link import Link
from celosia.host.transports.messages import Request
from tests.link_bench.endpoint_twin import EndpointTwin
from tests.link_bench.line import DirectPort, Faults
from tests.link_bench.machine import Machine

READ_MAGIC = Request(Kind.READ_REGISTER, MAGIC.offset)


def linked(port: DirectPort) -> Link:
    return Link(lambda: port, clock=port.clock)


@pytest.fixture
def board() -> EndpointTwin:
    return EndpointTwin(Machine())


@pytest.fixture
def port(board: EndpointTwin) -> DirectPort:
    return DirectPort(board)


def writes(values: range) -> Iterator[Request]:
    for value in values:
        yield Request(Kind.WRITE_REGISTER, QUEUE_COUNT.offset, data=value.to_bytes(4, "little"))


def test_a_register_is_read(port: DirectPort) -> None:
    reply = linked(port).ask(READ_MAGIC)
    assert (reply.outcome, int.from_bytes(reply.data, "little")) == (Outcome.DONE, MAGIC_VALUE)


def test_replies_come_in_order_of_the_requests(port: DirectPort) -> None:
    link = linked(port)
    link.pace.frames = 16
    requests = [Request(Kind.READ_MEMORY, address, length=1 + address) for address in range(40)]
    assert [len(reply.data) for reply in link.exchange(iter(requests))] == [1 + n for n in range(40)]


def test_no_more_is_sent_than_the_board_has_room_for(board: EndpointTwin, port: DirectPort) -> None:
    sent = []
    unanswered = 0
    most = 0

    def watch(line: bytes) -> bytes:
        nonlocal unanswered, most
        requests = [content for content in FrameDecoder().feed(line) if content]
        sent.extend(requests)
        unanswered += sum(len(content) for content in requests)
        most = max(most, unanswered)
        return line

    def hold_back(line: bytes) -> bytes:
        nonlocal unanswered
        unanswered = 0 if line else unanswered
        return line

    board.identity |= {"receive_bytes": 512, "payload_bytes": 128, "window": 16}
    watched = DirectPort(board, watch, hold_back)
    link = linked(watched)
    list(link.exchange(Request(Kind.WRITE_MEMORY, 0, data=bytes(128)) for _ in range(60)))
    assert len(sent) == 61
    assert most <= 512


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.03])
@pytest.mark.parametrize("seed", range(3))
def test_every_request_is_executed_exactly_once_in_order(board: EndpointTwin, rate: float, seed: int) -> None:
    port = DirectPort(board, Faults(rate, seed), Faults(rate, seed + 100))
    link = linked(port)
    link.connect()
    link.pace.frames = 16
    replies = list(link.exchange(writes(range(300))))
    assert [reply.outcome for reply in replies] == [Outcome.DONE] * 300
    assert [value for _, value in board.machine.written] == list(range(300))
    assert 0 < link.statistics.repeated < 5 * 300, "many notices of one loss do not multiply what is sent"


class Twice:
    """A board that hears every frame twice, the second time after the frame that follows it."""

    def __init__(self, board: EndpointTwin) -> None:
        self._board = board
        self._decoder = FrameDecoder()
        self._last = b""

    def step(self, line: bytes) -> bytes:
        answer = self._board.step(b"")
        for content in self._decoder.feed(line):
            answer += self._board.step(encode_frame(content) + self._last)
            self._last = encode_frame(content)
        return answer


def test_requests_heard_twice_are_executed_once(board: EndpointTwin) -> None:
    link = linked(DirectPort(Twice(board)))
    assert len(list(link.exchange(writes(range(50))))) == 50
    assert [value for _, value in board.machine.written] == list(range(50))


class Slow:
    """A board whose line takes `delay` steps each way."""

    def __init__(self, board: EndpointTwin, delay: Callable[[], int]) -> None:
        self._board = board
        self._delay = delay
        self._due: list[tuple[int, bytes]] = []
        self._now = 0

    def step(self, line: bytes) -> bytes:
        self._now += 1
        earliest = self._due[-1][0] if self._due else 0
        self._due.append((max(earliest, self._now + self._delay()), self._board.step(line)))
        answer = b""
        while self._due and self._due[0][0] <= self._now:
            answer += self._due.pop(0)[1]
        return answer


@pytest.mark.parametrize("delay", [10, 200])
def test_however_slow_a_board_is_once_measured_nothing_is_repeated_needlessly(
    board: EndpointTwin, delay: int
) -> None:
    port = DirectPort(Slow(board, lambda: delay))
    link = linked(port)
    link.connect()
    for _ in range(20):
        link.ask(READ_MAGIC)
    before = link.statistics.repeated
    for _ in range(50):
        link.ask(READ_MAGIC)
    assert link.statistics.repeated == before


def test_replies_that_come_late_now_and_then_do_not_mislead(board: EndpointTwin) -> None:
    generator = random.Random(4)
    link = linked(DirectPort(Slow(board, lambda: generator.choice([1, 1, 1, 1, 1, 100]))))
    for value in range(60):
        link.ask(next(writes(range(value, value + 1))))
        reply = link.ask(Request(Kind.READ_REGISTER, QUEUE_COUNT.offset))
        assert int.from_bytes(reply.data, "little") == value
    assert [value for _, value in board.machine.written] == list(range(60))


def test_a_time_out_grows_with_the_round_trip_not_with_the_wall_clock(board: EndpointTwin) -> None:
    seconds = {}
    for delay in (10, 100):
        port = DirectPort(Slow(board, lambda delay=delay: delay))
        link = linked(port)
        for _ in range(30):
            link.ask(READ_MAGIC)
        lost = port.clock()
        port.board = Mute()
        with pytest.raises(LinkError, match="stopped answering"):
            link.ask(READ_MAGIC)
        seconds[delay] = port.clock() - lost
    assert 5 < seconds[100] / seconds[10] < 20


class Mute:
    """Nobody at the other end."""

    def step(self, line: bytes) -> bytes:
        return b""


class Noise:
    """Another rate at the other end."""

    def step(self, line: bytes) -> bytes:
        return b"\x00\x7e\xff" if line else b""


@pytest.mark.parametrize(("board", "damaged"), [(Mute(), "0 damaged"), (Noise(), r"[1-9]\d* damaged")])
def test_nobody_there_is_told_within_the_patience(board: Mute | Noise, damaged: str) -> None:
    port = DirectPort(board)
    with pytest.raises(LinkError, match=f"no board answers within .* baud rate right.*{damaged}"):
        Link(lambda: port, patience=5.0, clock=port.clock).connect()
    assert 5 <= port.clock() < 10


def test_a_board_that_falls_silent_is_told(board: EndpointTwin, port: DirectPort) -> None:
    link = linked(port)
    link.ask(READ_MAGIC)
    port.board = Mute()
    with pytest.raises(LinkError, match=r"the board has stopped answering: READ_REGISTER was sent \d+ times"):
        link.ask(READ_MAGIC)
    port.board = board
    assert link.ask(READ_MAGIC).outcome == Outcome.DONE, "it is tried again"


def test_a_board_that_was_reset_is_told_and_then_used_again(board: EndpointTwin, port: DirectPort) -> None:
    link = linked(port)
    link.ask(READ_MAGIC)
    board.reset()
    with pytest.raises(SessionLost, match="the board was reset, or another program has connected"):
        link.ask(READ_MAGIC)
    assert link.ask(READ_MAGIC).outcome == Outcome.DONE


def test_another_program_that_connects_is_told(board: EndpointTwin, port: DirectPort) -> None:
    link = linked(port)
    link.ask(READ_MAGIC)
    linked(DirectPort(board)).connect()
    with pytest.raises(SessionLost):
        link.ask(READ_MAGIC)


def test_a_pulled_cable_is_told_and_the_port_opened_again(board: EndpointTwin) -> None:
    ports: list[DirectPort] = []

    def open_port() -> DirectPort:
        ports.append(DirectPort(board))
        return ports[-1]

    link = Link(open_port, clock=lambda: ports[-1].seconds if ports else 0.0)
    link.ask(READ_MAGIC)
    ports[-1].is_unplugged = True
    with pytest.raises(PortError, match="the cable is out"):
        link.ask(READ_MAGIC)
    assert link.ask(READ_MAGIC).outcome == Outcome.DONE
    assert len(ports) == 2


def test_replies_of_an_earlier_program_are_not_taken(board: EndpointTwin) -> None:
    """Its requests are still on their way when this one connects."""
    earlier = linked(DirectPort(board))
    earlier.connect()
    late = DirectPort(Slow(board, lambda: 30))
    late.write(encode_frame(b"".join([b"\x03", earlier._session.to_bytes(2, "little"), bytes(10)])))
    link = linked(late)
    assert link.ask(Request(Kind.READ_REGISTER, QUEUE_COUNT.offset)).data == bytes(4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"magic": 1}, "its magic is 0x00000001, not"),
        ({"version": 99}, "link has version 99, this host speaks 1"),
    ],
)
def test_what_is_no_endpoint_of_this_version_is_refused(
    board: EndpointTwin, port: DirectPort, change: dict[str, int], message: str
) -> None:
    board.identity |= change
    with pytest.raises(LinkError, match=message):
        linked(port).connect()


def test_sequence_numbers_begin_anew_after_the_last(board: EndpointTwin, port: DirectPort) -> None:
    link = linked(port)
    link.connect()
    link._sequence = board._expected = (1 << 16) - 20
    assert len(list(link.exchange(writes(range(50))))) == 50
    assert [value for _, value in board.machine.written] == list(range(50))


def test_an_exchange_that_was_given_up_leaves_nothing_behind(port: DirectPort) -> None:
    link = linked(port)
    exchange = link.exchange(writes(range(30)))
    next(exchange)
    assert int.from_bytes(link.ask(READ_MAGIC).data, "little") == MAGIC_VALUE
    assert link.statistics.sessions == 2


def test_a_line_that_lets_nothing_through_is_given_up(board: EndpointTwin) -> None:
    port = DirectPort(board)
    link = linked(port)
    link.connect()
    port.to_board = Faults(1.0, 1)
    with pytest.raises(LinkError, match=r"sent 400 times|stopped answering"):
        link.ask(READ_MAGIC)
