"""Programs as files: one self-describing file without pickles.

Layout: the magic bytes, the SHA-256 of everything after it, the length of a JSON header (8 bytes, little-endian), the
header, then the binary parts that the header refers to by number.
"""

import dataclasses
import hashlib
import json
import os
import tempfile
from pathlib import Path

from .errors import ModelError
from .plain_values import from_plain
from .program import Program
from .program_records import Parts, ProgramRecord, program_of, record_of

MAGIC = b"CELOSIA\x03"
_DIGEST_BYTES = hashlib.sha256().digest_size


class ProgramError(ModelError):
    """A program file that cannot be used."""


def is_program(path: str | os.PathLike[str]) -> bool:
    """Whether the file starts like a program of any version; False when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)).startswith(MAGIC[:-1])
    except OSError:
        return False


def save_program(program: Program, path: str | os.PathLike[str]) -> int:
    """Write `program` to `path`, whole or not at all; returns the file's size.

    Raises:
        ProgramError: the file cannot be written.
    """
    content = program_to_bytes(program)
    target = Path(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise ProgramError(str(path), f"it cannot be written: {error.strerror}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return len(content)


def load_program(path: str | os.PathLike[str]) -> Program:
    """Read a program.

    Raises:
        ProgramError: the file cannot be read, is damaged, or was written by another version.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ProgramError(str(path), f"it cannot be read: {error.strerror}") from error
    return program_from_bytes(content, str(path))


def program_to_bytes(program: Program) -> bytes:
    """The file's content."""
    parts = Parts()
    record = record_of(program, parts)
    text = json.dumps(dataclasses.asdict(record), sort_keys=True).encode()
    body = len(text).to_bytes(8, "little") + text + bytes(parts.content)
    return MAGIC + hashlib.sha256(body).digest() + body


def program_from_bytes(content: bytes, file: str) -> Program:
    """The program in a file's content; messages call it `file`.

    Raises:
        ProgramError: as `load_program`.
    """
    if content[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise ProgramError(file, "it is not a Celosia program; write one with `celosia compile`")
    if content[: len(MAGIC)] != MAGIC:
        raise ProgramError(file, "it was written by another version; compile the model again")
    digest = content[len(MAGIC) : len(MAGIC) + _DIGEST_BYTES]
    body = content[len(MAGIC) + _DIGEST_BYTES :]
    if hashlib.sha256(body).digest() != digest:
        raise ProgramError(file, "it is damaged or cut short; compile the model again")
    length = int.from_bytes(body[:8], "little")
    try:
        record = from_plain(ProgramRecord, json.loads(body[8 : 8 + length]))
        program = program_of(record, body[8 + length :])
    except (TypeError, ValueError, RecursionError) as error:
        raise ProgramError(
            file, f"its header does not make sense ({error}); compile the model again"
        ) from error
    if record.config_hash != f"{program.config.hash:016x}":
        raise ProgramError(file, "it was compiled for another version of the engine; compile the model again")
    return program
