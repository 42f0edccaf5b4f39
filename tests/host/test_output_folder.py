"""Where files are to go: what cannot be, before anything is built, and with the remedy."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from celosia.host.commands.application import run
from celosia.host.device_spec import DeviceSpecError
from celosia.host.output_folder import require_output_folder

_COMMANDS = (("build", "ulx3s_85f"), ("generate", "mac-engine"))


@pytest.mark.parametrize("name", ["new", "new/below/it", ".", "there"])
def test_a_folder_that_is_there_and_one_that_is_not_are_fine_and_left_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").mkdir()
    Path("there/build.json").write_text("an earlier build's")
    require_output_folder(Path(name))
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["there", "build.json"]


@pytest.mark.parametrize("command", _COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("name", ["taken", "taken/below/it", "dangling"])
def test_something_else_in_its_place_is_one_line_of_status_2(
    command: tuple[str, str],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    monkeypatch.setattr(sys, "argv", ["celosia", *command, "-o", str(tmp_path / name)])
    assert run() == 2
    place = tmp_path / name.partition("/")[0]
    message = f"{place} is not a folder: name another one with -o, or move it out of the way"
    assert capsys.readouterr().err == f"celosia: {message}\n"


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that everybody may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    yield folder
    folder.rmdir()


def test_a_folder_that_is_read_only_is_refused_with_the_remedy(read_only: Path) -> None:
    """Asked in a process without the right to write everywhere, which whoever runs the tests may have."""
    process = os.fork()
    if not process:
        if os.geteuid() == 0:
            os.setuid(65534)
        os._exit(_is_refused(read_only, read_only) and _is_refused(read_only / "below", read_only))
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 1


def _is_refused(folder: Path, there: Path) -> bool:
    try:
        require_output_folder(folder)
    except DeviceSpecError as error:
        remedy = "name another folder with -o, or make that one writable"
        return str(error) == f"nothing can be written to {there}: {remedy}"
    return False
