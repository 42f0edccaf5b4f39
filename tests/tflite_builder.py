"""Write TFLite files for tests, tensor by tensor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

__all__ = ["ModelBuilder", "TensorSpec", "repack"]

_TYPES = {
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "float32": schema.TensorType.FLOAT32,
}


def _names(enumeration: type) -> dict[str, int]:
    return {name: value for name, value in vars(enumeration).items() if isinstance(value, int)}


@dataclass(frozen=True)
class TensorSpec:
    """A tensor to be written; per-channel ``scale`` runs along ``axis``."""

    shape: tuple[int, ...]
    dtype: str
    scale: tuple[float, ...]
    zero_point: int
    axis: int
    data: np.ndarray | None


@dataclass(frozen=True)
class OperatorSpec:
    """An operator to be written, with the name and the fields (in camel case) of its option table."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: str | None
    values: dict[str, object]


@dataclass
class ModelBuilder:
    """Collects tensors and operators and packs them into the bytes of a .tflite file."""

    tensors: list[TensorSpec] = field(default_factory=list)
    operators: list[OperatorSpec] = field(default_factory=list)

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "int8",
        scale: float | Sequence[float] = (),
        zero_point: int = 0,
        axis: int = 0,
        data: np.ndarray | None = None,
    ) -> int:
        """Add a tensor, constant when ``data`` is given, quantised when ``scale`` is; returns its index."""
        scales = (scale,) if isinstance(scale, int | float) else tuple(scale)
        self.tensors.append(TensorSpec(tuple(shape), dtype, scales, zero_point, axis, data))
        return len(self.tensors) - 1

    def operator(
        self,
        kind: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: str | None = None,
        **values: object,
    ) -> None:
        """Add an operator with an option table such as ``"Conv2DOptions"`` and its fields, in camel case."""
        self.operators.append(OperatorSpec(kind, tuple(inputs), tuple(outputs), options, values))

    def pack(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file's bytes."""
        constants = [spec.data for spec in self.tensors if spec.data is not None]
        kinds = list(dict.fromkeys(spec.kind for spec in self.operators))
        buffer_numbers = iter(range(1, 1 + len(constants)))
        graph = schema.SubGraphT()
        graph.name = "main"
        graph.tensors = [
            _tensor(index, spec, 0 if spec.data is None else next(buffer_numbers))
            for index, spec in enumerate(self.tensors)
        ]
        graph.operators = [_operator(spec, kinds) for spec in self.operators]
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        model = schema.ModelT()
        model.version = 3
        model.description = "test"
        model.subgraphs = [graph]
        model.buffers = [schema.BufferT(), *map(_buffer, constants)]
        model.operatorCodes = [_code(kind) for kind in kinds]
        return _pack(model)


def repack(data: bytes, change: Callable[[schema.ModelT], None]) -> bytes:
    """The file ``data`` after ``change`` has been made to its contents, for what `ModelBuilder` cannot express."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(data), 0))
    change(model)
    return _pack(model)


def _pack(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(index: int, spec: TensorSpec, buffer: int) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name = f"tensor{index}"
    tensor.shape = list(spec.shape)
    tensor.type = _TYPES[spec.dtype]
    tensor.buffer = buffer
    if spec.scale:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = list(spec.scale)
        tensor.quantization.zeroPoint = [spec.zero_point] * len(spec.scale)
        tensor.quantization.quantizedDimension = spec.axis
    return tensor


def _buffer(data: np.ndarray) -> schema.BufferT:
    buffer = schema.BufferT()
    buffer.data = list(data.tobytes())
    return buffer


def _operator(spec: OperatorSpec, kinds: list[str]) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.opcodeIndex = kinds.index(spec.kind)
    operator.inputs, operator.outputs = list(spec.inputs), list(spec.outputs)
    if spec.options is not None:
        options = getattr(schema, spec.options + "T")()
        for name, value in spec.values.items():
            setattr(options, name, value)
        operator.builtinOptionsType = _names(schema.BuiltinOptions)[spec.options]
        operator.builtinOptions = options
    return operator


def _code(kind: str) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = _names(schema.BuiltinOperator)[kind]
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = 1
    return code
