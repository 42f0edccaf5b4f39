"""What a tool's failure tells the user."""

from pathlib import Path

import pytest

from celosia.boards.errors import BuildError
from celosia.boards.wheel_tool import YOSYS, WheelTool


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
