"""`CommandFetch`, `CommandQueue` and `TokenCounters`: when each command starts."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..command import COMMAND_BEATS, COMMAND_BYTES, CommandLayout, Opcode, Verb
from .clock import REGISTER_PHASE, UNIT_PHASE, Clock
from .read_arbiter import ReadArbiter, Splitter

_QUEUE_BEATS = 32
_PART_BYTES = 8
"""Of a beat, passed on in a cycle."""
_ARRIVAL_CYCLES = 2
"""Cycles in which a beat passes through the fetch's queue."""
_TRANSFER_CYCLE = 2
"""Cycles from the fetch's start to its transfer being taken."""

Fields = Mapping[str, int]


@dataclass(slots=True)
class QueuedCommand:
    """A command on its way to a unit, and its place in the list."""

    fields: Fields
    index: int


class VerbQueue:
    """One `CommandQueue` with its side of the token counters.

    `start` is called with the first cycle in which a command is presented to the unit; the unit answers with
    `complete(cycle)`, the cycle in which it takes the command; or with `take(cycle)` and, when it completes it,
    `give(cycle, command)`.
    """

    def __init__(self, clock: Clock, verb: Verb, layout: CommandLayout, depth: int, tokens: "Tokens") -> None:
        self._clock = clock
        self.verb = verb
        self._beats = layout.beats
        self._rows = depth * layout.beats
        self._tokens = tokens
        tokens.queues[verb] = self
        self.start: Callable[[int, QueuedCommand], None] = _unconnected
        self.freed: Callable[[int], None] = _ignore
        self._stored: deque[int] = deque()
        """For every stored beat, the first cycle in which it can be read."""
        self._pops: deque[int] = deque()
        """Cycles of recent reads: a place read in cycle t is free from t + 1 on."""
        self._coming: deque[QueuedCommand] = deque()
        self._next: QueuedCommand | None = None
        self._next_full_from = 0
        self._gather_from = 0
        self._gathered = 0
        self._is_armed = False
        self._current: QueuedCommand | None = None
        self._current_free_from = 0
        self._taken = 0
        """Commands that the unit has taken and not completed."""
        self.idle_from = 0
        """First cycle in which nothing of the last completed command is left."""
        self._level = 0

    def has_room(self, cycle: int) -> bool:
        """Whether a beat is accepted in `cycle`."""
        while self._pops and self._pops[0] < cycle:
            self._pops.popleft()
            self._level -= 1
        return self._level < self._rows

    def push(self, cycle: int, command: QueuedCommand | None) -> None:
        """A beat is accepted in `cycle`; with a command's first beat comes the command."""
        self._level += 1
        self._stored.append(cycle + 1)
        if command is not None:
            self._coming.append(command)
        self._gather()

    def _gather(self) -> None:
        """Read as many beats of the next command as are there; one a cycle."""
        while self._next is None and self._stored:
            cycle = max(self._stored.popleft(), self._gather_from)
            self._pops.append(cycle)
            self.freed(cycle + 1)
            self._gather_from = cycle + 1
            self._gathered += 1
            if self._gathered == self._beats:
                self._gathered = 0
                self._next = self._coming.popleft()
                self._next_full_from = cycle + 1
                self._clock.at(cycle + 1, UNIT_PHASE, self.try_arm)

    def try_arm(self, cycle: int) -> None:
        """Take the next command's tokens if they are all there in `cycle`."""
        if self._next is None or self._is_armed or cycle < self._next_full_from:
            return
        if not self._tokens.available(self.verb, self._next.fields, cycle):
            return
        self._tokens.take(self.verb, self._next.fields)
        self._is_armed = True
        self._clock.at(cycle + 1, UNIT_PHASE, self._move)

    def _move(self, cycle: int) -> None:
        """The armed command becomes the current one, in the first cycle in which there is none."""
        if not self._is_armed or self._current is not None or self._next is None:
            return
        cycle = max(cycle, self._current_free_from)
        command, self._next = self._next, None
        self._is_armed = False
        self._current = command
        self._gather_from = max(self._gather_from, cycle + 1)
        self.start(cycle + 1, command)
        self._gather()

    def complete(self, cycle: int) -> None:
        """The unit takes its command in `cycle`, complete; call it in that cycle or before."""
        assert self._current is not None
        self.give(cycle, self._current)
        self.take(cycle)

    def take(self, cycle: int) -> None:
        """The unit takes its command in `cycle`; call it in that cycle or before."""
        self._taken += 1
        self._clock.at(cycle, UNIT_PHASE, self._left)

    def _left(self, cycle: int) -> None:
        self._current = None
        self._current_free_from = cycle + 1
        if self._is_armed:
            self._clock.at(cycle + 1, UNIT_PHASE, self._move)

    def give(self, cycle: int, command: QueuedCommand) -> None:
        """A command completes in `cycle`; call it in that cycle or before."""
        self._clock.at(cycle, UNIT_PHASE, lambda now: self._completed(now, command.fields))

    def _completed(self, cycle: int, fields: Fields) -> None:
        self._tokens.give(self.verb, fields["signal"], cycle)
        self._taken -= 1
        self.idle_from = cycle + 1

    def is_idle(self, cycle: int) -> bool:
        """Whether no command is anywhere in the queue in `cycle`."""
        is_empty = not self._stored and not self._coming and self._next is None and self._current is None
        return is_empty and not self._taken and self._gathered == 0 and cycle >= self.idle_from


class Tokens:
    """The token counters; a token given in cycle t counts from t + 1 on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.queues: dict[Verb, VerbQueue] = {}
        self._given: dict[tuple[Verb, Verb], list[int]] = {(a, b): [] for a in Verb for b in Verb}
        self._taken: dict[tuple[Verb, Verb], int] = {(a, b): 0 for a in Verb for b in Verb}

    def available(self, taker: Verb, fields: Fields, cycle: int) -> bool:
        """Whether every token that a command waits for is there in `cycle`."""
        for giver in Verb:
            wanted = fields[f"wait_{giver.name.lower()}"]
            if not wanted or giver is taker:
                continue
            given = self._given[giver, taker]
            last = self._taken[giver, taker] + wanted
            if len(given) < last or given[last - 1] >= cycle:
                return False
        return True

    def take(self, taker: Verb, fields: Fields) -> None:
        """Take them."""
        for giver in Verb:
            if giver is not taker:
                self._taken[giver, taker] += fields[f"wait_{giver.name.lower()}"]

    def give(self, giver: Verb, signal: int, cycle: int) -> None:
        """A command of `giver` completes in `cycle`."""
        for taker in Verb:
            if signal >> taker & 1:
                self._given[giver, taker].append(cycle)
                self._clock.at(cycle + 1, UNIT_PHASE, self.queues[taker].try_arm)


def _unconnected(cycle: int, command: QueuedCommand) -> None:
    raise AssertionError("a verb's queue needs its unit")


def _ignore(cycle: int) -> None:
    pass


class Fetch:
    """Reads the command list and deals it out, beat by beat."""

    def __init__(
        self,
        clock: Clock,
        arbiter: ReadArbiter,
        queues: Mapping[Verb, VerbQueue],
        layouts: Mapping[Verb, CommandLayout],
        burst_beats: int,
        beat_bytes: int = 8,
    ) -> None:
        self._clock = clock
        self._arbiter = arbiter
        self._queues = queues
        self._command_beats = COMMAND_BYTES // beat_bytes
        self._parts = beat_bytes // _PART_BYTES
        self._parts_taken = 0
        self._kept = {verb: layout.beats for verb, layout in layouts.items()}
        self._burst_beats = min(burst_beats, _QUEUE_BEATS // 2)
        self._splitter = Splitter(self._burst_beats, beat_bytes)
        self._room = _QUEUE_BEATS
        self._arrived: deque[int] = deque()
        self._stage_from: int | None = None
        self._place = 0
        self._index = 0
        self._commands: Sequence[tuple[Opcode, Fields]] = ()
        self.halted_from: int | None = None
        for queue in queues.values():
            queue.freed = self._wake_dealer
        self._scheduled: set[int] = set()

    def start(self, commands: Sequence[tuple[Opcode, Fields]], address: int) -> None:
        """`start` in cycle 0; the list lies at bus address `address`."""
        self._commands = commands
        self._splitter.start(_TRANSFER_CYCLE, address, len(commands) * self._command_beats)
        self._arbiter.wake(self._splitter.offered_from or 0)

    def requested_beats(self, cycle: int) -> int:
        """See `ReadClient`."""
        beats = self._splitter.offered(cycle)
        return beats if self._room >= self._burst_beats else 0

    def granted(self, cycle: int, beats: int) -> None:
        """See `ReadClient`."""
        self._splitter.taken(cycle)
        self._room -= beats
        if self._splitter.offered_from is not None:
            self._arbiter.wake(self._splitter.offered_from)

    def beat(self, cycle: int, is_last: bool) -> None:
        """See `ReadClient`."""
        self._arrived.append(cycle + _ARRIVAL_CYCLES)
        self._wake_dealer(cycle + _ARRIVAL_CYCLES)

    def _wake_dealer(self, cycle: int) -> None:
        if cycle not in self._scheduled:
            self._scheduled.add(cycle)
            self._clock.at(cycle, UNIT_PHASE, self._deal)

    def _deal(self, cycle: int) -> None:
        """One cycle of the dealer: pass on the beat in the stage, take the next from the queue."""
        self._scheduled.discard(cycle)
        if self._stage_from is not None and self._stage_from <= cycle and self._pass_on(cycle):
            self._stage_from = None
        if self._stage_from is None and self._arrived and self._arrived[0] <= cycle:
            self._parts_taken += 1
            if self._parts_taken == self._parts:
                self._parts_taken = 0
                self._arrived.popleft()
                self._clock.at(cycle + 1, REGISTER_PHASE, self._popped)
            self._stage_from = cycle + 1
            self._wake_dealer(cycle + 1)

    def _popped(self, cycle: int) -> None:
        self._room += 1
        self._arbiter.wake(cycle)

    def _pass_on(self, cycle: int) -> bool:
        opcode, fields = self._commands[self._index]
        if opcode.name in Verb.__members__:
            verb = Verb[opcode.name]
            if self._place < self._kept[verb]:
                queue = self._queues[verb]
                if not queue.has_room(cycle):
                    return False
                queue.push(cycle, QueuedCommand(fields, self._index) if self._place == 0 else None)
        elif opcode is Opcode.HALT and self.halted_from is None:
            self.halted_from = cycle + 2
        self._place += 1
        if self._place == COMMAND_BEATS:
            self._place = 0
            self._index += 1
        return True
