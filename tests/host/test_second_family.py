"""A family that joins the list has every command, without a change anywhere else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.host.reference import run_graph
from tests.host.models import mixed_graph, mixed_model, save_cases
from tests.twin_family import TWIN, TwinConfig


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "mixed.tflite"
    file.write_bytes(mixed_model())
    return file


def celosia(*arguments: object, repository: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.twin_family", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=repository)


def answer(*arguments: object, repository: Path) -> Any:
    result = celosia(*arguments, "--json", repository=repository)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def configuration(preset: str) -> str:
    return f"{TWIN.presets[preset].hash:016x}"


def test_its_configurations_are_others_than_those_of_its_twin() -> None:
    assert TwinConfig(macs=64) != MacEngineConfig(macs=64)
    assert TwinConfig(macs=64).hash != MacEngineConfig(macs=64).hash


def test_a_preset_chooses_the_family(model: Path, repository: Path, tmp_path: Path) -> None:
    inspected = answer("inspect", model, "--preset", "twin-32", repository=repository)
    assert inspected["configuration"] == configuration("twin-32")
    program = tmp_path / "mixed.celosia"
    compiled = answer("compile", model, "--preset", "twin-32", "-o", program, repository=repository)
    assert compiled["configuration"] == configuration("twin-32")
    assert compiled["predicted_cycles"] > 0
    other = celosia("run", program, "--random", 1, "--device", "sim:u55-32", repository=repository)
    assert other.returncode == 2
    assert "(twin with 32 multipliers), the device sim:u55-32 has" in other.stderr


def test_verilog_is_written_for_the_family_that_is_named(repository: Path, tmp_path: Path) -> None:
    written = answer("generate", "the-twin", "-o", tmp_path / "files", repository=repository)
    assert (written["family"], written["configuration"]) == ("the-twin", configuration("twin-64"))
    manifest = json.loads((tmp_path / "files" / "celosia.json").read_text())
    assert (manifest["family"], manifest["name"]) == ("the_twin", "twin with 64 multipliers")
    refused = celosia("generate", "the-twin", "--preset", "u55-32", "-o", tmp_path, repository=repository)
    assert refused.returncode == 2
    assert "preset must be one of twin-32, twin-64 for the-twin, not 'u55-32', which is of mac-engine" in (
        refused.stderr
    )


def test_help_and_errors_list_it(repository: Path, tmp_path: Path) -> None:
    assert "twin-32" in celosia("run", "--help", repository=repository).stdout
    assert "the-twin" in celosia("generate", "--help", repository=repository).stdout
    unknown = celosia("generate", "abacus", "-o", tmp_path, repository=repository)
    assert "the-twin, not 'abacus'" in " ".join(unknown.stderr.split())
    boards = answer("boards", repository=repository)["boards"]
    assert all({"u55-32", "twin-32"} <= {fit["preset"] for fit in board["presets"]} for board in boards)


@pytest.mark.slow
def test_it_is_simulated_and_verified(model: Path, repository: Path, tmp_path: Path) -> None:
    """Its model is built first: a minute or two."""
    graph = mixed_graph()
    save_cases(tmp_path / "cases.npz", graph, lambda inputs: run_graph(graph, inputs), ("first", "second"))
    device = ("--device", "sim:twin-32")
    ran = answer("run", model, "--random", 1, *device, "--profile", repository=repository)
    assert ran["cycles"] == ran["predicted_cycles"] > 0
    assert np.shape(ran["outputs"][0]["values"]) == (1, 8)
    verified = answer("verify", model, "--cases", tmp_path / "cases.npz", *device, repository=repository)
    assert (verified["cases"], verified["equal"]) == (2, 2)
