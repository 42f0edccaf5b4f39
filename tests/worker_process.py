"""A process of its own for code that may crash, hang or print."""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

__all__ = ["WorkerDied", "WorkerProcess"]


class WorkerDied(Exception):
    """The worker crashed or did not answer in time; it has been started anew."""


def _serve(connection: Connection, function: Callable[..., Any]) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    while True:
        connection.send(function(*connection.recv()))


class WorkerProcess:
    """Calls ``function``, which must be importable, in another process. Use as a context manager."""

    def __init__(self, function: Callable[..., Any], timeout_seconds: float) -> None:
        self._function = function
        self._timeout = timeout_seconds
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, self._function), daemon=True)
        self._process.start()
        theirs.close()

    def _stop(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()

    def call(self, *arguments: Any) -> Any:
        """The function's result. Raises WorkerDied."""
        self._connection.send(arguments)
        try:
            if self._connection.poll(self._timeout):
                return self._connection.recv()
            reason = f"no answer in {self._timeout} s"
        except (EOFError, ConnectionResetError):
            self._process.join()
            reason = f"it crashed with exit code {self._process.exitcode}"
        self._stop()
        self._start()
        raise WorkerDied(reason)

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
