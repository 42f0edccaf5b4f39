"""The folder that a command is to fill, looked at before it works for it."""

import os
from pathlib import Path

from .device_spec import DeviceSpecError


def require_output_folder(folder: Path) -> None:
    """Refuse a folder that cannot be filled; nothing is made.

    Files that are there already are no hindrance: those of an earlier run are replaced.

    Raises:
        DeviceSpecError: something else has its place, or nothing can be written there.
    """
    whole = folder.absolute()
    there = next(place for place in (whole, *whole.parents) if os.path.lexists(place))
    if not there.is_dir():
        raise DeviceSpecError(f"{there} is not a folder: name another one with -o, or move it out of the way")
    if not os.access(there, os.W_OK | os.X_OK):
        raise DeviceSpecError(
            f"nothing can be written to {there}: name another folder with -o, or make that one writable"
        )
