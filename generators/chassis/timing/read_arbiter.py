"""`AxiReadArbiter` and the `BurstSplitter` in front of each of its clients."""

from collections.abc import Callable
from typing import Protocol

from ....hdl.burst_splitter import split
from .clock import ARBITER_PHASE, REGISTER_PHASE, Clock
from .memory_port import MemoryPort

_SPLITTER_LATENCY = 3
"""Cycles from a transfer being taken to its first burst."""


class Splitter:
    """Bursts of one transfer at a time: what is offered, and from which cycle on."""

    def __init__(self, burst_beats: int, beat_bytes: int = 8) -> None:
        self._burst_beats = burst_beats
        self._beat_bytes = beat_bytes
        self._bursts: list[tuple[int, int]] = []
        self._offered_from = 0
        self._idle_from = 0

    def start(self, cycle: int, address: int, beats: int) -> None:
        """The transfer is taken in `cycle`."""
        self._bursts = split(address, beats, self._burst_beats, self._beat_bytes)
        self._bursts.reverse()
        self._offered_from = cycle + _SPLITTER_LATENCY

    @property
    def offered_from(self) -> int | None:
        """First cycle in which the next burst is offered, None when there is none."""
        return self._offered_from if self._bursts else None

    def offered(self, cycle: int) -> int:
        """Beats of the burst that is offered in `cycle`, 0 if none is."""
        if not self._bursts or cycle < self._offered_from:
            return 0
        return self._bursts[-1][1]

    def taken(self, cycle: int) -> None:
        """The burst on offer is taken in `cycle`."""
        self._bursts.pop()
        self._offered_from = cycle + 2
        self._idle_from = cycle + 1

    def is_idle(self, cycle: int) -> bool:
        """Whether no transfer is in work in `cycle`, a later one than that of `start`."""
        return not self._bursts and cycle >= self._idle_from


class ReadClient(Protocol):
    """A client of the arbiter."""

    def requested_beats(self, cycle: int) -> int:
        """Beats of the burst that it asks for in `cycle`, from its registers at the cycle's start; 0 for none."""
        ...

    def granted(self, cycle: int, beats: int) -> None:
        """The request is taken in `cycle`."""
        ...

    def beat(self, cycle: int, is_last: bool) -> None:
        """A beat reaches the client in `cycle`; `is_last` of its burst."""
        ...


class ReadArbiter:
    """Grants bursts to clients in fixed order of priority and hands them to the memory."""

    def __init__(self, clock: Clock, memory: MemoryPort, outstanding: int) -> None:
        self._clock = clock
        self._memory = memory
        self._outstanding = outstanding
        self._clients: list[ReadClient] = []
        self._in_flight = 0
        self._free_from = 0
        self.idle_from = 0
        """First cycle in which no burst is between grant and last beat, as far as is known."""

    def add_client(self, client: ReadClient) -> None:
        """A client of lower priority than those added before."""
        self._clients.append(client)

    def wake(self, cycle: int) -> None:
        """A client may have a request from `cycle` on."""
        self._clock.at(cycle, ARBITER_PHASE, self._evaluate)

    def _evaluate(self, cycle: int) -> None:
        if cycle < self._free_from or self._in_flight == self._outstanding:
            return
        for client in self._clients:
            beats = client.requested_beats(cycle)
            if beats:
                self._grant(client, cycle, beats)
                return

    def _grant(self, client: ReadClient, cycle: int, beats: int) -> None:
        self._in_flight += 1
        self._free_from = 1 << 62
        client.granted(cycle, beats)
        self._clock.at(cycle + 1, ARBITER_PHASE, self._address_handshake(client, beats))

    def _address_handshake(self, client: ReadClient, beats: int) -> Callable[[int], None]:
        def handshake(cycle: int) -> None:
            if not self._memory.accepts_read(cycle):
                self._clock.at(cycle + 1, ARBITER_PHASE, handshake)
                return
            self._memory.read(cycle, beats, self._sink(client))
            self._free_from = cycle + 1
            self.wake(cycle + 1)

        return handshake

    def _sink(self, client: ReadClient) -> Callable[[int, bool], None]:
        def sink(cycle: int, is_last: bool) -> None:
            if is_last:
                self._clock.at(cycle + 2, REGISTER_PHASE, self._finished)
            client.beat(cycle + 1, is_last)

        return sink

    def _finished(self, cycle: int) -> None:
        """The first cycle in which a burst's place is free again."""
        self._in_flight -= 1
        self.idle_from = cycle
        self.wake(cycle)
