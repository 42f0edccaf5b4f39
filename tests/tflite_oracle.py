"""TensorFlow Lite Micro as the outside oracle, in a process of its own that may crash."""

import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from types import TracebackType

import numpy as np

__all__ = ["OracleRejects", "TfliteMicroOracle"]

_ARENA_BYTES = 1 << 25


class OracleRejects(Exception):
    """TensorFlow Lite Micro refuses the model, crashes on it or does not finish in time."""


def _serve(connection: Connection) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    from tflite_micro.python.tflite_micro import _runtime

    while True:
        model, inputs = connection.recv()
        try:
            # The wrapper below `runtime.Interpreter`, which itself first parses the model in Python, for minutes
            # when it is damaged.
            interpreter = _runtime.InterpreterWrapper(
                model, [], _ARENA_BYTES, 0, _runtime.PythonInterpreterConfig.kAllocationRecording, 0
            )
            for index, array in enumerate(inputs):
                interpreter.SetInputTensor(array, index)
            interpreter.Invoke()
            outputs = []
            while True:
                try:
                    outputs.append(np.array(interpreter.GetOutputTensor(len(outputs))))
                except (IndexError, ValueError, RuntimeError):
                    break
            connection.send(outputs)
        except (ValueError, RuntimeError, TypeError, MemoryError) as error:
            connection.send(str(error))


class TfliteMicroOracle:
    """A worker process that runs many models and is restarted when one kills it. Use as a context manager."""

    def __init__(self, timeout_seconds: float = 10.0) -> None:
        self._timeout = timeout_seconds
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def run(self, model: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs of one inference. Raises OracleRejects."""
        self._connection.send((model, list(inputs)))
        try:
            if not self._connection.poll(self._timeout):
                raise OracleRejects(f"no answer in {self._timeout} s")
            reply = self._connection.recv()
        except (EOFError, ConnectionResetError) as error:
            self._restart()
            raise OracleRejects("it crashed") from error
        except OracleRejects:
            self._restart()
            raise
        if isinstance(reply, str):
            raise OracleRejects(reply)
        return reply

    def _restart(self) -> None:
        self._stop()
        self._start()

    def _stop(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()

    def __enter__(self) -> "TfliteMicroOracle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
