"""`WeightsUnit`: when each WEIGHTS completes."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..prediction import TimingError
from ..weights import ACCEPTED_COMMANDS
from .clock import REGISTER_PHASE, UNIT_PHASE, Clock
from .command_flow import QueuedCommand, VerbQueue
from .read_arbiter import ReadArbiter, Splitter

_CHECK_CYCLES = 2
"""From the command being presented to its region being checked."""
_QUEUE_CYCLES = 2
"""From a command being taken to its being the oldest, if there is no older one."""


class StreamDecoder(Protocol):
    """A family's decoder."""

    @property
    def finished(self) -> int | None:
        """The cycle of `finished` of the command that it works on, once it is known."""
        ...

    @property
    def is_waiting(self) -> bool:
        """Whether nothing will happen before the next beat or command comes."""
        ...

    def start(self, cycle: int, fields: Mapping[str, int]) -> None:
        """A coded command with these fields starts in `cycle`; call it in that cycle."""
        ...

    def beat(self, cycle: int) -> None:
        """A beat comes in `cycle`."""
        ...

    def cycle(self, cycle: int) -> bool:
        """Go through one cycle, any but those in which `is_waiting` held. True if a beat left the queue."""
        ...


class NoDecoder:
    """Of a family whose weights come as they are."""

    finished: int | None = None
    is_waiting = True

    def start(self, cycle: int, fields: Mapping[str, int]) -> None:
        """Nobody works on a coded command.

        Raises:
            TimingError: always; the run would never end.
        """
        raise TimingError("the command list never ends: WEIGHTS waits for a decoder that there is none of")

    def beat(self, cycle: int) -> None:
        """Nothing takes a beat."""

    def cycle(self, cycle: int) -> bool:
        """Nothing happens."""
        return False


@dataclass(slots=True)
class _Open:
    """A command that was taken and is not complete."""

    command: QueuedCommand
    taken: int
    left: int
    is_coded: bool
    arrived: int | None = None
    """The cycle of its last beat, once it is known."""
    oldest_from: int | None = None


class WeightsUnit:
    """Requests ahead, beats and completions in order.

    Args:
        address_of: bus address of a command's first byte.
        decoder: of coded commands.
        decoder_beats: places of the decoder's queue.
        beat_bytes: of the port.
    """

    def __init__(
        self,
        clock: Clock,
        arbiter: ReadArbiter,
        queue: VerbQueue,
        burst_beats: int,
        address_of: Callable[[QueuedCommand], int],
        decoder: StreamDecoder,
        decoder_beats: int,
        beat_bytes: int = 8,
    ) -> None:
        self._clock = clock
        self._arbiter = arbiter
        self._queue = queue
        self._splitter = Splitter(burst_beats, beat_bytes)
        self._address_of = address_of
        self._burst_beats = burst_beats
        self._decoder = decoder
        self._is_scheduled = False
        self._room = decoder_beats
        self._presented: QueuedCommand | None = None
        self._checked_from = 0
        self._requests_coded = False
        self._coming: deque[_Open] = deque()
        """Commands that have beats to come."""
        self._open: deque[_Open] = deque()
        self._waiting = 0
        """Of these, those that are not the oldest, as far as the requests see."""
        self._decoding = 0
        """Coded ones of these, as far as the requests see."""
        self._decoder_destination = 0
        queue.start = self._start

    def _start(self, cycle: int, command: QueuedCommand) -> None:
        self._presented = command
        self._checked_from = cycle + _CHECK_CYCLES
        self._clock.at(self._checked_from, UNIT_PHASE, self._try_take)

    def _try_take(self, cycle: int) -> None:
        """Take the presented command if everything is there in `cycle`."""
        command = self._presented
        if command is None or cycle < self._checked_from:
            return
        is_coded = bool(command.fields["words"])
        destination = command.fields["destination"]
        is_in_way = not is_coded and self._decoding > 0 and destination == self._decoder_destination
        if self._waiting == ACCEPTED_COMMANDS or is_in_way or not self._splitter.is_idle(cycle):
            return
        self._presented = None
        self._queue.take(cycle)
        entry = _Open(command, cycle, command.fields["beats"], is_coded)
        self._waiting += 1
        self._open.append(entry)
        if is_coded:
            self._decoding += 1
            self._decoder_destination = destination
        if entry.left:
            self._coming.append(entry)
            self._requests_coded = is_coded
            self._splitter.start(cycle, self._address_of(command), entry.left)
            self._wake()
        if self._open[0] is entry:
            self._becomes_oldest(cycle + _QUEUE_CYCLES)

    def _wake(self) -> None:
        if self._splitter.offered_from is not None:
            self._arbiter.wake(self._splitter.offered_from)

    def requested_beats(self, cycle: int) -> int:
        """See `ReadClient`."""
        if self._requests_coded and self._room < self._burst_beats:
            return 0
        return self._splitter.offered(cycle)

    def granted(self, cycle: int, beats: int) -> None:
        """See `ReadClient`."""
        self._splitter.taken(cycle)
        if self._requests_coded:
            self._room -= beats
        if self._splitter.offered_from is None:
            self._clock.at(cycle + 1, UNIT_PHASE, self._try_take)
        self._wake()

    def beat(self, cycle: int, is_last: bool) -> None:
        """See `ReadClient`."""
        entry = self._coming[0]
        entry.left -= 1
        if not entry.left:
            self._coming.popleft()
            entry.arrived = cycle
        if entry.is_coded:
            self._decoder.beat(cycle)
            self._schedule(cycle)
        elif not entry.left and entry.oldest_from is not None:
            self._complete(max(entry.oldest_from, cycle + 1))

    def _becomes_oldest(self, cycle: int) -> None:
        """The first of the open commands is the oldest from `cycle`, a later one, on."""
        entry = self._open[0]
        entry.oldest_from = cycle
        self._clock.at(cycle, REGISTER_PHASE, self._left_queue)
        if entry.is_coded:
            self._clock.at(cycle, UNIT_PHASE, self._start_decoder)
        elif not entry.command.fields["beats"]:
            self._complete(cycle)
        elif entry.arrived is not None:
            self._complete(max(cycle, entry.arrived + 1))

    def _left_queue(self, cycle: int) -> None:
        self._waiting -= 1
        self._clock.at(cycle, UNIT_PHASE, self._try_take)

    def _complete(self, cycle: int) -> None:
        """The oldest command completes in `cycle`."""
        self._queue.give(cycle, self._open[0].command)
        self._clock.at(cycle, UNIT_PHASE, self._completed)

    def _completed(self, cycle: int) -> None:
        if self._open.popleft().is_coded:
            self._clock.at(cycle + 1, REGISTER_PHASE, self._decoded)
        if self._open:
            self._becomes_oldest(max(self._open[0].taken + _QUEUE_CYCLES, cycle + 1))

    def _decoded(self, cycle: int) -> None:
        self._decoding -= 1
        self._clock.at(cycle, UNIT_PHASE, self._try_take)

    def _start_decoder(self, cycle: int) -> None:
        self._decoder.start(cycle, self._open[0].command.fields)
        self._schedule(cycle + 1)

    def _schedule(self, cycle: int) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.at(cycle, UNIT_PHASE, self._decode)

    def _decode(self, cycle: int) -> None:
        """One cycle of the decoder."""
        self._is_scheduled = False
        was_finished = self._decoder.finished is not None
        if self._decoder.cycle(cycle):
            self._clock.at(cycle + 1, REGISTER_PHASE, self._freed)
        if self._decoder.finished is not None and not was_finished:
            self._complete(self._decoder.finished + 1)
        if not self._decoder.is_waiting:
            self._schedule(cycle + 1)

    def free(self, cycle: int, beats: int) -> None:
        """Beats leave the decoder's queue in `cycle` together; call it in that cycle or before."""
        self._clock.at(cycle + 1, REGISTER_PHASE, lambda now: self._freed(now, beats))

    def _freed(self, cycle: int, beats: int = 1) -> None:
        self._room += beats
        offered = self._splitter.offered_from
        if offered is not None:
            self._arbiter.wake(max(cycle, offered))
