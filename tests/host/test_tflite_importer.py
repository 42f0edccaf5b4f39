"""What the importer refuses, in whose words, and that it never does anything worse."""

import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from celosia.host.errors import ModelError
from celosia.host.graph import ABSENT
from celosia.host.tflite import load_tflite, parse_tflite, survey_tflite
from tests.tflite_builder import ModelBuilder, repack

CONV = {"padding": 0, "strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}


def error_of(model: ModelBuilder, inputs: list[int], outputs: list[int]) -> ModelError:
    with pytest.raises(ModelError) as caught:
        parse_tflite(model.pack(inputs, outputs), "net.tflite").require_graph()
    return caught.value


@dataclass(frozen=True)
class Convolution:
    """A 1 x 1 convolution of which one thing is to be wrong."""

    weights_shape: tuple[int, ...] = (2, 1, 1, 3)
    weights_zero_point: int = 0
    weights_scale: float | tuple[float, ...] = 0.1
    weights_axis: int = 0
    constant: bool = True
    bias_dtype: str = "int32"
    bias_size: int = 2
    ofm_shape: tuple[int, ...] = (1, 4, 4, 2)
    ofm_scale: float = 1.0
    options: dict[str, int] = field(default_factory=dict)

    def write(self) -> tuple[ModelBuilder, list[int], list[int]]:
        """The model with its inputs and outputs."""
        model = ModelBuilder()
        ifm = model.tensor((1, 4, 4, 3), scale=0.5, zero_point=1)
        weights = model.tensor(
            self.weights_shape,
            scale=self.weights_scale,
            zero_point=self.weights_zero_point,
            axis=self.weights_axis,
            data=np.ones(self.weights_shape, np.int8) if self.constant else None,
        )
        data = np.ones(self.bias_size, self.bias_dtype)
        bias = model.tensor((self.bias_size,), self.bias_dtype, 0.05, data=data)
        ofm = model.tensor(self.ofm_shape, scale=self.ofm_scale)
        model.operator("CONV_2D", [ifm, weights, bias], [ofm], "Conv2DOptions", **{**CONV, **self.options})
        return model, [ifm] if self.constant else [ifm, weights], [ofm]


def test_a_good_file_becomes_a_graph() -> None:
    model, inputs, outputs = Convolution().write()
    graph = parse_tflite(model.pack(inputs, outputs), "net.tflite").require_graph()
    operator = graph.bind(graph.operators[0])
    assert (graph.file, operator.name) == ("net.tflite", "CONV_2D #0")
    assert (operator.ifm.shape, operator.ifm.scale, operator.ifm.zero_point) == ((1, 4, 4, 3), 0.5, 1)
    assert operator.weights.constant.tolist() == [[[[1, 1, 1]]]] * 2


@pytest.mark.parametrize(
    ("convolution", "reason"),
    [
        (
            Convolution(weights_zero_point=1),
            "The weights must be constant int8, symmetric.*found a zero point other than 0",
        ),
        (Convolution(constant=False), "The weights must be constant int8.*found activations 'tensor1'"),
        (
            Convolution(weights_scale=(0.1, 0.2, 0.3), weights_axis=3),
            "one per ofm channel.*found scales along dimension 3",
        ),
        (
            Convolution(weights_scale=(0.1, 0.2, 0.3)),
            "tensor 'tensor1': there must be 2 scales for axis 0, not 3",
        ),
        (Convolution(weights_scale=0.0), "tensor 'tensor1': scale must be finite and positive, not 0.0"),
        (Convolution(weights_scale=float("nan")), "scale must be finite and positive, not nan"),
        (
            Convolution(weights_shape=(2, 1, 1, 4)),
            "The ofm must have the shape.*weights must have the ifm's 3 channels, or those of a group, not 4",
        ),
        (
            Convolution(ofm_shape=(1, 4, 5, 2)),
            r"The ofm must have the shape.*\(1, 4, 5, 2\), not \(1, 4, 4, 2\)",
        ),
        (Convolution(bias_dtype="int16"), "A bias must be constant int32"),
        (Convolution(bias_size=3), r"one value per ofm channel \(found int32 of shape \(3,\)"),
        (
            Convolution(options={"strideH": 0}),
            r"stride must be in 1..65536 in height and width, not \(0, 1\)",
        ),
        (
            Convolution(options={"dilationWFactor": -1}),
            r"dilation must be in 1..65536 in height and width, not \(1, -1\)",
        ),
        (Convolution(options={"padding": 7}), "padding must be one of SAME, VALID, not padding code 7"),
        (
            Convolution(options={"fusedActivationFunction": 4}),
            "activation must be one of NONE, RELU, RELU6, RELU_N1_TO_1, not TANH",
        ),
        (Convolution(ofm_scale=1e-30), r"The scales must give a rescaling factor below 2\*\*30"),
        (
            Convolution(ofm_scale=1e-9, options={"fusedActivationFunction": 3}),
            "The bounds of the activation must be representable",
        ),
    ],
)
def test_a_wrong_convolution_is_refused_by_name(convolution: Convolution, reason: str) -> None:
    error = error_of(*convolution.write())
    assert (error.file, error.operator) == ("net.tflite", "CONV_2D #0")
    assert str(error).startswith("net.tflite: CONV_2D #0: ")
    assert re.search(reason, error.reason), error.reason


def good() -> bytes:
    """The bytes of a good file."""
    model, inputs, outputs = Convolution().write()
    return model.pack(inputs, outputs)


def refusal(data: bytes) -> ModelError:
    with pytest.raises(ModelError) as caught:
        parse_tflite(data, "net.tflite").require_graph()
    return caught.value


def set_tensor(number: int, **fields: object) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for name, value in fields.items():
            setattr(model.subgraphs[0].tensors[number], name, value)

    return change


def set_operator(**fields: object) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for name, value in fields.items():
            setattr(model.subgraphs[0].operators[0], name, value)

    return change


def set_quantization(number: int, **fields: object) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for name, value in fields.items():
            setattr(model.subgraphs[0].tensors[number].quantization, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_tensor(0, shape=[1, -1, 4, 3]), "tensor 'tensor0': shape must have only positive dimensions"),
        (
            set_tensor(0, shapeSignature=[1, -1, 4, 3]),
            "tensor 'tensor0': shape must be static but for the batch",
        ),
        (
            set_tensor(0, shape=[1, 1 << 14, 1 << 14, 3]),
            "tensor 'tensor0': it must have at most 16777216 bytes",
        ),
        (set_tensor(0, shape=[1] * 9), "tensor 'tensor0': shape must have at most 6 dimensions, not 9"),
        (
            set_tensor(0, type=schema.TensorType.FLOAT16),
            "tensor 'tensor0': data type must be one of .*, not float16",
        ),
        (set_tensor(0, type=schema.TensorType.STRING), "not string"),
        (set_tensor(0, type=99), "not type code 99"),
        (set_tensor(0, type=schema.TensorType.INT16), "The ifm and ofm must be int16 .*int8 in 'tensor3'"),
        (
            set_tensor(0, quantization=None),
            "The ifm and ofm must be int8 .*found int8 without quantisation in 'tensor0'",
        ),
        (set_tensor(0, isVariable=True), "tensor 'tensor0': state that lasts between inferences"),
        (
            set_tensor(1, sparsity=schema.SparsityParametersT()),
            "tensor 'tensor1': weights must be dense, not sparse",
        ),
        (set_tensor(1, shape=[2, 1, 1, 4]), "a constant int8 of shape .* must have 8 bytes, not 6"),
        (set_quantization(0, zeroPoint=[300]), "tensor 'tensor0': zero_point must fit int8, not 300"),
        (set_quantization(0, zeroPoint=[1, 2]), "as many zero points as scales"),
        (set_quantization(0, zeroPoint=[]), "as many zero points as scales"),
        (set_quantization(0, detailsType=1, details=schema.CustomQuantizationT()), "not custom"),
        (set_operator(inputs=[0, 1, 2, 2]), "There must be 2 to 3 inputs and 1 output .found 4 inputs"),
        (set_operator(inputs=[0]), "There must be 2 to 3 inputs and 1 output .found 1 inputs"),
        (set_operator(inputs=[0, ABSENT, 2]), "There must be 2 to 3 inputs"),
        (set_operator(inputs=[0, 1, 77]), "input 77 must be a tensor index below 4"),
        (set_operator(outputs=[-1]), "output -1 must be a tensor index below 4"),
        (set_operator(outputs=[]), "inputs and 0 outputs"),
        (
            set_operator(builtinOptions=None, builtinOptionsType=0),
            "its options must be Conv2DOptions, not absent",
        ),
        (
            set_operator(
                builtinOptions=schema.AddOptionsT(), builtinOptionsType=schema.BuiltinOptions.AddOptions
            ),
            "its options must be Conv2DOptions, not AddOptions",
        ),
    ],
)
def test_a_wrong_tensor_or_operator_is_refused_by_name(change: Callable[[Any], None], reason: str) -> None:
    error = refusal(repack(good(), change))
    assert error.operator == "CONV_2D #0"
    assert re.search(reason, error.reason), error.reason


def two_subgraphs(model: Any) -> None:
    model.subgraphs.append(model.subgraphs[0])


def set_version(model: Any) -> None:
    model.version = 2


def set_inputs(model: Any) -> None:
    model.subgraphs[0].inputs = [9]


def read_before_written(model: Any) -> None:
    model.subgraphs[0].inputs = []


def write_a_constant(model: Any) -> None:
    model.subgraphs[0].tensors[3].buffer = len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = [0] * 32


def write_the_input(model: Any) -> None:
    model.subgraphs[0].inputs = [0, 3]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (two_subgraphs, "the model must have exactly one subgraph, not 2"),
        (set_version, "the schema version must be 3, not 2"),
        (set_inputs, "an input or output of the graph must be below 4, not 9"),
        (set_tensor(0, buffer=99), "tensor 'tensor0': buffer must be below 3, not 99"),
        (set_operator(opcodeIndex=5), "an operator's opcode index must be below 1, not 5"),
        (read_before_written, "CONV_2D #0 reads tensor 'tensor0' before it is written"),
        (write_a_constant, "CONV_2D #0 writes tensor 'tensor3' a second time"),
        (write_the_input, "CONV_2D #0 writes tensor 'tensor3' a second time"),
    ],
)
def test_a_wrong_file_is_refused(change: Callable[[Any], None], reason: str) -> None:
    error = refusal(repack(good(), change))
    assert str(error).startswith("net.tflite: ")
    assert re.search(reason, error.reason), error.reason


@pytest.mark.parametrize("length", [0, 4, 8, 20, 100])
def test_truncated_files(length: int) -> None:
    refusal(good()[:length])


def test_a_file_that_is_no_tflite_file() -> None:
    assert "identifier TFL3" in str(refusal(b"\x89PNG" * 100))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="it cannot be read: No such file or directory"):
        load_tflite(tmp_path / "missing.tflite")
    with pytest.raises(ModelError, match="it cannot be read: Is a directory"):
        load_tflite(tmp_path)


def test_all_unsupported_operators_are_listed_at_once(tmp_path: Path) -> None:
    model = ModelBuilder()
    tensors = [model.tensor((1, 4), scale=0.5) for _ in range(4)]
    for index, kind in enumerate(("ELU", "RELU6", "CUSTOM")):
        model.operator(kind, [tensors[index]], [tensors[index + 1]])
    path = tmp_path / "net.tflite"
    path.write_bytes(model.pack(tensors[:1], tensors[-1:]))
    survey = survey_tflite(path)
    assert [(operator.name, operator.reasons) for operator in survey.operators] == [
        ("ELU #0", ("ELU is not supported",)),
        ("RELU6 #1", ()),
        ("CUSTOM '' #2", ("CUSTOM '' is not supported",)),
    ]
    assert [tensor.shape for tensor in survey.operators[0].inputs] == [(1, 4)]
    assert survey.graph is None
    with pytest.raises(ModelError, match=r"2 operators cannot be imported:\n  ELU #0: .*\n  CUSTOM '' #2: "):
        survey.require_graph()


def test_an_operator_lists_every_reason() -> None:
    error = error_of(*Convolution(weights_zero_point=1, ofm_scale=1.0).write())
    assert error.reason.count("found") == 1
    error = error_of(*Convolution(bias_size=3, ofm_shape=(1, 4, 5, 2)).write())
    assert error.reason.count("found") == 2


def test_unused_tensors_do_not_matter() -> None:
    model, inputs, outputs = Convolution().write()
    model.tensor((0, 3), "int8")
    assert len(parse_tflite(model.pack(inputs, outputs), "net.tflite").require_graph().tensors) == 4


def test_one_zero_point_stands_for_all_channels() -> None:
    model, inputs, outputs = Convolution(weights_scale=(0.1, 0.2)).write()
    data = repack(model.pack(inputs, outputs), set_quantization(1, zeroPoint=[0]))
    graph = parse_tflite(data, "net.tflite").require_graph()
    quantization = graph.bind(graph.operators[0]).weights.quantization
    assert quantization is not None
    assert quantization.zero_point == (0, 0)


def test_operator_codes_of_old_and_new_writers(shared_models: Path) -> None:
    def only_old_field(model: Any) -> None:
        model.operatorCodes[0].builtinCode = 0

    def only_new_field(model: Any) -> None:
        model.operatorCodes[0].deprecatedBuiltinCode = 0

    for change in (only_old_field, only_new_field):
        assert parse_tflite(repack(good(), change), "net.tflite").operators[0].kind == "CONV_2D"


def test_a_file_of_overlapping_tables_is_refused_in_time() -> None:
    """16,384 tensors that are all one table with a long shape: far less in the file than it reads as."""
    tables, length = 1 << 14, 1 << 14
    data = bytearray(struct.pack("<I4s", 0, b"TFL3"))

    def append(layout: str, *values: int) -> int:
        data.extend(b"\0" * (-len(data) % 4) + struct.pack("<" + layout, *values))
        return len(data) - struct.calcsize("<" + layout)

    # Offsets only point forwards, so tables come before what they refer to; each has its vtable in front.
    append("HHHHHH", 10, 16, 4, 0, 8, 0)
    model = append("iII", 12, 3, 0)
    struct.pack_into("<I", data, 0, model)
    subgraphs = append("II", 1, 0)
    struct.pack_into("<I", data, model + 8, subgraphs - model - 8)
    append("HHHH", 6, 8, 4, 0)
    subgraph = append("iI", 8, 0)
    struct.pack_into("<I", data, subgraphs + 4, subgraph - subgraphs - 4)
    tensors = append(f"I{tables}I", tables, *[0] * tables)
    struct.pack_into("<I", data, subgraph + 4, tensors - subgraph - 4)
    append("HHHH", 6, 8, 4, 0)
    tensor = append("iI", 8, 4)
    for position in range(tensors + 4, tensors + 4 + 4 * tables, 4):
        struct.pack_into("<I", data, position, tensor - position)
    append(f"I{length}I", length, *[1] * length)
    started = time.monotonic()
    assert "must not overlap so often" in str(refusal(bytes(data)))
    assert time.monotonic() - started < 5
