"""The host's end of the link: requests out, replies in, whatever the line does to them."""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from celosia.hdl.link.protocol import (
    IDENTITY,
    INTERRUPT_BIT,
    LINK_MAGIC,
    OUTCOME_BYTES,
    OUTCOME_MASK,
    PROTOCOL_VERSION,
    REPLY_BIT,
    REPLY_HEADER,
    REQUEST_HEADER,
    Kind,
    Outcome,
    field_bits,
    pack,
    size,
    unpack,
)

from .byte_port import BytePort
from .errors import FrameTooLarge, LinkError, PortError, SessionLost
from .framing import FrameDecoder, encode_frame
from .messages import SHORTEST_REPLY, Identity, Reply, Request
from .pace import SMALLEST_PAYLOAD, Pace
from .round_trip import Clock, RoundTripEstimator

_SILENCES = 24
"""Time-outs in a row without a single good frame, after which a board counts as gone if its patience is over too."""

_ATTEMPTS = 400
"""Times that one request is sent before the line counts as unusable."""

_ATTEMPTS_OF_LARGE = 3
"""Times that a frame is sent which is larger than the present payload; then it is cut up anew."""

_SEQUENCES = 1 << field_bits(REQUEST_HEADER, "sequence")
_SESSIONS = 1 << field_bits(REQUEST_HEADER, "session")


@dataclass(slots=True)
class _Pending:
    """A request that was not handed on answered yet.

    Attributes:
        order: number of its first transmission among all.
        line_bytes: all that its reply waits for.
        is_missing: lost, and not sent again yet.
    """

    sequence: int
    request: Request
    order: int = 0
    attempts: int = 0
    is_missing: bool = True
    first_sent_at: float = 0.0
    sent_at: float = 0.0
    line_bytes: int = 0
    reply: Reply | None = None


@dataclass(slots=True)
class LinkStatistics:
    """Since the link was made: frames sent, those sent again, damaged ones seen here, time-outs, sessions."""

    sent: int = 0
    repeated: int = 0
    damaged: int = 0
    expired: int = 0
    sessions: int = 0


class Link:
    """A session with a board's endpoint over a port that may lose, damage, repeat and delay what it carries.

    Requests are numbered and executed in order, each exactly once; see `docs/link.md`. After an error the next
    call opens the port again, if need be, and begins a new session.

    Attributes:
        noticed: a notice said that the interrupt rose, since `listen` was last called. Only a hint: it may be old.
        pace: of memory transfers.
        statistics: what happened so far.
    """

    def __init__(
        self, open_port: Callable[[], BytePort], patience: float = 10.0, clock: Clock = time.monotonic
    ) -> None:
        """Nothing is opened before `connect`; a board may be silent for `patience` seconds, longer if it is slow."""
        self._open_port = open_port
        self._patience = patience
        self._clock = clock
        self._port: BytePort | None = None
        self._decoder = FrameDecoder()
        self._estimator = RoundTripEstimator()
        self._identity: Identity | None = None
        self._session = secrets.randbelow(_SESSIONS)
        self._sequence = 0
        self._order = 0
        self._silences = 0
        self._estrangements = 0
        self._heard_at = 0.0
        self._is_unfinished = False
        self.noticed = False
        self.pace = Pace(SMALLEST_PAYLOAD, 1)
        self.statistics = LinkStatistics()

    @property
    def identity(self) -> Identity:
        """The endpoint's; connects if need be."""
        return self._identity or self.connect()

    def connect(self) -> Identity:
        """Open the port if it is not, and begin a new session.

        Raises:
            PortError: the port cannot be opened.
            LinkError: nothing answers, or something else than this protocol's endpoint.
        """
        if self._port is None:
            self._port = self._open_port()
            self._decoder = FrameDecoder()
        self._session = self._session % (_SESSIONS - 1) + 1  # never 0, never the one before
        self._sequence = 0
        self.statistics.sessions += 1
        self._identity = None
        (reply,) = self._converse(iter([Request(Kind.CONNECT)]), Identity(1, 0, 1 << 16, 0))
        values = unpack(IDENTITY, reply.data)
        if values["magic"] != LINK_MAGIC:
            raise LinkError(
                f"no Celosia link answers: its magic is 0x{values['magic']:08x}, not 0x{LINK_MAGIC:08x}"
            )
        if values["version"] != PROTOCOL_VERSION:
            raise LinkError(
                f"the board's link has version {values['version']}, this host speaks {PROTOCOL_VERSION}: "
                "build the bitstream and the host from the same release"
            )
        found = Identity(
            values["window"], values["address_bits"], values["receive_bytes"], values["payload_bytes"]
        )
        if self.statistics.sessions == 1:
            self.pace = Pace(found.payload_bytes, found.window)
        self._identity = found
        return found

    def exchange(self, requests: Iterator[Request]) -> Iterator[Reply]:
        """Replies to `requests`, in order; a request is drawn when there is room for it on the board.

        No request may change what an unanswered one before it reads.

        Raises:
            PortError, LinkError: the line, or the board, is gone.
            FrameTooLarge: begin anew with what has no reply yet, in smaller pieces.
        """
        if (
            self._is_unfinished
        ):  # what the board will make of the rest is open: leave it to a session that is over
            self.connect()
        return self._converse(requests, self.identity)

    def ask(self, request: Request) -> Reply:
        """The reply to one request; raises as `exchange`."""
        (reply,) = self.exchange(iter([request]))
        return reply

    def listen(self, seconds: float) -> None:
        """Let `seconds` pass; less if a notice says that the interrupt rose."""
        self.noticed = False
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0 and not self.noticed:
            self._take(deque(), left)

    def expected_round_trip(self) -> float:
        """Seconds that reading a register takes on average."""
        return self._estimator.expected(Request(Kind.READ_REGISTER).line_bytes)

    def close(self) -> None:
        """Release the port."""
        port, self._port, self._identity = self._port, None, None
        if port is not None:
            port.close()

    def _converse(self, requests: Iterator[Request], room: Identity) -> Iterator[Reply]:
        pending: deque[_Pending] = deque()
        self._silences = self._estrangements = 0
        self._heard_at = self._clock()
        self._is_unfinished = True
        upcoming = next(requests, None)
        try:
            while pending or upcoming is not None:
                self._send_missing(pending)
                while upcoming is not None and self._has_room(pending, upcoming, room):
                    pending.append(_Pending(self._sequence, upcoming))
                    self._send(pending, pending[-1])
                    if upcoming.kind != Kind.CONNECT:
                        self._sequence = (self._sequence + 1) % _SEQUENCES
                    upcoming = next(requests, None)
                self._await(pending)
                while pending and (reply := pending[0].reply) is not None:
                    pending.popleft()
                    yield reply
        except PortError:
            self.close()
            raise
        self._is_unfinished = False

    def _has_room(self, pending: deque[_Pending], request: Request, room: Identity) -> bool:
        if not pending:
            return True
        taken = sum(entry.request.receive_bytes for entry in pending)
        return (
            len(pending) < min(room.window, self.pace.frames)
            and taken + request.receive_bytes <= room.receive_bytes
            and not any(entry.is_missing for entry in pending)
        )

    def _send_missing(self, pending: deque[_Pending]) -> None:
        """Send again what got lost, the oldest first, no more ahead than the line is good for."""
        in_flight = sum(entry.reply is None and not entry.is_missing for entry in pending)
        for entry in pending:
            if entry.is_missing and in_flight < self.pace.frames:
                payload = max(len(entry.request.data), entry.request.length)
                if entry.attempts >= _ATTEMPTS_OF_LARGE and payload > 2 * self.pace.payload:
                    raise FrameTooLarge(f"a frame of {payload} bytes was lost {entry.attempts} times")
                self._send(pending, entry)
                in_flight += 1

    def _send(self, pending: deque[_Pending], entry: _Pending) -> None:
        request = entry.request
        header = {
            "kind": request.kind,
            "session": self._session,
            "sequence": entry.sequence,
            "address": request.address,
            "length": request.length,
        }
        self._order += 1
        entry.attempts += 1
        entry.is_missing = False
        in_flight = [other for other in pending if other.reply is None and not other.is_missing]
        entry.line_bytes = sum(other.request.line_bytes for other in in_flight)
        self.statistics.sent += 1
        self.statistics.repeated += entry.attempts > 1
        if entry.attempts > _ATTEMPTS:
            raise LinkError(f"a request was sent {_ATTEMPTS} times and never answered: the line is too noisy")
        self._opened().write(encode_frame(pack(REQUEST_HEADER, header) + request.data))
        entry.sent_at = self._clock()
        if entry.attempts == 1:
            entry.first_sent_at = entry.sent_at
            entry.order = self._order

    def _await(self, pending: deque[_Pending]) -> None:
        """Take what comes in; when the oldest reply is late, ask again."""
        oldest = next(entry for entry in pending if entry.reply is None and not entry.is_missing)
        deadline = oldest.sent_at + self._estimator.timeout(oldest.line_bytes)
        if self._take(pending, deadline - self._clock()):
            self._silences = 0
            self._heard_at = self._clock()
        elif self._clock() >= deadline:
            self._silences += 1
            self.statistics.expired += 1
            self._estimator.expired()
            self._check_silence(oldest)
            self._miss(entry for entry in pending if entry.reply is None)

    def _check_silence(self, oldest: _Pending) -> None:
        silent = self._clock() - self._heard_at
        if silent < self._patience:
            return
        if oldest.request.kind == Kind.CONNECT:
            raise LinkError(
                f"no board answers within {silent:.0f} s: is it on, is its bitstream loaded, is the baud rate right? "
                f"({self._decoder.damaged} damaged frames were received)"
            )
        if self._silences >= _SILENCES:
            raise LinkError(
                f"the board has stopped answering: {oldest.request.kind.name} was sent {oldest.attempts} times, "
                f"nothing came back for {silent:.1f} s"
            )

    def _take(self, pending: deque[_Pending], seconds: float) -> bool:
        """Handle what comes in within `seconds`; whether a good frame did."""
        line = self._opened().read(max(seconds, 0.0))
        contents = self._decoder.feed(line)
        self.statistics.damaged = self._decoder.damaged
        lost: list[_Pending] = []
        for content in contents:
            lost += self._handle(pending, content)
        # Only now: all of this was sent before anything can be sent again because of it.
        self._miss(entry for entry in lost if entry.reply is None)
        return bool(contents)

    def _miss(self, entries: Iterable[_Pending]) -> None:
        """Note what got lost."""
        lost = list(entries)
        if lost:
            self.pace.lost()
        for entry in lost:
            entry.is_missing = True

    def _handle(self, pending: deque[_Pending], content: bytes) -> list[_Pending]:
        """Take a frame from the board; which requests or replies it shows to be lost."""
        if len(content) < SHORTEST_REPLY or content[-1] & OUTCOME_MASK >= len(Outcome):
            return []
        header = unpack(REPLY_HEADER, content)
        outcome = Outcome(content[-1] & OUTCOME_MASK)
        if header["kind"] == Kind.NOTICE and outcome == Outcome.OTHER_SESSION:
            return self._estranged(pending, header["session"])
        if header["session"] != self._session:
            return []
        interrupt = bool(content[-1] & INTERRUPT_BIT)
        if header["kind"] == Kind.NOTICE:
            self.noticed |= interrupt
            if outcome in (Outcome.DAMAGED, Outcome.OUT_OF_ORDER):
                return self._not_executed(pending, header["sequence"])
            return []
        for entry in pending:
            if entry.sequence == header["sequence"] and header["kind"] == entry.request.kind | REPLY_BIT:
                data = content[size(REPLY_HEADER) : -OUTCOME_BYTES]
                return self._answered(pending, entry, Reply(outcome, data, interrupt))
        return []

    def _estranged(self, pending: deque[_Pending], session: int) -> list[_Pending]:
        """The board named another session than that of a request: all that is unanswered."""
        if session == self._session or not pending or pending[0].request.kind == Kind.CONNECT:
            return []
        self._estrangements += 1
        if self._estrangements > 1:  # the first may have been on its way since before this session began
            raise SessionLost(
                "the board was reset, or another program has connected to it, in the middle of a transfer: "
                "its registers and memory may have changed; load the program again"
            )
        return [entry for entry in pending if entry.reply is None]

    def _not_executed(self, pending: deque[_Pending], expected: int) -> list[_Pending]:
        """The board waits for the request `expected`: it and what came after, unless that is on its way again."""
        unanswered = [entry for entry in pending if entry.reply is None]
        for place, entry in enumerate(unanswered):
            if entry.sequence == expected:
                others = entry.line_bytes - entry.request.line_bytes
                quiet = self._estimator.expected(others + entry.request.line_bytes // 2)
                if entry.attempts == 1 or self._clock() - entry.sent_at >= quiet:
                    return unanswered[place:]
        return []

    def _answered(self, pending: deque[_Pending], entry: _Pending, reply: Reply) -> list[_Pending]:
        """A reply came: the requests sent before whose replies did not, since the line keeps the order."""
        if entry.reply is not None or not entry.request.fits(reply):
            return []
        if entry.attempts == 1:
            self._estimator.measured(self._clock() - entry.sent_at, entry.line_bytes)
            self.pace.delivered()
        elif not self._estimator.has_measured:
            self._estimator.bounded(self._clock() - entry.first_sent_at)
        elif self._clock() - entry.sent_at >= self._estimator.expected(entry.request.line_bytes) / 2:
            self._estimator.recovered()  # too late to belong to an earlier transmission: that one was lost
        entry.reply = reply
        entry.is_missing = False
        self._estrangements = 0
        return [
            other
            for other in pending
            if other.reply is None and other.attempts == 1 and other.order < entry.order
        ]

    def _opened(self) -> BytePort:
        if self._port is None:
            raise LinkError("the link is closed")
        return self._port
