"""Arrays from and to .npy and .npz files: inputs, outputs, and cases to verify against."""

import os
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format

from .errors import DataError
from .graph import Tensor

_DAMAGED = (
    EOFError,
    KeyError,
    NotImplementedError,  # a compression that zipfile does not know
    OverflowError,
    RuntimeError,  # an encrypted member
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise on files that are not what they say."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a file of cases: inputs and expected outputs, in the network's order."""

    name: str
    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]


def load_cases(path: str | PathLike[str], inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> list[Case]:
    """The cases in a .npz file with the keys `NAME.in0`, `NAME.in1`, .., `NAME.out0`, .., by rising name.

    Raises:
        DataError: it cannot be read, lacks an array, or an array has another shape or dtype than its tensor.
    """
    expected = {f"in{index}": tensor for index, tensor in enumerate(inputs)}
    expected |= {f"out{index}": tensor for index, tensor in enumerate(outputs)}
    with _Archive(str(path)) as archive:
        names = set()
        for key in archive.keys:
            name, separator, slot = key.rpartition(".")
            if not separator or slot not in expected:
                raise DataError(
                    archive.file, f"key {key!r} must be NAME.{', NAME.'.join(expected)} for this network"
                )
            names.add(name)
        if not names:
            raise DataError(archive.file, "there is no case in it: keys must be NAME.in0.., NAME.out0..")
        cases = []
        for name in sorted(names):
            values = [archive.read(f"{name}.{slot}", tensor) for slot, tensor in expected.items()]
            cases.append(Case(name, tuple(values[: len(inputs)]), tuple(values[len(inputs) :])))
    return cases


def load_inputs(path: str | PathLike[str], inputs: Sequence[Tensor]) -> list[np.ndarray]:
    """The network's inputs: a .npy file for a network of one, or a .npz file with the inputs' names or `in0`, ...

    Raises:
        DataError: as `load_cases`.
    """
    file = str(path)
    if not zipfile.is_zipfile(_opened(file)):
        if len(inputs) != 1:
            raise DataError(file, f"it must be a .npz file with the {len(inputs)} inputs of this network")
        with _opened(file) as content:
            return [_read_array(content, file, "the array", inputs[0])]
    with _Archive(file) as archive:
        return [
            archive.read(tensor.name if tensor.name in archive.keys else f"in{index}", tensor)
            for index, tensor in enumerate(inputs)
        ]


def save_outputs(path: str | PathLike[str], outputs: Sequence[np.ndarray]) -> None:
    """Write outputs, whole or not at all: one to a .npy file, or all to a .npz file as `out0`, `out1`, ...

    Raises:
        DataError: another suffix, several outputs for a .npy file, or a place that cannot be written.
    """
    target = Path(path)
    if target.suffix not in (".npy", ".npz"):
        raise DataError(str(path), "outputs are written to a file named *.npy or *.npz")
    if target.suffix == ".npy" and len(outputs) != 1:
        raise DataError(str(path), f"a .npy file holds one output, not {len(outputs)}: name it *.npz")

    def write(file: IO[bytes]) -> None:
        if target.suffix == ".npy":
            np.save(file, outputs[0], allow_pickle=False)
        else:
            named: Mapping[str, np.ndarray] = {f"out{index}": array for index, array in enumerate(outputs)}
            np.savez(file, allow_pickle=False, **named)

    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            temporary = Path(file.name)
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise DataError(str(path), f"it cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def random_array(tensor: Tensor, seed: Sequence[int]) -> np.ndarray:
    """Seeded values for an input: uniform over an integer type, standard normal for floats."""
    generator = np.random.default_rng(seed)
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return generator.standard_normal(tensor.shape).astype(dtype)
    bounds = np.iinfo(dtype)
    return generator.integers(bounds.min, bounds.max, tensor.shape, dtype, endpoint=True)


def _opened(file: str) -> IO[bytes]:
    try:
        return open(file, "rb")
    except OSError as error:
        raise DataError(file, f"it cannot be read: {error.strerror}") from error


class _Archive:
    """A .npz file of which every array's header is checked before its content is read."""

    def __init__(self, file: str) -> None:
        self.file = file

    def __enter__(self) -> "_Archive":
        content = _opened(self.file)
        try:
            self._zip = zipfile.ZipFile(content)
        except (*_DAMAGED, OSError) as error:
            content.close()
            raise DataError(self.file, "it is not a .npz file, or it is damaged") from error
        self._content = content
        self.keys = [name.removesuffix(".npy") for name in self._zip.namelist()]
        return self

    def __exit__(self, *details: object) -> None:
        self._zip.close()
        self._content.close()

    def read(self, key: str, tensor: Tensor) -> np.ndarray:
        """The array `key`, which must have the shape and dtype of `tensor`."""
        if key not in self.keys:
            raise DataError(self.file, f"there is no {key!r} ({tensor.name!r}) in it")
        try:
            with self._zip.open(f"{key}.npy") as member:
                return _read_array(member, self.file, repr(key), tensor)
        except (*_DAMAGED, OSError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(self.file, f"{key!r} is damaged, or no array") from error


def _read_array(content: IO[bytes], file: str, what: str, tensor: Tensor) -> np.ndarray:
    try:
        version = npy_format.read_magic(content)
        read_header = (
            npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        )
        shape, is_fortran, dtype = read_header(content)
    except (*_DAMAGED, OSError) as error:
        raise DataError(file, f"{what} is no NumPy array, or damaged") from error
    if dtype != np.dtype(tensor.dtype):
        raise DataError(file, f"{what} must be {tensor.dtype}, not {dtype}")
    if shape != tensor.shape:
        raise DataError(file, f"{what} must have shape {tensor.shape}, not {shape}")
    try:
        data = content.read(tensor.nbytes)
    except (*_DAMAGED, OSError) as error:
        raise DataError(file, f"{what} is damaged") from error
    if len(data) != tensor.nbytes:
        raise DataError(file, f"{what} is cut short")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")
