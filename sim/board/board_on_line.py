"""A simulated board as the other end of a `PtyLine`."""

from .simulated_board import SimulatedBoard

_STEP_CYCLES = 500
"""Oscillator cycles between two looks at the line: milliseconds on the wall, a few bytes on the line."""

DEFAULT_QUIET_SECONDS = 0.02
"""Simulated. A board that says nothing for longer goes on as soon as it is asked something, and a host that waits for
an interrupt asks now and then."""

_PAUSE = 0.1


class BoardOnLine:
    """`SteppedBoard` of a simulated board.

    A board that has long been quiet stands still until bytes come in: that takes no processor time, and no time passes
    for it.

    Attributes:
        board: the board.
    """

    def __init__(self, board: SimulatedBoard, quiet_seconds: float = DEFAULT_QUIET_SECONDS) -> None:
        """`quiet_seconds` are simulated."""
        self.board = board
        self._quiet_seconds = quiet_seconds
        self._moved_at = 0.0

    def step(self, line: bytes) -> bytes:
        """Hand `line` to the board and let a few bytes' time pass."""
        if not line and self._is_quiet:
            return b""
        answer = self.board.run(_STEP_CYCLES, line)
        if line or answer or self.board.is_talking:
            self._moved_at = self.board.seconds
        return answer

    @property
    def pause(self) -> float:
        """See `SteppedBoard`."""
        return _PAUSE if self._is_quiet else 0.0

    @property
    def _is_quiet(self) -> bool:
        return self.board.seconds - self._moved_at > self._quiet_seconds
