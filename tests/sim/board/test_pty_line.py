"""A board behind a pseudo-terminal: its thread, and how it ends."""

import signal
import time
from types import FrameType

import pytest

from celosia.sim.board.pty_line import PtyLine

STEP_SECONDS = 0.3


class SlowBoard:
    """Is inside a step nearly all the time."""

    pause = 0.0

    def __init__(self) -> None:
        self.is_stepping = False

    def step(self, line: bytes) -> bytes:
        self.is_stepping = True
        time.sleep(STEP_SECONDS)
        self.is_stepping = False
        return b""


class BrokenBoard:
    """Fails at once."""

    pause = 0.0

    def step(self, line: bytes) -> bytes:
        raise ValueError("broken")


class Interrupted(Exception):
    """By a signal."""


def interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def test_nobody_steps_the_board_after_close_though_a_signal_interrupted_the_wait() -> None:
    board = SlowBoard()
    line = PtyLine(board)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, STEP_SECONDS / 3)
        with pytest.raises(Interrupted):
            line.wait(20)
    finally:
        signal.signal(signal.SIGALRM, before)
    while not board.is_stepping:
        time.sleep(0.001)
    line.close()
    assert not board.is_stepping


def test_a_board_that_fails_ends_the_wait() -> None:
    line = PtyLine(BrokenBoard())
    assert not line.wait(20)
    assert str(line.failure) == "broken"
    line.close()
