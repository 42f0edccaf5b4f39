"""`WeightDecoder`: in which cycle it takes what, from the lengths of a stream's records."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from .isa import BRICK_CHANNELS
from .weight_code import EXPANSION_CYCLES, SKEW, VECTOR, Record

_BEAT_BITS = 64
_WINDOW_BEATS = 4
_WORD_LANES = VECTOR // BRICK_CHANNELS


class WeightDecoderTiming:
    """The decoder, one stream after the other, cycle by cycle.

    Args:
        records_of: the records of a coded command's stream, from its fields.

    Attributes:
        finished: the cycle of `finished` of the present stream, once it is known.
    """

    def __init__(self, records_of: Callable[[Mapping[str, int]], Sequence[Record]]) -> None:
        self._records_of = records_of
        self._lengths: Iterator[tuple[int, bool]] = iter(())
        self._next: tuple[int, bool] | None = None
        self._pause = self._drain_cycles = 0
        self._step_from = self._fetch_from = 0
        self._taken_bits = 0
        self._kept_beats = self._missing_beats = 0
        self._offered = False
        self._stored: deque[int] = deque()
        """For every beat in the queue's memory, the first cycle in which it can be fetched."""
        self.finished: int | None = None

    def start(self, cycle: int, fields: Mapping[str, int]) -> None:
        """`start` is in `cycle`; call it in that cycle."""
        records = self._records_of(fields)
        vectors = len(records) - 4 * SKEW
        live_lanes = fields["live_lanes"]
        last_words = fields["words"] - (vectors - 1) * VECTOR // (_WORD_LANES * live_lanes)
        self._drain_cycles = 3 + last_words
        self._pause = EXPANSION_CYCLES[live_lanes]
        self._lengths = _lengths(records)
        self._next = next(self._lengths)
        self._step_from = self._fetch_from = cycle + 1
        self._taken_bits = self._kept_beats = 0
        self._missing_beats = fields["beats"]
        self.finished = None

    def beat(self, cycle: int) -> None:
        """A beat comes in `cycle`."""
        self._stored.append(cycle + 1)

    @property
    def is_waiting(self) -> bool:
        """Whether nothing will happen before the next beat or stream comes."""
        if self._stored and not self._offered:
            return False
        has_room = self._kept_beats - self._taken_bits // _BEAT_BITS < _WINDOW_BEATS
        if self._offered and self._missing_beats and has_room:
            return False
        return self._next is None or self._kept_beats * _BEAT_BITS - self._taken_bits < self._next[0]

    def cycle(self, cycle: int) -> bool:
        """Go through one cycle; cycles left out are those in which `is_waiting` held. True if a beat left the queue."""
        used_beats = self._taken_bits // _BEAT_BITS
        fetches = self._missing_beats > 0 and cycle >= self._fetch_from
        accepts = fetches and self._kept_beats - used_beats < _WINDOW_BEATS
        freed = self._offered and accepts
        if self._next is not None:
            length, is_step = self._next
            enough = self._kept_beats * _BEAT_BITS - self._taken_bits >= length
            if enough and (cycle >= self._step_from or not is_step):
                self._taken_bits += length
                if is_step:
                    self._step_from = cycle + self._pause
                self._next = next(self._lengths, None)
                if self._next is None:
                    self.finished = cycle + self._drain_cycles
        if self._stored and self._stored[0] <= cycle and (not self._offered or accepts):
            self._stored.popleft()
            self._offered = True
        elif accepts:
            self._offered = False
        if freed:
            self._kept_beats += 1
            self._missing_beats -= 1
        return freed


def _lengths(records: Sequence[Record]) -> Iterator[tuple[int, bool]]:
    """Bits of everything that is taken in a cycle, and whether it starts a record."""
    for record in records:
        yield record.bits, True
        for bits in record.escapes:
            yield bits, False
    yield 0, True
