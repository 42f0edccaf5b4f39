"""The bytes of a model file."""

from os import PathLike
from pathlib import Path

from .errors import ModelError

_MAXIMUM_BYTES = 1 << 28


def read_model_file(path: str | PathLike[str]) -> bytes:
    """The content of the file at `path`.

    Raises:
        ModelError: it cannot be read, or is too large for a model.
    """
    file = str(path)
    try:
        if (size := Path(path).stat().st_size) > _MAXIMUM_BYTES:
            raise ModelError(file, f"a model file must have at most {_MAXIMUM_BYTES} bytes, not {size}")
        return Path(path).read_bytes()
    except OSError as error:
        raise ModelError(file, f"it cannot be read: {error.strerror}") from error
