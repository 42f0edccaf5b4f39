"""A command that is ended by a signal says so in a line, and leaves neither half-written files nor tools at work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_SLEEPER = """
import os, pathlib, time

def run_sleeper(arguments):
    pathlib.Path("half").write_text("half of")
    pathlib.Path("started").write_text(str(os.getpid()))
    pathlib.Path("started").rename("pid")
    time.sleep(600)
"""

_PROGRAM = """
from celosia.boards.build_files import made_whole
from celosia.boards.wheel_tool import WheelTool
from celosia.host.commands import build

def sleep(board, config, directory, **options):
    directory.mkdir()
    with made_whole(directory, ["half"]):
        WheelTool("Sleeper", "sleeper", "run_sleeper").run([], directory, "sleep")

build.build_for_board = sleep

from celosia.host.cli import main
main()
"""
"""`celosia` with a build that starts one tool, which does not end."""

_LIMIT_SECONDS = 300
"""For what takes a second where the machine has nothing else to do."""


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + _LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def is_there(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def build(tmp_path: Path) -> subprocess.Popen[str]:
    """`celosia build ulx3s_85f -o out`, its tool at work in `tmp_path / "out"`."""
    (tmp_path / "sleeper.py").write_text(_SLEEPER)
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "build", "ulx3s_85f", "-o", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until((tmp_path / "out" / "pid").exists)
    return process


@pytest.mark.parametrize(
    ("sent", "status", "line"),
    [
        ([signal.SIGINT], 130, "celosia: interrupted by Ctrl-C\n"),
        ([signal.SIGTERM], 143, "celosia: ended by SIGTERM\n"),
        ([signal.SIGINT] * 3, 130, "celosia: interrupted by Ctrl-C\n"),
    ],
    ids=["SIGINT", "SIGTERM", "impatient"],
)
def test_a_build_ends_in_one_line_without_half_a_file_and_without_its_tool(
    build: subprocess.Popen[str], sent: list[signal.Signals], status: int, line: str, tmp_path: Path
) -> None:
    for each in sent:
        build.send_signal(each)
    assert build.communicate(timeout=_LIMIT_SECONDS) == ("", line)
    assert build.returncode == status
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["pid", "sleep.log"]
    assert not is_there(int((tmp_path / "out" / "pid").read_text()))


def test_a_tool_does_not_outlive_a_build_that_is_killed(build: subprocess.Popen[str], tmp_path: Path) -> None:
    tool = int((tmp_path / "out" / "pid").read_text())
    assert is_there(tool)
    build.kill()
    build.communicate(timeout=_LIMIT_SECONDS)
    until(lambda: not is_there(tool))
