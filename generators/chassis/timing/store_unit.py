"""`StoreUnit`: brick reads, packer and AXI writer, register by register."""

from collections import deque
from collections.abc import Callable, Iterator

from ..brick_walk import walk
from ..transfer_plan import plan_cycles
from .clock import UNIT_PHASE, Clock
from .command_flow import QueuedCommand, VerbQueue
from .memory_port import MemoryPort
from .read_arbiter import Splitter

_BANKS = 8
_BRICKS_ON_THEIR_WAY = 16
_RESPONSE_PLACES = 8
_RESPONSE_LATENCY = 4
_LENGTHS = 4
_OUTSTANDING = 4


class AxiWriter:
    """The model of `hdl.axi_writer.AxiWriter`: one method for each thing that happens in a cycle."""

    def __init__(self, clock: Clock, memory: MemoryPort, burst_beats: int, beat_bytes: int) -> None:
        self._clock = clock
        self._memory = memory
        memory.writer = self
        self._splitter = Splitter(burst_beats, beat_bytes)
        self._depth = max(4 * burst_beats, 64)
        self._stored: deque[int] = deque()
        self._is_offered = False
        self._available = 0
        self._complete = False
        """The burst on offer had all of its beats, and a place for its response, a cycle ago."""
        self._announced = False
        self._awaited = 0
        self._lengths: deque[tuple[int, int]] = deque()
        self._sending = 0
        """Beats left of the burst on W."""
        self._was_sent = False
        self._was_answered = False

    def start(self, cycle: int, address: int, beats: int) -> None:
        """A transfer is taken in `cycle`."""
        self._splitter.start(cycle, address, beats)

    def has_room(self) -> bool:
        """Whether a beat is accepted."""
        return len(self._stored) < self._depth

    def is_idle(self, cycle: int) -> bool:
        """Whether nothing is in work in `cycle`."""
        return (
            self._splitter.is_idle(cycle)
            and not self._stored
            and not self._is_offered
            and not self._awaited
            and not self._announced
        )

    def offers_beat(self, cycle: int) -> bool:
        """See `WriteSource`."""
        return self._sending > 0 and self._is_offered

    def beat_taken(self, cycle: int) -> bool:
        """See `WriteSource`."""
        self._was_sent = True
        return self._sending == 1

    def answered(self, cycle: int) -> None:
        """See `WriteSource`."""
        self._was_answered = True

    def step(self, cycle: int, arrived: bool) -> None:
        """Move to the state of the next cycle; `arrived`: a beat is accepted in this one."""
        sent, self._was_sent = self._was_sent, False
        answered, self._was_answered = self._was_answered, False
        offered = self._splitter.offered(cycle)
        length_ready = bool(self._lengths) and self._lengths[0][0] <= cycle
        claim = self._complete and not self._announced
        self._complete = (
            offered > 0
            and not claim
            and len(self._lengths) < _LENGTHS
            and self._awaited < _OUTSTANDING
            and self._available >= offered
        )
        takes_length = self._sending == 0 or (sent and self._sending == 1)
        fetch = bool(self._stored) and self._stored[0] <= cycle and (not self._is_offered or sent)
        if sent:
            self._sending -= 1
        if takes_length:
            self._sending = self._lengths.popleft()[1] if length_ready else 0
        if fetch:
            self._stored.popleft()
            self._is_offered = True
        elif sent:
            self._is_offered = False
        if arrived:
            self._stored.append(cycle + 1)
        self._available += arrived - (offered if claim else 0)
        self._awaited += claim - answered
        if claim:
            self._splitter.taken(cycle)
            self._lengths.append((cycle + 1, offered))
            self._announced = True
        elif self._announced and self._memory.accepts_write(cycle):
            self._memory.write(cycle)
            self._announced = False
        if self.offers_beat(cycle + 1):
            self._memory.write_beat_ready(cycle + 1)


class StoreUnit:
    """One STORE at a time.

    Args:
        address_of: bus address of a command's first byte.
        bank_taken: whether COMPUTE's registered read takes a bank in a cycle.
        pieces: of a brick.
        beat_bytes: of the port.
    """

    def __init__(
        self,
        clock: Clock,
        memory: MemoryPort,
        queue: VerbQueue,
        burst_beats: int,
        address_of: Callable[[QueuedCommand], int],
        bank_taken: Callable[[int, int], bool],
        pieces: int = 1,
        beat_bytes: int = 8,
    ) -> None:
        self._brick_pieces = pieces
        self._beat_bytes = beat_bytes
        self._clock = clock
        self._queue = queue
        self._address_of = address_of
        self._bank_taken = bank_taken
        self.writer = AxiWriter(clock, memory, burst_beats, beat_bytes)
        self._bricks: Iterator[tuple[int, int]] = iter(())
        self._brick: tuple[int, int] | None = None
        self._first_brick_cycle = 0
        self._pieces: deque[tuple[int, int, bool]] = deque()
        """(first cycle in which it can be taken, bytes, is last) of bricks asked for and not packed."""
        self._responses: deque[int] = deque()
        self._response_room = _RESPONSE_PLACES
        self._was_packed = False
        """A response was taken in the cycle before: its place is free from the next one on."""
        self._position = 0
        self._shifted: tuple[bool, bool, bool] | None = None
        """The packer's piece: it completes a beat, is the last, spills into another beat."""
        self._flush = False
        self._move_from = 0
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
        self.writer.start(planned, address, beats)
        self._bricks = walk(fields, self._brick_pieces, self._beat_bytes)
        self._brick = next(self._bricks)
        self._first_brick_cycle = planned + 2
        self._position = address % self._beat_bytes
        self._move_from = planned + 1
        self._clock.at(planned + 1, UNIT_PHASE, self._step)

    def _step(self, cycle: int) -> None:
        """One cycle of requests, packer and writer."""
        if cycle >= self._move_from and self.writer.is_idle(cycle):
            self._queue.complete(cycle + 1)
            return
        brick = self._brick
        piece_room = len(self._pieces) < _BRICKS_ON_THEIR_WAY
        asks = (
            brick is not None
            and cycle >= self._first_brick_cycle
            and piece_room
            and self._response_room > 0
            and not self._bank_taken(cycle, brick[0] % _BANKS)
        )
        answered = bool(self._responses) and self._responses[0] <= cycle
        has_piece = bool(self._pieces) and self._pieces[0][0] <= cycle

        emits = self._shifted is not None and (self._shifted[0] or self._shifted[1])
        offers = self._flush or emits
        accepted = offers and self.writer.has_room()
        merge = self._shifted is not None and not self._flush and (self.writer.has_room() or not emits)
        packs = answered and has_piece and (self._shifted is None or merge)
        if self._flush and accepted:
            self._flush = False
        if merge and self._shifted is not None:
            self._flush = self._shifted[2]
            self._shifted = None
        if packs:
            _, count, is_last = self._pieces.popleft()
            self._responses.popleft()
            after = self._position + count
            self._shifted = (after >= self._beat_bytes, is_last, is_last and after > self._beat_bytes)
            self._position = after % self._beat_bytes
        self._response_room += self._was_packed - asks
        self._was_packed = packs
        if asks and brick is not None:
            self._brick = next(self._bricks, None)
            self._pieces.append((cycle + 1, brick[1], self._brick is None))
            self._responses.append(cycle + _RESPONSE_LATENCY)
        self.writer.step(cycle, accepted)
        self._clock.at(cycle + 1, UNIT_PHASE, self._step)
