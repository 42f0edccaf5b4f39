"""The demonstration as `make demo` runs it, on the real simulated engine."""

import subprocess
import sys
from pathlib import Path


def test_it_reads_every_digit_bit_exactly_and_says_what_it_cost(repository: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(repository / "examples" / "digits" / "demo.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    for text in (
        "98.61% of 360 held-out images",
        "360/360 bit-exact",
        "cycles per inference",
        "MAC utilisation",
        "simulated cycles per second",
        "generated Verilog: ",
    ):
        assert text in result.stdout
    verilog = Path(result.stdout.split("generated Verilog: ")[1].strip())
    assert "module celosia(" in verilog.read_text()
