"""`celosia build`: what is refused before anything is built, and what is told afterwards."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from celosia.boards.board import BOARDS, Board
from celosia.boards.build_result import BuildResult, BuildStep, ClockResult, Usage
from celosia.boards.errors import BuildError
from celosia.boards.nextpnr_report import CriticalPath
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.commands import build as command
from celosia.host.commands.application import run
from celosia.host.program_file import load_program
from tests.host.models import mixed_model

PATH = CriticalPath(("system.load.left", "system.load.sum", "system.store.open"), 11.0, 7.5)


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str


Celosia = Callable[..., Answer]


@pytest.fixture
def celosia(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Celosia:
    """Runs `celosia build` in a folder of its own that holds `mixed.tflite`."""
    monkeypatch.chdir(tmp_path)
    Path("mixed.tflite").write_bytes(mixed_model())

    def call(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["celosia", "build", *arguments])
        status = run()
        captured = capsys.readouterr()
        return Answer(status, captured.out, captured.err)

    return call


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What builds are asked for; each ends at once, as if the tools had run: `tests/boards/test_build.py` runs them."""
    asked: list[dict[str, Any]] = []

    def build(board: Board, config: object, directory: Path, **options: Any) -> BuildResult:
        asked.append({"board": board.name, "config": config, **options})
        directory.mkdir(exist_ok=True)
        bitstream = directory / "board.bit"
        bitstream.write_bytes(bytes(1500))
        return BuildResult(
            board=board.name,
            toolchain=board.toolchain.value,
            seed=options["seed"],
            usage=(Usage("LUT4", "lut4", 32000, 83640), Usage("DP16KD", "bram", 113, 208)),
            clocks=(ClockResult("sync", 91.04, 90.625, PATH), ClockResult("line", 170.0, 25.0, PATH)),
            steps=(BuildStep("Verilog", 9.5, None), BuildStep("synthesis", 100.25, 700 << 20)),
            bitstream=bitstream,
            files=(bitstream,),
        )

    monkeypatch.setattr(command, "build_for_board", build)
    return asked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ulx3s", "-o", "out"], "board must be one of ulx3s_85f, ecpix5_85f"),
        (
            ["ulx3s_85f", "--preset", "u55-65", "-o", "out"],
            "preset must be one of u55-32, u55-64, u55-128, u55-256",
        ),
        (["ulx3s_85f", "--set", "lanes=5", "-o", "out"], "lanes must be 4 or 8, not 5"),
        (["ulx3s_85f"], "the folder for the files is missing: add -o DIR, or --fit"),
        (["ulx3s_85f", "--clock", "0", "-o", "out"], "--clock must be above 0 and below 1000 MHz, not 0"),
        (["ulx3s_85f", "--clock", "500", "-o", "out"], "wanted must be 3.125..400 MHz, not 500"),
        (["ulx3s_85f", "--model", "none.tflite", "-o", "out"], "none.tflite"),
        (
            ["ulx3s_85f", "--preset", "u55-256", "-o", "out"],
            "does not fit ulx3s_85f: 140 MULT18X18D too few; the largest preset that fits is u55-128",
        ),
        (["ulx3s_85f", "--preset", "u55-256", "--fit"], "140 MULT18X18D too few"),
    ],
)
def test_what_cannot_be_built_is_status_2_and_one_message(
    celosia: Celosia, arguments: list[str], message: str
) -> None:
    answer = celosia(*arguments)
    assert answer.status == 2
    assert answer.err.startswith("celosia: ")
    assert message in answer.err
    assert not Path("out/build.json").exists()


def test_a_model_that_the_board_s_memory_does_not_hold_is_refused_by_bytes(
    celosia: Celosia, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = BOARDS["ecpix5_85f"]
    monkeypatch.setitem(BOARDS, board.name, replace(board, memory=replace(board.memory, size=8192)))
    answer = celosia("ecpix5_85f", "--model", "mixed.tflite", "-o", "out")
    assert answer.status == 2
    assert "mixed.tflite needs 24,576 bytes of memory, 16,384 more than ecpix5_85f has" in answer.err
    assert not Path("out").exists()


def test_a_step_that_fails_is_status_3(celosia: Celosia, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: object, **options: object) -> None:
        raise BuildError("the clock sync reached 80.00 MHz, not the 90 MHz")

    monkeypatch.setattr(command, "build_for_board", failing)
    answer = celosia("ulx3s_85f", "--clock", "90", "-o", "out")
    assert (answer.status, answer.out) == (3, "")
    assert answer.err == "celosia: the clock sync reached 80.00 MHz, not the 90 MHz\n"


def test_an_estimate_needs_no_folder(celosia: Celosia) -> None:
    answer = celosia("ulx3s_85f", "--preset", "u55-64", "--fit")
    assert answer.status == 0
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["MULT18X18D", "88", "156", "56"] in lines
    assert ["DP16KD", "113", "208", "54"] in lines
    values = json.loads(celosia("ulx3s_85f", "--fit", "--json").out)
    assert {"fmax_mhz", "lut4", "dsp", "bram", "fits"} <= set(values)
    assert (values["preset"], values["dsp"], values["largest_preset"]) == ("u55-64", 88, "u55-128")


def test_options_reach_the_build(celosia: Celosia, built: list[dict[str, Any]]) -> None:
    options = ("--preset", "u55-32", "--set", "buffer_kib=64", "--clock", "80.5", "--seed", "7")
    assert celosia("ecpix5_85f", *options, "-o", "out").status == 0
    (asked,) = built
    assert asked["config"] == replace(PRESETS["u55-32"], buffer_kib=64)
    assert (asked["board"], asked["clock"], asked["seed"]) == ("ecpix5_85f", 80_500_000, 7)


def test_a_table_tells_cells_clocks_and_steps(celosia: Celosia, built: list[dict[str, Any]]) -> None:
    answer = celosia("ulx3s_85f", "-o", "out")
    assert (answer.status, len(built)) == (0, 1)
    rows = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert "LUT4 32,000 83,640 38" in rows
    assert "sync 91.04 90.62 system.load.left to system.store.open, 11.0 ns, 7.5 of them wires" in rows
    assert "synthesis 100.2 700" in rows
    assert "all 109.8" in rows
    assert "bitstream: out/board.bit (1,500 bytes)" in rows


def test_json_has_a_model_s_program_and_what_programs_read(
    celosia: Celosia, built: list[dict[str, Any]]
) -> None:
    answer = celosia("ulx3s_85f", "--model", "mixed.tflite", "-o", "out", "--json")
    values = json.loads(answer.out)
    keys = {
        "fmax_mhz",
        "clock_mhz",
        "lut4",
        "bram",
        "seconds",
        "bitstream",
        "preset",
        "configuration",
        "program",
    }
    assert keys <= set(values)
    assert (values["fmax_mhz"], values["clock_mhz"], values["seconds"]) == (91.04, 90.625, 109.8)
    assert values["program"]["file"] == "out/mixed.celosia"
    program = load_program(Path("out/mixed.celosia"))
    assert program.config == PRESETS["u55-64"]
    assert built[0]["companions"] == (Path("out/mixed.celosia"),)


def test_help_shows_an_example(celosia: Celosia) -> None:
    answer = celosia("--help")
    assert answer.status == 0
    assert "Example: celosia build ulx3s_85f" in answer.out
