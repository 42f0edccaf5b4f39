"""`WeightDecoder`: in which cycle it takes what, from the lengths of a stream's records."""

from collections import deque
from collections.abc import Iterator, Sequence

from .isa import BRICK_CHANNELS
from .weight_code import EXPANSION_CYCLES, SKEW, VECTOR, Record

_BEAT_BITS = 64
_WINDOW_BEATS = 4
_WORD_LANES = VECTOR // BRICK_CHANNELS


class WeightDecoderTiming:
    """One stream, cycle by cycle.

    Args:
        records: of the stream.
        words: 128-bit words that it decodes to.
        live_lanes: of its code.
        cycle: of `start`.

    Attributes:
        finished: the cycle of `finished`, once it is known.
    """

    def __init__(self, records: Sequence[Record], words: int, live_lanes: int, cycle: int) -> None:
        vectors = len(records) - 4 * SKEW
        last_words = words - (vectors - 1) * VECTOR // (_WORD_LANES * live_lanes)
        self._drain_cycles = 3 + last_words
        self._pause = EXPANSION_CYCLES[live_lanes]
        self._lengths = _lengths(records)
        self._next: tuple[int, bool] | None = next(self._lengths)
        self._step_from = cycle + 1
        self._taken_bits = 0
        self._kept_beats = 0
        self._offered = False
        self._stored: deque[int] = deque()
        """For every beat in the queue's memory, the first cycle in which it can be fetched."""
        self.finished: int | None = None

    def beat(self, cycle: int) -> None:
        """A beat comes in `cycle`."""
        self._stored.append(cycle + 1)

    @property
    def is_waiting(self) -> bool:
        """Whether nothing will happen before the next beat comes."""
        if self._stored or self._offered or self._next is None:
            return self.finished is not None
        return self._kept_beats * _BEAT_BITS - self._taken_bits < self._next[0]

    def cycle(self, cycle: int) -> bool:
        """Go through one cycle; cycles left out are those in which `is_waiting` held. True if a beat left the queue."""
        used_beats = self._taken_bits // _BEAT_BITS
        accepts = self._kept_beats - used_beats < _WINDOW_BEATS
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
        self._kept_beats += freed
        return freed


def _lengths(records: Sequence[Record]) -> Iterator[tuple[int, bool]]:
    """Bits of everything that is taken in a cycle, and whether it starts a record."""
    for record in records:
        yield record.bits, True
        for bits in record.escapes:
            yield bits, False
    yield 0, True
