"""Verification: all cases, and on a difference where it starts."""

from pathlib import Path

import numpy as np
import pytest

from celosia.generators.chassis.device import DeviceError
from celosia.host.device_spec import parse_device
from celosia.host.reference import run_graph
from celosia.host.verify import verify_model
from tests.host.models import mixed_graph, mixed_model, save_cases
from tests.interpreter_device import InterpreterDevice

SPEC = parse_device("sim:u55-128")
CASES = ("a", "b", "c")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.tflite"
    path.write_bytes(mixed_model())
    return path


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.npz"
    save_cases(path, mixed_graph(), lambda inputs: run_graph(mixed_graph(), inputs), CASES)
    return path


def test_equal_cases_are_counted(model: Path, cases: Path, interpreted) -> None:
    result = verify_model(model, cases, SPEC)
    assert (result.cases, result.equal, result.is_equal, result.differences) == (3, 3, True, ())
    assert result.model == str(model)
    assert result.device == "sim:u55-128"
    assert result.host_operators == ("QUANTIZE #1",)
    assert result.predicted_cycles > 0
    assert result.mac_utilization == result.macs / (128 * result.cycles)


def test_json_has_the_promised_keys(model: Path, cases: Path, interpreted) -> None:
    keys = verify_model(model, cases, SPEC).to_dict().keys()
    assert keys >= {
        "model",
        "device",
        "cases",
        "equal",
        "cycles",
        "predicted_cycles",
        "macs",
        "mac_utilization",
        "host_operators",
        "wall_seconds",
    }


def test_a_difference_names_case_tensor_index_and_both_values(
    model: Path, tmp_path: Path, interpreted
) -> None:
    path = tmp_path / "cases.npz"

    def wrong(inputs: list[np.ndarray]) -> list[np.ndarray]:
        (output,) = run_graph(mixed_graph(), inputs)
        output = output.copy()
        output[0, 5] += 1
        return [output]

    save_cases(path, mixed_graph(), wrong, CASES)
    result = verify_model(model, path, SPEC)
    assert (result.cases, result.equal, result.is_equal) == (3, 0, False)
    difference = result.differences[1]
    assert (difference.case, difference.tensor, difference.index) == ("b", "tensor5", (0, 5))
    assert difference.expected == difference.actual + 1
    assert "the expected values are not those of the reference kernels" in difference.first_layer
    assert "case b: output 'tensor5' at [0, 5] must be" in str(difference)


def test_the_first_layer_at_fault_is_named(
    model: Path, cases: Path, interpreted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that gets the second engine section's result wrong, whenever it is run."""
    run = InterpreterDevice._run

    def run_wrong(device: InterpreterDevice) -> None:
        device.flip = 5 if device.runs % 2 else None
        run(device)

    monkeypatch.setattr(InterpreterDevice, "_run", run_wrong)
    result = verify_model(model, cases, SPEC)
    assert result.equal == 0
    for difference in result.differences:
        assert difference.index == (0, 5)
        assert "is MEAN #2: [0, 5] must be" in difference.first_layer


def test_cycles_that_depend_on_the_inputs_are_an_error(
    model: Path, cases: Path, interpreted, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = InterpreterDevice._count

    def more_every_time(device: InterpreterDevice, commands: int, snapshots: list[int]) -> None:
        count(device, commands + device.runs, snapshots)

    monkeypatch.setattr(InterpreterDevice, "_count", more_every_time)
    with pytest.raises(DeviceError, match=r"cycles must not depend on the inputs: case a took .*, case b"):
        verify_model(model, cases, SPEC)


def test_progress_counts_the_cases(model: Path, cases: Path, interpreted) -> None:
    steps = []
    verify_model(model, cases, SPEC, lambda step, done, total: steps.append((step, done, total)))
    assert ("Running cases", 3, 3) in steps
