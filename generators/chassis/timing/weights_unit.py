"""`WeightsUnit`: when each WEIGHTS completes."""

from collections.abc import Callable

from .clock import Clock
from .command_flow import QueuedCommand, VerbQueue
from .read_arbiter import ReadArbiter, Splitter

_TRANSFER_CYCLES = 2
"""From the command being presented to its transfer being taken by the splitter."""


class WeightsUnit:
    """One WEIGHTS at a time. `address_of` gives the bus address of a command's first byte."""

    def __init__(
        self,
        clock: Clock,
        arbiter: ReadArbiter,
        queue: VerbQueue,
        burst_beats: int,
        address_of: Callable[[QueuedCommand], int],
    ) -> None:
        self._clock = clock
        self._arbiter = arbiter
        self._queue = queue
        self._splitter = Splitter(burst_beats)
        self._address_of = address_of
        self._left = 0
        queue.start = self._start

    def _start(self, cycle: int, command: QueuedCommand) -> None:
        self._left = command.fields["beats"]
        if not self._left:
            self._queue.complete(cycle + 3)
            return
        self._splitter.start(cycle + _TRANSFER_CYCLES, self._address_of(command), self._left)
        self._wake()

    def _wake(self) -> None:
        if self._splitter.offered_from is not None:
            self._arbiter.wake(self._splitter.offered_from)

    def requested_beats(self, cycle: int) -> int:
        """See `ReadClient`."""
        return self._splitter.offered(cycle)

    def granted(self, cycle: int, beats: int) -> None:
        """See `ReadClient`."""
        self._splitter.taken(cycle)
        self._wake()

    def beat(self, cycle: int, is_last: bool) -> None:
        """See `ReadClient`."""
        self._left -= 1
        if not self._left:
            self._queue.complete(cycle + 1)
