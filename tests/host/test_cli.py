"""The command line as scripts see it: exit codes, stdout, stderr."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from celosia.host.commands.application import run
from celosia.host.reference import run_graph
from tests.host.models import mixed_graph, mixed_model, save_cases
from tests.interpreter_device import InterpreterDevice

COMMANDS = ("inspect", "compile", "generate", "run", "verify")


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


Celosia = Callable[..., Result]


@pytest.fixture
def celosia(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, interpreted
) -> Celosia:
    """Runs a command line in an own folder that holds `mixed.tflite` and `cases.npz`; devices are interpreters."""
    monkeypatch.chdir(tmp_path)
    Path("mixed.tflite").write_bytes(mixed_model())
    save_cases(Path("cases.npz"), mixed_graph(), lambda inputs: run_graph(mixed_graph(), inputs), ("a", "b"))

    def call(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["celosia", *arguments])
        status = run()
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return call


def test_help_names_commands_exit_codes_and_an_example(celosia: Celosia) -> None:
    result = celosia("--help")
    assert result.status == 0
    assert all(command in result.out for command in (*COMMANDS, "Exit codes: 0", "Example: celosia run"))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_shows_an_example_and_its_options(celosia: Celosia, command: str) -> None:
    result = celosia(command, "--help")
    assert result.status == 0
    options = ("--set", "--config", "--memory-latency", "--memory-bytes-per-cycle", "--json")
    assert all(text in result.out for text in (f"Example: celosia {command}", *options))


@pytest.mark.parametrize("arguments", [["frobnicate"], ["run"], ["run", "mixed.tflite", "--random", "x"]])
def test_wrong_usage_is_status_2(celosia: Celosia, arguments: list[str]) -> None:
    result = celosia(*arguments)
    assert (result.status, result.out) == (2, "")
    assert "Traceback" not in result.err


def test_inspect_lists_operators_and_reasons(celosia: Celosia) -> None:
    result = celosia("inspect", "mixed.tflite", "--preset", "u55-64")
    assert result.status == 0
    assert "QUANTIZE #1: QUANTIZE runs on the host for now" in result.out
    assert celosia("inspect", "mixed.tflite", "--json").json["operators"][0]["macs"] == 4 * 4 * 8 * 27


def test_compile_prints_the_memory_map_and_writes_a_program(celosia: Celosia) -> None:
    result = celosia("compile", "mixed.tflite", "--preset", "u55-64", "-o", "mixed.celosia", "--json")
    assert result.status == 0
    report = result.json
    assert report["program_bytes"] == Path("mixed.celosia").stat().st_size
    assert [entry["region"] for entry in report["memory_map"]] == [
        "PROGRAM",
        "SCRATCH",
        "INPUT",
        "OUTPUT",
    ] * 2
    ends = [entry["address"] + entry["bytes"] for entry in report["memory_map"]]
    assert max(ends) <= report["memory_bytes"]
    assert report["predicted_cycles"] > 0
    text = celosia("compile", "mixed.tflite", "-o", "other.celosia").out
    assert all(word in text for word in ("PROGRAM", "0x00000000", "written: other.celosia"))


def test_run_takes_a_model_and_random_inputs(celosia: Celosia) -> None:
    result = celosia("run", "mixed.tflite", "--random", "1", "--profile")
    assert result.status == 0
    assert all(word in result.out for word in ("cycles: ", "MAC utilisation", "CONV_2D #0", "MEAN #2", "DMA"))
    report = celosia("run", "mixed.tflite", "--random", "1", "--json").json
    assert report == {
        **celosia("run", "mixed.tflite", "--random", "1", "--json").json,
        "wall_seconds": report["wall_seconds"],
    }
    assert len(report["outputs"][0]["values"][0]) == 8
    assert "layers" not in report
    assert len(celosia("run", "mixed.tflite", "--random", "1", "--profile", "--json").json["layers"]) == 2


def test_run_takes_a_program_and_files(celosia: Celosia) -> None:
    image = np.random.default_rng(3).integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)
    np.save("image.npy", image)
    celosia("compile", "mixed.tflite", "--set", "buffer_kib=32", "-o", "mixed.celosia")
    device = ["--device", "sim:u55-128", "--set", "buffer_kib=32"]
    result = celosia("run", "mixed.celosia", "--input", "image.npy", "--output", "answer.npy", *device)
    assert result.status == 0
    np.testing.assert_array_equal(np.load("answer.npy"), run_graph(mixed_graph(), [image])[0])


def test_a_program_for_another_device_is_refused(celosia: Celosia) -> None:
    celosia("compile", "mixed.tflite", "--preset", "u55-64", "-o", "mixed.celosia")
    result = celosia("run", "mixed.celosia", "--random", "1")
    assert (result.status, result.out) == (2, "")
    assert "it was compiled for configuration" in result.err


def test_verify_is_0_only_if_all_cases_are_equal(celosia: Celosia) -> None:
    result = celosia("verify", "mixed.tflite", "--cases", "cases.npz", "--json")
    assert result.status == 0
    assert (result.json["cases"], result.json["equal"]) == (2, 2)
    assert celosia("verify", "mixed.tflite", "--cases", "cases.npz").out.startswith("2/2 cases bit-exact")


def test_verify_is_1_on_a_difference_and_names_it(celosia: Celosia) -> None:
    def wrong(inputs: list[np.ndarray]) -> list[np.ndarray]:
        return [run_graph(mixed_graph(), inputs)[0] ^ np.int8(1)]

    save_cases(Path("cases.npz"), mixed_graph(), wrong, ("a", "b"))
    result = celosia("verify", "mixed.tflite", "--cases", "cases.npz")
    assert result.status == 1
    assert "0/2 cases bit-exact" in result.out
    assert "case a: output 'tensor5' at [0, 0] must be" in result.out
    result = celosia("verify", "mixed.tflite", "--cases", "cases.npz", "--json")
    assert result.status == 1
    assert result.json["differences"][0]["case"] == "a"


RUN = ["run", "mixed.tflite", "--random", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspect", "missing.tflite"], "missing.tflite: it cannot be read: No such file or directory"),
        (["inspect", "cases.npz"], "cases.npz: "),
        (["compile", "mixed.tflite", "-o", "missing/x"], "missing/x: it cannot be written: No such file"),
        (["generate", "abacus", "-o", "x"], "family must be one of mac-engine"),
        (["generate", "mac-engine", "--preset", "u55-1", "-o", "x"], "preset must be one of u55-32"),
        ([*RUN, "--device", "pcie:0"], "device must be sim:PRESET"),
        ([*RUN, "--set", "lanes=3"], "--set lanes=3: lanes must be 4 or 8, not 3"),
        ([*RUN, "--set", "size=3"], "--set size=3: key must be one of macs, weight_kib"),
        ([*RUN, "--config", "missing.toml"], "missing.toml: it cannot be read as TOML"),
        ([*RUN, "--memory-latency", "0"], "memory: latency must be"),
        ([*RUN, "--memory-bytes-per-cycle", "fast"], "memory: "),
        ([*RUN, "--trace", "run.txt"], "run.txt: a waveform is written to a file named *.vcd or *.fst"),
        ([*RUN, "--output", "x.txt"], "x.txt: outputs are written to a file named *.npy or *.npz"),
        (["run", "mixed.tflite", "--input", "cases.npz"], "there is no 'in0' ('tensor0') in it"),
        (
            ["verify", "mixed.tflite", "--cases", "missing.npz"],
            "missing.npz: it cannot be read: No such file",
        ),
        (["verify", "mixed.tflite", "--cases", "mixed.tflite"], "mixed.tflite: it is not a .npz file"),
    ],
)
def test_what_cannot_be_used_is_status_2_and_one_line(
    celosia: Celosia, arguments: list[str], message: str
) -> None:
    result = celosia(*arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err
    assert result.err.startswith("celosia: ")
    assert len(result.err.splitlines()) == 1


def test_inputs_are_given_once(celosia: Celosia) -> None:
    for arguments in (["run", "mixed.tflite"], [*RUN, "--input", "image.npy"]):
        result = celosia(*arguments)
        assert result.status == 2
        assert "--input FILE or by --random SEED" in result.err


def test_a_failing_device_is_status_3(celosia: Celosia, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InterpreterDevice, "read_register", lambda device, offset: 0)
    result = celosia(*RUN)
    assert (result.status, result.out) == (3, "")
    assert "there is no Celosia engine: MAGIC reads 0x00000000" in result.err


def test_a_full_disk_is_one_line(celosia: Celosia, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    assert celosia(*RUN).status == 0
    monkeypatch.setattr("os.fsync", full)
    result = celosia(*RUN, "--output", "answer.npy")
    assert result.status == 2
    assert result.err == "celosia: answer.npy: it cannot be written: No space left on device\n"
    assert not Path("answer.npy").exists()


def test_json_stands_alone_on_stdout(celosia: Celosia) -> None:
    commands = (
        ["inspect", "mixed.tflite"],
        ["compile", "mixed.tflite", "-o", "x.celosia"],
        RUN,
        ["verify", "mixed.tflite", "--cases", "cases.npz"],
    )
    for arguments in commands:
        assert isinstance(celosia(*arguments, "--json").json, dict)


def test_ctrl_c_ends_with_130_and_leaves_no_half_entry(tmp_path: Path) -> None:
    """In the middle of generating the Verilog, with a cache of its own."""
    (tmp_path / "mixed.tflite").write_bytes(mixed_model())
    cache = tmp_path / "cache" / "celosia" / "verilog"
    process = subprocess.Popen(
        [sys.executable, "-c", "from celosia.host.cli import main; main()", *RUN],
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    limit = time.monotonic() + 600
    while not any(entry.is_dir() for entry in cache.glob(".*")) and time.monotonic() < limit:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert out == ""
    assert not any(entry.is_dir() for entry in cache.iterdir())
