"""`celosia boards`: the list for people and for programs."""

import json
import sys

import pytest

from celosia.boards.board import BOARDS
from celosia.generators import families
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.commands.application import run

TOO_LARGE = {
    "ulx3s_85f": "140 MULT18X18D too few",
    "ecpix5_85f": "140 MULT18X18D too few",
    "arty_a7_100t": "56 DSP48E1 too few",
}


def celosia(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["celosia", *arguments])
    return run()


def test_every_board_has_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert celosia(monkeypatch, "boards") == 0
    lines = capsys.readouterr().out.splitlines()
    for board in BOARDS.values():
        (line,) = (line for line in lines if line.startswith(f"{board.name} "))
        assert all(text in line for text in (board.part.name, str(board.memory), "u55-32, u55-64, u55-128"))
    for name, missing in TOO_LARGE.items():
        assert f"u55-256 does not fit {name}: {missing}" in " ".join(lines)


def test_json_has_what_each_preset_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert celosia(monkeypatch, "boards", "--json") == 0
    boards = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["boards"]}
    assert list(boards) == list(BOARDS)
    ulx3s = boards["ulx3s_85f"]
    assert (ulx3s["part"], ulx3s["speed"], ulx3s["memory_bytes"]) == ("LFE5U-85F", 6, 32 << 20)
    assert ulx3s["available"] == {"lut4": 83640, "flip_flops": 83640, "dsp": 156, "bram": 208}
    presets = {entry["preset"]: entry for entry in ulx3s["presets"]}
    assert list(presets) == list(families.PRESETS)
    assert [presets[name]["fits"] for name in PRESETS] == [True, True, True, False]
    assert presets["u55-256"]["missing"] == ["140 MULT18X18D too few"]
    assert presets["u55-64"]["dsp"] == 88


def test_help_shows_an_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert celosia(monkeypatch, "boards", "--help") == 0
    assert "Example: celosia boards --json" in capsys.readouterr().out
