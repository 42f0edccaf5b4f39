"""A simulated board's serial line without a terminal between: a port whose time is the board's."""

from celosia.sim.board.simulated_board import SimulatedBoard

_STEP_CYCLES = 250
"""Oscillator cycles between two looks at the line."""


class SimulatedPort:
    """A `BytePort` that lets the board's time pass while the host waits, and only then: every run is the same.

    `clock` is the clock of a `Link` over it.
    """

    def __init__(self, board: SimulatedBoard) -> None:
        self._board = board
        self._towards = b""

    def clock(self) -> float:
        """Simulated seconds."""
        return self._board.seconds

    def read(self, seconds: float) -> bytes:
        """See `BytePort.read`; in simulated time. Raises `DeviceError` if the board breaks a rule."""
        until = self._board.seconds + seconds
        while True:
            line = self._board.run(_STEP_CYCLES, self._towards)
            self._towards = b""
            if line or self._board.seconds >= until:
                return line

    def write(self, line: bytes) -> None:
        """See `BytePort.write`; takes no time itself."""
        self._towards += line

    def close(self) -> None:
        """See `BytePort.close`; the board stays on."""
