"""Networks on the whole board as it is built: `celosia verify` through pyserial, a pseudo-terminal and every pin."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from celosia.boards.board import BOARDS
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.commands.application import run
from celosia.host.simulated_board import BoardDesign, board_design, open_simulated_board
from celosia.sim.board.board_on_line import BoardOnLine
from celosia.sim.board.pty_line import PtyLine
from tests.link_bench.line import Faults

PRESET = "u55-32"
_IMAGES = 20


def design(rate: float) -> BoardDesign:
    """At 80 MHz; for a bad line, which takes long, with a slower accelerator and a faster line."""
    board, config = BOARDS["ulx3s_85f"], PRESETS[PRESET]
    if rate:
        return board_design(board, config, frequency=25_000_000, baud=4_000_000)
    return board_design(board, config)


@contextmanager
def serial_device(rate: float) -> Iterator[str]:
    """The device to name; `rate` of all bytes dropped, damaged or doubled in each direction."""
    with open_simulated_board(design(rate)) as board:
        line = PtyLine(BoardOnLine(board), Faults(rate, 1), Faults(rate, 2))
        try:
            yield f"serial:{line.name}?preset={PRESET}&baud={design(rate).board.baud}&patience=3600"
        finally:
            line.close()
            assert line.failure is None
            assert board.statistics.broken_bytes == 0


def verify(monkeypatch: pytest.MonkeyPatch, model: Path, cases: Path, device: str) -> int:
    arguments = ("verify", str(model), "--cases", str(cases), "--device", device, "--json")
    monkeypatch.setattr(sys, "argv", ["celosia", *arguments])
    return run()


def test_a_board_without_sdram_and_a_clock_that_is_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, text in (
        (("ecpix5_85f",), "board must have an SDRAM to be simulated, and ecpix5_85f has 128 KiB block RAM"),
        (("ulx3s",), f"board must be one of {', '.join(BOARDS)}, not 'ulx3s'"),
        (("ulx3s_85f", "--clock", "1"), "must be 3.125..400 MHz, not 1"),
        (("ulx3s_85f", "--baud", "12000000"), "baud must be positive and at most clock_hz / 6"),
    ):
        monkeypatch.setattr(sys, "argv", ["celosia", "simulate-board", *arguments])
        assert run() == 2
        assert text in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_serves_a_board_that_verify_finds_right(
    shared_models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "from celosia.host.cli import main; main()"
    command = [sys.executable, "-c", program, "simulate-board", "ulx3s_85f", "--preset", PRESET, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            text += process.stdout.readline()
        description = json.loads(text)
        assert (description["board"], description["clock_mhz"]) == ("ulx3s_85f", 80)
        folder = shared_models / "tflm_hello_world"
        model, cases = folder / "model.tflite", folder / "cases.npz"
        assert verify(monkeypatch, model, cases, description["device"]) == 0
        assert json.loads(capsys.readouterr().out)["equal"] > 1
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.0, 0.01])
def test_digits_are_read(
    rate: float,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    digits = repository / "examples" / "digits"
    with np.load(digits / "test_images.npz") as held_out, np.load(digits / "golden.npz") as golden:
        pairs = zip(held_out["images"][:_IMAGES], golden["logits"][:_IMAGES], strict=True)
        cases = {
            f"{number}.{name}": array[np.newaxis]
            for number, pair in enumerate(pairs)
            for name, array in zip(("in0", "out0"), pair, strict=True)
        }
    np.savez(tmp_path / "cases.npz", **cases)
    with serial_device(rate) as device:
        assert verify(monkeypatch, digits / "digits.tflite", tmp_path / "cases.npz", device) == 0
    assert json.loads(capsys.readouterr().out)["equal"] == _IMAGES


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.0, 0.01])
@pytest.mark.parametrize("network", ["tflm_hello_world", "mlperf_kws_dscnn"])
def test_a_published_network_gives_its_expected_outputs(
    network: str,
    rate: float,
    shared_models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = shared_models / network
    with np.load(folder / "cases.npz") as every:
        (name, *_) = (key.partition(".")[0] for key in every)
        cases = {key: every[key] for key in every if key.startswith(f"{name}.")}
    np.savez(tmp_path / "cases.npz", **cases)
    with serial_device(rate) as device:
        assert verify(monkeypatch, folder / "model.tflite", tmp_path / "cases.npz", device) == 0
    assert json.loads(capsys.readouterr().out)["equal"] == 1
