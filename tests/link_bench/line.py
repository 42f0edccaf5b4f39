"""The line between host and board in tests, with what may happen on it."""

import random
from typing import Protocol

from celosia.host.transports.errors import PortError
from celosia.sim.board import pty_line

CYCLE_SECONDS = 1e-3
"""What a cycle of a board counts for on a `DirectPort`'s clock: a slow board."""


class Board(Protocol):
    """The other end of the line."""

    def step(self, line: bytes) -> bytes:
        """Take bytes, let a little time pass, give bytes."""
        ...


Wire = pty_line.Wire


class Faults:
    """Damages, drops and repeats each byte with a seeded probability of `rate` in all."""

    def __init__(self, rate: float = 0.0, seed: int = 0) -> None:
        self._rate = rate
        self._random = random.Random(seed)

    def __call__(self, line: bytes) -> bytes:
        if not self._rate:
            return line
        return b"".join(self._disturbed(byte) for byte in line)

    def _disturbed(self, byte: int) -> bytes:
        if self._random.random() >= self._rate:
            return bytes([byte])
        return self._random.choice([b"", bytes([byte, byte]), bytes([byte ^ 1 << self._random.randrange(8)])])


class DirectPort:
    """A `BytePort` whose time is the board's, so that every run is the same.

    Attributes:
        seconds: its clock.
        is_unplugged: it fails from now on.
        board, to_board: what it is connected to, and what happens on the way there.
    """

    def __init__(self, board: Board, to_board: Wire | None = None, to_host: Wire | None = None) -> None:
        self.board = board
        self.seconds = 0.0
        self.is_unplugged = False
        self.to_board = to_board or Faults()
        self._to_host = to_host or Faults()
        self._waiting = bytearray()

    def clock(self) -> float:
        return self.seconds

    def read(self, seconds: float) -> bytes:
        until = self.seconds + seconds
        while not self._waiting:
            self._step(b"")
            if self.seconds >= until:
                break
        line = bytes(self._waiting)
        self._waiting.clear()
        return line

    def write(self, line: bytes) -> None:
        self._step(self.to_board(line))

    def close(self) -> None:
        pass

    def _step(self, line: bytes) -> None:
        if self.is_unplugged:
            raise PortError("the cable is out")
        self._waiting += self._to_host(self.board.step(line))
        self.seconds += CYCLE_SECONDS * (40 + len(line))


class PtyLine(pty_line.PtyLine):
    """A board behind a pseudo-terminal that looks for bytes every other millisecond."""

    def __init__(self, board: Board, to_board: Wire | None = None, to_host: Wire | None = None) -> None:
        super().__init__(_Paced(board), to_board or Faults(), to_host or Faults())


class _Paced:
    pause = 0.002

    def __init__(self, board: Board) -> None:
        self.step = board.step
