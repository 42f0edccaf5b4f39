"""Inspection: every operator, where it would run, and every reason why not on the engine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.mac_engine.config import PRESETS
from celosia.host.errors import ModelError
from celosia.host.inspection import inspect_model
from tests.host.models import mixed_model
from tests.tflite_builder import ModelBuilder

CONFIG = PRESETS["u55-128"]


def test_operators_are_listed_with_their_costs(tmp_path: Path) -> None:
    path = tmp_path / "mixed.tflite"
    path.write_bytes(mixed_model())
    inspection = inspect_model(path, CONFIG)
    convolution, quantize, mean = inspection.operators
    assert [operator.name for operator in inspection.operators] == ["CONV_2D #0", "QUANTIZE #1", "MEAN #2"]
    assert [operator.runs_on for operator in inspection.operators] == ["engine", "host", "engine"]
    assert convolution.inputs[0].shape == (1, 4, 4, 3)
    assert convolution.outputs[0].shape == (1, 4, 4, 8)
    assert (convolution.macs, convolution.weight_bytes) == (4 * 4 * 8 * 27, 8 * 27)
    assert quantize.reasons == ("QUANTIZE runs on the host for now",)
    assert (mean.macs, mean.reasons) == (4 * 4 * 8, ())
    assert inspection.can_run
    assert inspection.macs == convolution.macs + mean.macs


def unusable(tmp_path: Path) -> Path:
    """A convolution of stride 4, one with float weights, and an operator that is not known."""
    model = ModelBuilder()
    image = model.tensor((1, 9, 9, 3), scale=0.5)
    ones = model.tensor((4, 1, 1, 3), scale=0.5, data=np.ones((4, 1, 1, 3), np.int8))
    halved = model.tensor((1, 3, 3, 4), scale=0.5)
    options = {"dilationHFactor": 1, "dilationWFactor": 1, "padding": 1}
    model.operator("CONV_2D", [image, ones], [halved], "Conv2DOptions", strideH=4, strideW=4, **options)
    floats = model.tensor((4, 1, 1, 4), "float32", data=np.ones((4, 1, 1, 4), np.float32))
    broken = model.tensor((1, 3, 3, 4), "int16", scale=0.5)
    model.operator("CONV_2D", [halved, floats], [broken], "Conv2DOptions", strideH=1, strideW=1, **options)
    last = model.tensor((1, 3, 3, 4), "int16", scale=0.5)
    model.operator("ELU", [broken], [last])
    path = tmp_path / "unusable.tflite"
    path.write_bytes(model.pack([image], [last]))
    return path


def test_operators_that_cannot_run_anywhere_say_all_their_reasons(tmp_path: Path) -> None:
    inspection = inspect_model(unusable(tmp_path), CONFIG)
    strided, broken, unknown = inspection.operators
    assert not inspection.can_run
    assert (strided.runs_on, broken.runs_on, unknown.runs_on) == ("host", "nowhere", "nowhere")
    assert strided.reasons == ("Strides must be 1 to 3 (found 4 x 4)",)
    assert len(broken.reasons) == 2
    assert "ELU is not supported" in unknown.reasons


def test_the_configuration_decides(tmp_path: Path) -> None:
    path = tmp_path / "mixed.tflite"
    path.write_bytes(mixed_model())
    assert inspect_model(path, replace(CONFIG, buffer_kib=4)).operators[0].runs_on == "engine"


def test_plain_values_are_complete(tmp_path: Path) -> None:
    values = inspect_model(unusable(tmp_path), CONFIG).to_dict()
    assert values.keys() == {"model", "operators", "macs", "weight_bytes", "can_run"}


def test_a_file_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"TFL3")
    with pytest.raises(ModelError, match=r"broken\.tflite: "):
        inspect_model(path, CONFIG)
