"""`InferenceSession`: onnxruntime's call shape, over engine and host."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import celosia
from celosia.generators.chassis.device import DeviceError
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.device_spec import DeviceSpecError
from celosia.host.errors import ModelError
from celosia.host.prediction import with_predictions
from celosia.host.program_file import ProgramError, save_program
from celosia.host.reference import run_graph
from celosia.host.session import InferenceSession
from celosia.host.tflite import parse_tflite
from tests.host.models import mixed_graph, mixed_model
from tests.tflite_builder import ModelBuilder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.tflite"
    path.write_bytes(mixed_model())
    return path


@pytest.fixture
def session(model: Path, interpreted):
    with InferenceSession(model) as session:
        yield session


def image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)


def test_the_package_hands_it_on() -> None:
    assert celosia.InferenceSession is InferenceSession


def test_inputs_and_outputs_are_described(session: InferenceSession) -> None:
    (node,) = session.get_inputs()
    assert (node.shape, node.type) == ((1, 4, 4, 3), "tensor(int8)")
    (node,) = session.get_outputs()
    assert (node.shape, node.type) == ((1, 8), "tensor(int8)")


@pytest.mark.parametrize("seed", range(3))
def test_a_run_equals_the_reference_kernels(session: InferenceSession, seed: int) -> None:
    (output,) = session.run(None, {session.get_inputs()[0].name: image(seed)})
    (expected,) = run_graph(mixed_graph(), [image(seed)])
    np.testing.assert_array_equal(output, expected)
    assert output.dtype == np.int8


def test_outputs_can_be_asked_for_by_name(session: InferenceSession) -> None:
    name = session.get_outputs()[0].name
    assert len(session.run([name, name], {session.get_inputs()[0].name: image()})) == 2


def test_wrong_feeds_are_refused(session: InferenceSession) -> None:
    name = session.get_inputs()[0].name
    with pytest.raises(ValueError, match="there is no 'other': inputs are"):
        session.run(None, {name: image(), "other": image()})
    with pytest.raises(ValueError, match="there is no 'other'"):
        session.run(["other"], {name: image()})
    with pytest.raises(ValueError, match=f"input '{name}' is missing"):
        session.run(None, {})
    with pytest.raises(ValueError, match=r"must have shape \(1, 4, 4, 3\), not \(4, 4, 3\)"):
        session.run(None, {name: image()[0]})
    with pytest.raises(TypeError, match="must be int8, not uint8"):
        session.run(None, {name: image().view(np.uint8)})


def test_the_profile_adds_up(session: InferenceSession) -> None:
    with pytest.raises(ValueError, match="no profile before the first run"):
        session.profile()
    session.run(None, {session.get_inputs()[0].name: image()})
    profile = session.profile()
    assert [layer.name for layer in profile.layers] == ["CONV_2D #0", "MEAN #2"]
    assert profile.cycles == sum(layer.cycles for layer in profile.layers)
    assert profile.macs == 4 * 4 * 8 * 27 + 4 * 4 * 8
    assert profile.mac_utilization == profile.macs / (128 * profile.cycles)
    for layer in profile.layers:
        stalls = layer.stall_weights + layer.stall_ifm + layer.stall_ofm + layer.stall_dma
        assert layer.cycles == layer.active + stalls


def test_host_operators_are_reported(session: InferenceSession) -> None:
    assert session.program.host_operators == ("QUANTIZE #1",)


def test_cycles_are_predicted_for_the_memory_of_the_device(model: Path, interpreted) -> None:
    fast = InferenceSession(model, memory=MemoryModel(latency=1)).program
    slow = InferenceSession(model, memory=MemoryModel(latency=100)).program
    assert 0 < fast.predicted_cycles < slow.predicted_cycles
    assert (
        InferenceSession(fast, memory=MemoryModel(latency=100)).program.predicted_cycles
        == slow.predicted_cycles
    )


def test_layers_share_the_predicted_cycles(model: Path, interpreted) -> None:
    for section in InferenceSession(model).program.engine_sections:
        predicted = [snapshot.predicted_cycles for snapshot in section.snapshots]
        assert min(predicted) > 0
        assert section.predicted_cycles == sum(predicted)


def test_a_program_file_runs_like_its_model(tmp_path: Path, interpreted) -> None:
    config = PRESETS["u55-64"]
    path = tmp_path / "mixed.celosia"
    save_program(with_predictions(compile_graph(mixed_graph(), config), MemoryModel()), path)
    with InferenceSession(path, "sim:u55-64") as session:
        (output,) = session.run(None, {session.get_inputs()[0].name: image()})
    np.testing.assert_array_equal(output, run_graph(mixed_graph(), [image()])[0])


def test_a_program_for_another_configuration_is_refused_by_name(tmp_path: Path, interpreted) -> None:
    program = compile_graph(mixed_graph(), replace(PRESETS["u55-128"], buffer_kib=64))
    with pytest.raises(ProgramError, match=r"compiled for configuration \w+ .* device sim:u55-128 has \w+"):
        InferenceSession(program, "sim:u55-128")
    InferenceSession(program, "sim:u55-128", settings=["buffer_kib=64"])


def test_errors_come_before_anything_is_built(tmp_path: Path, interpreted) -> None:
    with pytest.raises(DeviceSpecError):
        InferenceSession(tmp_path / "missing.tflite", "sim:u55-1")
    with pytest.raises(ModelError, match=r"missing\.tflite: it cannot be read"):
        InferenceSession(tmp_path / "missing.tflite")
    assert interpreted == []


def test_progress_is_reported(model: Path, interpreted) -> None:
    steps = []
    InferenceSession(model, progress=lambda step, done, total: steps.append((step, done, total)))
    assert steps == [("Compiling", 0, 1), ("Compiling", 1, 1), ("Interpreting", 1, 1)]


def test_the_device_is_released(model: Path, interpreted) -> None:
    with InferenceSession(model):
        assert not interpreted[0].closed
    assert interpreted[0].closed


def test_a_failing_device_does_not_end_the_session(session: InferenceSession, interpreted) -> None:
    (device,) = interpreted
    name = session.get_inputs()[0].name
    start = session.program.engine_sections[0].queue_offset
    opcode = device.memory[start].copy()
    device.memory[start] = 0
    with pytest.raises(DeviceError, match="at command 0"):
        session.run(None, {name: image()})
    device.memory[start] = opcode
    np.testing.assert_array_equal(
        session.run(None, {name: image()})[0], run_graph(mixed_graph(), [image()])[0]
    )


def test_tensors_of_one_name_are_told_apart(interpreted) -> None:
    builder = ModelBuilder()
    inputs = [builder.tensor((1, 4), scale=0.5) for _ in range(2)]
    total = builder.tensor((1, 4), scale=0.5)
    builder.operator("ADD", inputs, [total], "AddOptions")
    graph = parse_tflite(builder.pack(inputs, [total]), "add").require_graph()
    program = compile_graph(graph, PRESETS["u55-128"])
    tensors = {index: replace(tensor, name="x") for index, tensor in program.tensors.items()}
    session = InferenceSession(replace(program, tensors=tensors))
    names = [node.name for node in session.get_inputs()]
    assert names == ["x", "x:1"]
    values = [np.full((1, 4), value, np.int8) for value in (3, 4)]
    (output,) = session.run(None, dict(zip(names, values, strict=True)))
    assert (output == 7).all()
