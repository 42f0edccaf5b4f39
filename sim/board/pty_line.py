"""A board's serial line on a pseudo-terminal, so that a program opens it like that of a real board."""

import os
import select
import threading
import tty
from collections.abc import Callable
from typing import Protocol

_READ_AT_A_TIME = 4096


class SteppedBoard(Protocol):
    """The other end of the line."""

    def step(self, line: bytes) -> bytes:
        """Take bytes, let a little time pass, give bytes."""
        ...

    @property
    def pause(self) -> float:
        """Seconds for which to wait for bytes before the next step: none while something goes on there."""
        ...


Wire = Callable[[bytes], bytes]
"""What becomes of bytes on their way."""


def good_wire(line: bytes) -> bytes:
    """All of them arrive."""
    return line


class PtyLine:
    """A board behind a pseudo-terminal, in a thread of its own.

    Attributes:
        name: what to open.
        failure: what ended the board, or None.
    """

    def __init__(self, board: SteppedBoard, to_board: Wire = good_wire, to_host: Wire = good_wire) -> None:
        self._board = board
        self._to_board = to_board
        self._to_host = to_host
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self.failure: Exception | None = None
        self._is_over = threading.Event()
        # Not its `join`: Python 3.11 takes a thread for ended when a signal interrupts the one that waits for it.
        self._has_ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Let `seconds` pass, or less if the board fails; whether it still works."""
        return not self._has_ended.wait(seconds)

    def close(self) -> None:
        """Pull the cable; may be called twice. After it nobody steps the board any more."""
        self._is_over.set()
        self._has_ended.wait()

    def _serve(self) -> None:
        try:
            while not self._is_over.is_set():
                self._pass_on()
        except Exception as error:  # noqa: BLE001  whatever ends the board, in another thread than its user's
            self.failure = error
        finally:
            # Whoever has the other end open sees the line go.
            os.close(self._master)
            os.close(self._slave)
            self._has_ended.set()

    def _pass_on(self) -> None:
        ready, _, _ = select.select([self._master], [], [], self._board.pause)
        line = os.read(self._master, _READ_AT_A_TIME) if ready else b""
        answer = self._to_host(self._board.step(self._to_board(line)))
        while answer:
            answer = answer[os.write(self._master, answer) :]
