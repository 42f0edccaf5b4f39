"""`LoadUnit`: its queue of beats, the unpacker and the bricks, register by register."""

from collections import deque
from collections.abc import Callable, Iterator

from ..brick_walk import walk
from ..transfer_plan import plan_cycles
from .clock import REGISTER_PHASE, UNIT_PHASE, Clock
from .command_flow import QueuedCommand, VerbQueue
from .read_arbiter import ReadArbiter, Splitter

_BANKS = 8
_SMALLEST_QUEUE = 64
_WRITES = 2
"""Bricks in the register slice in front of the buffer."""


class LoadUnit:
    """One LOAD at a time.

    Args:
        address_of: bus address of a command's first byte.
        written_bank: bank that ACTIVATE's registered write takes in a cycle, -1 for none.
        pieces: of a brick.
        beat_bytes: of the port.
    """

    def __init__(
        self,
        clock: Clock,
        arbiter: ReadArbiter,
        queue: VerbQueue,
        burst_beats: int,
        outstanding: int,
        address_of: Callable[[QueuedCommand], int],
        written_bank: Callable[[int], int],
        pieces: int = 1,
        beat_bytes: int = 8,
    ) -> None:
        self._pieces = pieces
        self._beat_bytes = beat_bytes
        self._clock = clock
        self._arbiter = arbiter
        self._queue = queue
        self._splitter = Splitter(burst_beats, beat_bytes)
        self._burst_beats = burst_beats
        self._address_of = address_of
        self._written_bank = written_bank
        wanted = max(burst_beats * max(2, outstanding), _SMALLEST_QUEUE)
        self._room = 1 << (wanted - 1).bit_length()
        self._stored: deque[int] = deque()
        """For every beat in the queue's memory, the first cycle in which it can be fetched."""
        self._is_offered = False
        self._low = self._high = False
        self._position = 0
        self._piece_bank = -1
        self._writes: deque[int] = deque()
        """Banks of the bricks in the register slice in front of the buffer."""
        self._bricks: Iterator[tuple[int, int]] = iter(())
        self._brick: tuple[int, int] | None = None
        self._first_brick_cycle = 0
        self._is_active = False
        self._is_scheduled = False
        queue.start = self._start

    def _start(self, cycle: int, command: QueuedCommand) -> None:
        fields = command.fields
        planned = cycle + plan_cycles(fields["rows"], fields["channels"])
        size = fields["rows"] * fields["width"] * fields["channels"]
        if not size:
            self._queue.complete(planned + 1)
            return
        address = self._address_of(command)
        beats = (address + size - 1) // self._beat_bytes - address // self._beat_bytes + 1
        self._splitter.start(planned, address, beats)
        self._bricks = walk(fields, self._pieces, self._beat_bytes)
        self._brick = next(self._bricks)
        self._first_brick_cycle = planned + 1
        self._position = address % self._beat_bytes
        self._low = self._high = False
        self._piece_bank = -1
        self._is_active = True
        self._wake()

    def _wake(self) -> None:
        if self._splitter.offered_from is not None:
            self._arbiter.wake(self._splitter.offered_from)

    def requested_beats(self, cycle: int) -> int:
        """See `ReadClient`."""
        return self._splitter.offered(cycle) if self._room >= self._burst_beats else 0

    def granted(self, cycle: int, beats: int) -> None:
        """See `ReadClient`."""
        self._splitter.taken(cycle)
        self._room -= beats
        self._wake()

    def beat(self, cycle: int, is_last: bool) -> None:
        """See `ReadClient`."""
        self._stored.append(cycle + 1)
        self._schedule(cycle + 1)

    def _schedule(self, cycle: int) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.at(cycle, UNIT_PHASE, self._step)

    def _step(self, cycle: int) -> None:
        """One cycle of queue, unpacker, brick register and writes."""
        self._is_scheduled = False
        bank = self._piece_bank
        taken = bank < 0 or len(self._writes) < _WRITES
        if self._writes and self._writes[0] != self._written_bank(cycle):
            self._writes.popleft()
            finished = not self._writes and bank < 0 and self._brick is None
        else:
            finished = False
        if bank >= 0 and taken:
            self._writes.append(bank)
        brick = self._brick if cycle >= self._first_brick_cycle else None
        cut = False
        ends_beat = False
        if brick is not None and self._low and taken:
            after = self._position + brick[1]
            ends_beat = after >= self._beat_bytes
            cut = self._high or after <= self._beat_bytes
        move = not self._low or (cut and ends_beat)
        accepts = move or not self._high
        popped = self._is_offered and accepts
        fetch = bool(self._stored) and self._stored[0] <= cycle and (not self._is_offered or accepts)
        if move:
            self._low = self._high
        if accepts:
            self._high = self._is_offered
        if fetch:
            self._stored.popleft()
            self._is_offered = True
        elif accepts:
            self._is_offered = False
        if popped:
            self._clock.at(cycle + 2, REGISTER_PHASE, self._popped)
        if taken:
            self._piece_bank = -1
        if cut and brick is not None:
            self._piece_bank = brick[0] % _BANKS
            self._position = (self._position + brick[1]) % self._beat_bytes
            self._brick = next(self._bricks, None)
        if finished:
            self._is_active = False
            self._queue.complete(cycle + 1)
        elif (
            self._low
            or self._high
            or self._is_offered
            or self._stored
            or self._piece_bank >= 0
            or self._writes
        ):
            self._schedule(cycle + 1)

    def _popped(self, cycle: int) -> None:
        self._room += 1
        self._wake_when_offered(cycle)

    def _wake_when_offered(self, cycle: int) -> None:
        offered = self._splitter.offered_from
        if offered is not None:
            self._arbiter.wake(max(cycle, offered))
