"""Files of a build that are whole or not there, however it ends."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celosia.generators.whole_file import write_whole

REPORT_FILE = "report.json"
"""Area and clocks of the routed design, whether it met its clock or not."""
MANIFEST_FILE = "build.json"
"""Written last: where it is, the build beside it is whole."""


@contextmanager
def made_whole(folder: Path, names: Sequence[str]) -> Iterator[None]:
    """The block makes the files `names` in `folder`; if it does not come to its end, Ctrl-C included, they go."""
    try:
        yield
    except BaseException:
        remove(folder, names)
        raise


def remove(folder: Path, names: Sequence[str]) -> None:
    """Take the files `names` out of `folder`, as far as they are there."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Replace `path` by a file that was complete before it got its name."""
    write_whole(path, json.dumps(values, indent=2) + "\n")


def write_manifest(folder: Path, values: Mapping[str, Any], files: Sequence[Path]) -> Path:
    """`values` and what each of `files` holds, as `MANIFEST_FILE`; returns where."""
    content = [
        {
            "file": file.name,
            "bytes": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
        for file in files
    ]
    path = folder / MANIFEST_FILE
    write_json(path, {**values, "files": content})
    return path
