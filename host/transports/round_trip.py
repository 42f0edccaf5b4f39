"""How long to wait for a reply."""

from collections.abc import Callable

_GAIN = 1 / 8
_DEVIATION_GAIN = 1 / 4
_DEVIATIONS = 4
_LARGEST_BACKOFF = 16


class RoundTripEstimator:
    """Time-outs from measured round trips: RFC 6298, "Computing TCP's Retransmission Timer", per byte on the line.

    A round trip here takes as long as its bytes do, and those differ by a factor of fifty between a register and a
    block of memory; so what is averaged is the time divided by the bytes. `floor` is the least time-out in seconds,
    for what does not depend on bytes: a USB adapter's polling, a busy host. `first` is the time-out before anything
    was measured. Both are only about needless repetitions: a board may be any amount slower.
    """

    def __init__(self, first: float = 0.5, floor: float = 0.005) -> None:
        self._first = first
        self._floor = floor
        self._backoff = 1
        self._bound = float("inf")
        self._average: float | None = None
        self._deviation = 0.0

    @property
    def has_measured(self) -> bool:
        """Whether there was a measurement yet."""
        return self._average is not None

    def measured(self, seconds: float, line_bytes: int) -> None:
        """A request was answered after `seconds`; `line_bytes` had to cross the line for that.

        Only of requests that were sent once is it known which transmission the reply belongs to (Karn's rule).
        """
        sample = seconds / line_bytes
        if self._average is None:
            self._average, self._deviation = sample, sample / 2
        else:
            self._deviation += _DEVIATION_GAIN * (abs(self._average - sample) - self._deviation)
            self._average += _GAIN * (sample - self._average)
        self._backoff = 1

    def bounded(self, seconds: float) -> None:
        """A request was answered `seconds` after it was first sent, but not once only: no round trip takes longer."""
        self._bound = min(self._bound, seconds)
        self._backoff = 1

    def expired(self) -> None:
        """Nothing was heard in time: time-outs are twice as long, up to a limit, until the line works again.

        Before anything was answered they stay the same: what repeats a first call is harmless, and soon heard.
        """
        if self.has_measured or self._bound < float("inf"):
            self._backoff = min(2 * self._backoff, _LARGEST_BACKOFF)

    def recovered(self) -> None:
        """It was the line's fault: what is lost says nothing about how long to wait."""
        self._backoff = 1

    def expected(self, line_bytes: int) -> float:
        """Seconds that the round trip of `line_bytes` takes on average; 0 before anything was measured."""
        return (self._average or 0.0) * line_bytes

    def timeout(self, line_bytes: int) -> float:
        """Seconds after which a reply that takes `line_bytes` is late."""
        if self._average is None:
            known = 0.0 if self._bound == float("inf") else self._bound
            return max(self._first, known) * self._backoff
        late = (self._average + _DEVIATIONS * self._deviation) * line_bytes
        return max(self._floor, late) * self._backoff


Clock = Callable[[], float]
"""Seconds, from anywhere on: `time.monotonic`."""
