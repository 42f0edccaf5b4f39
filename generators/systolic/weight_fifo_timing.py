"""`WeightFifo`: when a WEIGHTS of tiles is finished, and when rows can be taken."""

from collections import deque
from collections.abc import Callable, Mapping

from .config import SystolicConfig

AVAILABLE_LATENCY = 1
"""Cycles from a row's last beat until it can be taken."""


class WeightFifoTiming:
    """The decoder of the chassis' model of WEIGHTS: see `chassis.timing.weights_unit.StreamDecoder`.

    Attributes:
        rows: for each row that was not taken, the first cycle in which it can be.
        arrived: called with the cycle of a row's last beat.
        finished: see `StreamDecoder`.
    """

    def __init__(self, config: SystolicConfig) -> None:
        self._row_beats = config.row_beats
        self._part = 0
        self._beats = 0
        """That belong to no finished command."""
        self._wanted: int | None = None
        self._started = 0
        self._last_beat = -1
        self.rows: deque[int] = deque()
        self.arrived: Callable[[int], None] | None = None
        self.finished: int | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether nothing will happen before the next beat or command comes."""
        return self._wanted is None or self._beats < self._wanted

    def start(self, cycle: int, fields: Mapping[str, int]) -> None:
        """A command starts."""
        self._wanted = fields["beats"]
        self._started = cycle
        self.finished = None

    def beat(self, cycle: int) -> None:
        """A beat comes in `cycle`."""
        self._beats += 1
        self._last_beat = cycle
        self._part += 1
        if self._part == self._row_beats:
            self._part = 0
            self.rows.append(cycle + AVAILABLE_LATENCY)
            if self.arrived is not None:
                self.arrived(cycle)

    def cycle(self, cycle: int) -> bool:
        """Finish in the cycle after the last beat, or after the start."""
        if self._wanted is not None and self._started < cycle and self._ahead(cycle) >= self._wanted:
            self._beats -= self._wanted
            self._wanted = None
            self.finished = cycle
        return False

    def _ahead(self, cycle: int) -> int:
        return self._beats - (self._last_beat == cycle)
