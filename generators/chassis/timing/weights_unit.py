"""`WeightsUnit`: when each WEIGHTS completes."""

from collections.abc import Callable
from typing import Protocol

from .clock import REGISTER_PHASE, UNIT_PHASE, Clock
from .command_flow import QueuedCommand, VerbQueue
from .read_arbiter import ReadArbiter, Splitter

_TRANSFER_CYCLES = 2
"""From the command being presented to its transfer being taken by the splitter."""


class StreamDecoder(Protocol):
    """A family's decoder at work on one coded command."""

    @property
    def finished(self) -> int | None:
        """The cycle of `finished`, once it is known."""
        ...

    @property
    def is_waiting(self) -> bool:
        """Whether nothing will happen before the next beat comes."""
        ...

    def beat(self, cycle: int) -> None:
        """A beat comes in `cycle`."""
        ...

    def cycle(self, cycle: int) -> bool:
        """Go through one cycle, any but those in which `is_waiting` held. True if a beat left the queue."""
        ...


class WeightsUnit:
    """One WEIGHTS at a time.

    Args:
        address_of: bus address of a command's first byte.
        decoder_of: the decoder of a coded command that starts in the given cycle, None if it is not coded.
        decoder_beats: places of the decoder's queue.
    """

    def __init__(
        self,
        clock: Clock,
        arbiter: ReadArbiter,
        queue: VerbQueue,
        burst_beats: int,
        address_of: Callable[[QueuedCommand], int],
        decoder_of: Callable[[QueuedCommand, int], StreamDecoder | None],
        decoder_beats: int,
    ) -> None:
        self._clock = clock
        self._arbiter = arbiter
        self._queue = queue
        self._splitter = Splitter(burst_beats)
        self._address_of = address_of
        self._burst_beats = burst_beats
        self._decoder_of = decoder_of
        self._decoder: StreamDecoder | None = None
        self._room = decoder_beats
        self._is_scheduled = False
        self._left = 0
        queue.start = self._start

    def _start(self, cycle: int, command: QueuedCommand) -> None:
        self._left = command.fields["beats"]
        started = cycle + _TRANSFER_CYCLES
        self._decoder = self._decoder_of(command, started)
        if self._decoder is not None:
            self._schedule(started + 1)
        elif not self._left:
            self._queue.complete(cycle + 3)
            return
        self._splitter.start(cycle + _TRANSFER_CYCLES, self._address_of(command), self._left)
        self._wake()

    def _wake(self) -> None:
        if self._splitter.offered_from is not None:
            self._arbiter.wake(self._splitter.offered_from)

    def requested_beats(self, cycle: int) -> int:
        """See `ReadClient`."""
        if self._decoder is not None and self._room < self._burst_beats:
            return 0
        return self._splitter.offered(cycle)

    def granted(self, cycle: int, beats: int) -> None:
        """See `ReadClient`."""
        self._splitter.taken(cycle)
        if self._decoder is not None:
            self._room -= beats
        self._wake()

    def beat(self, cycle: int, is_last: bool) -> None:
        """See `ReadClient`."""
        if self._decoder is not None:
            self._decoder.beat(cycle)
            self._schedule(cycle)
            return
        self._left -= 1
        if not self._left:
            self._queue.complete(cycle + 1)

    def _schedule(self, cycle: int) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.at(cycle, UNIT_PHASE, self._decode)

    def _decode(self, cycle: int) -> None:
        """One cycle of the decoder."""
        self._is_scheduled = False
        decoder = self._decoder
        if decoder is None:
            return
        if decoder.cycle(cycle):
            self._clock.at(cycle + 1, REGISTER_PHASE, self._freed)
        if decoder.finished is not None:
            self._decoder = None
            self._queue.complete(decoder.finished + 1)
        elif not decoder.is_waiting:
            self._schedule(cycle + 1)

    def _freed(self, cycle: int) -> None:
        self._room += 1
        offered = self._splitter.offered_from
        if offered is not None:
            self._arbiter.wake(max(cycle, offered))
