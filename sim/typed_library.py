"""A C library whose functions know their types."""

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import ToolError

Signatures = Mapping[str, tuple[Any, Sequence[Any]]]
"""By a function's name: the ctypes of its result (None: nothing) and of its arguments."""


def load_typed(path: Path, signatures: Signatures) -> ctypes.CDLL:
    """The model at `path` with its functions typed; calls release the interpreter lock.

    Raises:
        ToolError: it cannot be loaded.
    """
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise ToolError(f"cannot load the simulation model {path}: {error}") from error
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = list(arguments)
    return library
