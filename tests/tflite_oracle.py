"""TensorFlow Lite Micro as the outside oracle, in a process of its own that it may crash."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.worker_process import WorkerDied, WorkerProcess

__all__ = ["OracleRejects", "TfliteMicroOracle"]

_ARENA_BYTES = 1 << 25


class OracleRejects(Exception):
    """TensorFlow Lite Micro refuses the model, crashes on it or does not finish in time."""


def _infer(model: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray] | str:
    # The class below `runtime.Interpreter`, which itself first parses the model in Python, for minutes when the
    # model is damaged. Imported here, in the worker, since it belongs to the process that may crash.
    from tflite_micro.python.tflite_micro import _runtime

    try:
        interpreter = _runtime.InterpreterWrapper(
            model, [], _ARENA_BYTES, 0, _runtime.PythonInterpreterConfig.kAllocationRecording, 0
        )
        for index, array in enumerate(inputs):
            interpreter.SetInputTensor(array, index)
        interpreter.Invoke()
        return _outputs(interpreter)
    except (ValueError, RuntimeError, TypeError, MemoryError) as error:
        return str(error)


def _outputs(interpreter: Any) -> list[np.ndarray]:
    outputs = []
    while True:
        try:
            outputs.append(np.array(interpreter.GetOutputTensor(len(outputs))))
        except (IndexError, ValueError, RuntimeError):
            return outputs


class TfliteMicroOracle:
    """Runs models on TensorFlow Lite Micro's reference kernels. Use as a context manager."""

    def __init__(self, timeout_seconds: float = 10.0) -> None:
        self._worker = WorkerProcess(_infer, timeout_seconds)

    def run(self, model: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs of one inference. Raises OracleRejects."""
        try:
            reply = self._worker.call(model, list(inputs))
        except WorkerDied as error:
            raise OracleRejects(str(error)) from error
        if isinstance(reply, str):
            raise OracleRejects(reply)
        return reply

    def __enter__(self) -> "TfliteMicroOracle":
        self._worker.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._worker.__exit__(None, None, None)
