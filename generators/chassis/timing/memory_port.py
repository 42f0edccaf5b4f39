"""The memory contract of `MemoryModel`, cycle by cycle."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from ..memory import MemoryModel
from .clock import MEMORY_PHASE, Clock

_NEVER = 1 << 62


BeatSink = Callable[[int, bool], None]
"""Takes a beat of a read burst: the cycle in which it is handed over on R, and whether it is the burst's last."""


class WriteSource(Protocol):
    """Who offers write beats; `AxiWriter`'s model."""

    def offers_beat(self, cycle: int) -> bool:
        """Whether W is valid in `cycle`."""
        ...

    def beat_taken(self, cycle: int) -> bool:
        """W is handed over in `cycle`; returns whether it was the burst's last beat."""
        ...

    def answered(self, cycle: int) -> None:
        """B is handed over in `cycle`."""
        ...


class MemoryPort:
    """The port's state; steps through every cycle in which a burst is outstanding and something may happen.

    Random back-pressure (`seed`) is not modelled: a prediction is for the memory without it.
    """

    def __init__(self, clock: Clock, model: MemoryModel, beat_bytes: int) -> None:
        rate = model.bytes_per_cycle
        self._clock = clock
        self._latency = model.latency
        self._rate = rate.numerator
        self._beat = beat_bytes * rate.denominator
        self._read_limit = model.outstanding_reads
        self._write_limit = model.outstanding_writes
        self._credit = 0
        self._stepped = 0
        self._idle_since = 0
        self._scheduled = -1
        self._reads: deque[tuple[int, int, BeatSink]] = deque()
        self._beats_left = 0
        self._writes: deque[int] = deque()
        self._responses: deque[int] = deque()
        self._writes_unanswered = 0
        self._freed_reads: deque[int] = deque()
        self._freed_writes: deque[int] = deque()
        self.writer: WriteSource | None = None

    def accepts_read(self, cycle: int) -> bool:
        """Whether ARREADY is high in `cycle`."""
        ended = sum(1 for freed in self._freed_reads if freed >= cycle)
        return len(self._reads) + ended < self._read_limit

    def accepts_write(self, cycle: int) -> bool:
        """Whether AWREADY is high in `cycle`."""
        ended = sum(1 for freed in self._freed_writes if freed >= cycle)
        return self._writes_unanswered + ended < self._write_limit

    def read(self, cycle: int, beats: int, sink: BeatSink) -> None:
        """AR is handed over in `cycle`."""
        self._leave_idle(cycle)
        if not self._reads:
            self._beats_left = beats
        self._reads.append((cycle, beats, sink))
        self._wake(cycle + 1)

    def write(self, cycle: int) -> None:
        """AW is handed over in `cycle`."""
        self._leave_idle(cycle)
        self._writes.append(cycle)
        self._writes_unanswered += 1
        self._wake(cycle + 1)

    def write_beat_ready(self, cycle: int) -> None:
        """The writer offers a beat from `cycle` on, which is later than the current one."""
        if self._writes:
            self._wake(cycle)

    def _wake(self, cycle: int) -> None:
        if self._scheduled < 0 or cycle < self._scheduled:
            self._scheduled = cycle
            self._clock.at(cycle, MEMORY_PHASE, self._step)

    def _advance_credit(self, cycle: int) -> None:
        """Credit at the start of `cycle`, from that after the last cycle stepped through."""
        cycles = cycle - self._stepped
        self._credit = min(self._credit + cycles * self._rate, self._beat - 1 + self._rate)
        self._stepped = cycle

    def _leave_idle(self, cycle: int) -> None:
        """An address is handed over in `cycle`; credit is 0 there unless a burst was still outstanding."""
        if self._idle_since <= cycle:
            self._credit = 0
            self._stepped = cycle
        self._idle_since = _NEVER

    def _step(self, cycle: int) -> None:
        if cycle != self._scheduled:
            return
        self._scheduled = -1
        self._advance_credit(cycle)
        self._read_beat(cycle)
        self._write_beat(cycle)
        self._response(cycle)
        if not self._reads and not self._writes_unanswered:
            self._idle_since = cycle + 1
        following = self._next_cycle(cycle)
        if following is not None:
            self._wake(following)

    def _read_beat(self, cycle: int) -> None:
        if not self._reads:
            return
        issued, _, sink = self._reads[0]
        if issued > cycle - self._latency or self._credit < self._beat:
            return
        self._credit -= self._beat
        self._beats_left -= 1
        is_last = self._beats_left == 0
        if is_last:
            self._reads.popleft()
            self._freed_reads.append(cycle)
            while self._freed_reads[0] < cycle - 1:
                self._freed_reads.popleft()
            if self._reads:
                self._beats_left = self._reads[0][1]
        sink(cycle, is_last)

    def _write_beat(self, cycle: int) -> None:
        if not self._writes or self._writes[0] >= cycle or self._credit < self._beat or self.writer is None:
            return
        if self.writer.offers_beat(cycle):
            self._credit -= self._beat
            if self.writer.beat_taken(cycle):
                self._writes.popleft()
                self._responses.append(cycle)

    def _response(self, cycle: int) -> None:
        if self._responses and self._responses[0] <= cycle - self._latency and self.writer is not None:
            self._responses.popleft()
            self._writes_unanswered -= 1
            self._freed_writes.append(cycle)
            while self._freed_writes[0] < cycle - 1:
                self._freed_writes.popleft()
            self.writer.answered(cycle)

    def _next_cycle(self, cycle: int) -> int | None:
        """The next cycle in which anything may happen, as far as the port knows."""
        candidates = []
        if self._reads:
            candidates.append(max(cycle + 1, self._reads[0][0] + self._latency))
        if self._responses:
            candidates.append(max(cycle + 1, self._responses[0] + self._latency))
        if self._writes and self.writer is not None and self.writer.offers_beat(cycle):
            candidates.append(cycle + 1)
        return min(candidates, default=None)
