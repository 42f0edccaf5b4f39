"""A cache of build products on disk, keyed by content, right whatever happens to the processes that fill it.

An entry is a directory. It is built in a hidden directory beside it and renamed into place when complete, so
an entry exists whole or not at all; its manifest holds a hash of every file, so one damaged later is rebuilt.
A lock per entry lets processes that want the same one build it once.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from .errors import CacheError

_MANIFEST = "manifest.json"
_REMEDY = "free some space there, or set the environment variable XDG_CACHE_HOME to another folder"


def default_cache_directory() -> Path:
    """The user's cache directory of this package; it need not exist."""
    return user_cache_path("celosia")


def content_key(parts: Iterable[str | bytes]) -> str:
    """A file name that two lists of parts share only if they are equal, 40 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:40]


def cached(directory: Path, key: str, build: Callable[[Path], None]) -> Path:
    """The entry `key` of the cache `directory`, calling `build` if it is not there.

    `build` fills the directory it is given; if it raises, nothing remains. A valid entry is also found in a
    directory that cannot be written.

    Raises:
        CacheError: `directory` cannot be used, or is full.
    """
    entry = directory / key
    if _is_valid(entry):
        return entry
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with FileLock(directory / f".{key}.lock"):
            if not _is_valid(entry):
                _remove_remains(directory, key)
                _fill(entry, build)
    except OSError as error:
        raise CacheError(f"cannot build in the cache {directory}: {error}; {_REMEDY}") from error
    return entry


def _fill(entry: Path, build: Callable[[Path], None]) -> None:
    workspace = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=entry.parent))
    try:
        build(workspace)
        manifest = json.dumps(_hash_files(workspace))
        (workspace / _MANIFEST).write_text(manifest)
        for path in workspace.iterdir():
            _synchronize(path)
        if entry.exists():  # damaged: a directory is only replaced by rename if it is empty
            shutil.rmtree(entry)
        os.replace(workspace, entry)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _remove_remains(directory: Path, key: str) -> None:
    """Remove what a killed process left behind; the caller holds the lock."""
    for remains in directory.glob(f".{key}.*"):
        if remains.is_dir():
            shutil.rmtree(remains, ignore_errors=True)


def _is_valid(entry: Path) -> bool:
    try:
        manifest = json.loads((entry / _MANIFEST).read_text())
        return manifest == _hash_files(entry)
    except (OSError, ValueError):
        return False


def _hash_files(directory: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.iterdir())
        if path.name != _MANIFEST
    }


def _synchronize(path: Path) -> None:
    """Wait until `path` is on the disk, so that a crash cannot leave a name without its content."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
