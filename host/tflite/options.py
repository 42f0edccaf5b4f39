"""From TFLite's option tables to the graph's attributes.

Slot numbers follow the option tables of ``tensorflow/lite/schema/schema.fbs``.
"""

from collections.abc import Callable
from typing import cast

import numpy as np
from tflite.ActivationFunctionType import ActivationFunctionType
from tflite.BuiltinOptions import BuiltinOptions
from tflite.Padding import Padding as PaddingCode

from ..attributes import (
    Activation,
    Attributes,
    ConcatenationAttributes,
    ConvAttributes,
    DepthwiseAttributes,
    ElementwiseAttributes,
    FullyConnectedAttributes,
    MeanAttributes,
    NoAttributes,
    PadAttributes,
    Padding,
    PoolAttributes,
    SoftmaxAttributes,
)
from ..graph import Tensor
from .flatbuffer import Table
from .records import OperatorRecord, enumeration

__all__ = ["SUPPORTED_KINDS", "build_attributes"]

_ACTIVATIONS = enumeration(ActivationFunctionType)
_PADDINGS = enumeration(PaddingCode)
_OPTIONS = enumeration(BuiltinOptions)

Operands = tuple[Tensor | None, ...]


def build_attributes(record: OperatorRecord, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    """The attributes of an operator; some are in constant inputs. Raises ValueError when they cannot be used."""
    if record.kind not in _BUILDERS:
        raise ValueError(f"{record.kind} is not supported")
    options_name, builder = _BUILDERS[record.kind]
    if options_name is None:
        return NoAttributes()
    stored = _OPTIONS.get(record.options_type, f"options code {record.options_type}")
    if record.options is None or stored != options_name:
        raise ValueError(f"its options must be {options_name}, not {stored if record.options else 'absent'}")
    return builder(record.options, inputs, outputs)


def _activation(options: Table, slot: int) -> Activation:
    code = options.integer(slot, "b")
    return cast(Activation, _ACTIVATIONS.get(code, f"activation code {code}"))


def _padding(options: Table, slot: int) -> Padding:
    code = options.integer(slot, "b")
    return cast(Padding, _PADDINGS.get(code, f"padding code {code}"))


def _convolution(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    return ConvAttributes(
        stride=(options.integer(2, "i"), options.integer(1, "i")),
        dilation=(options.integer(5, "i", 1), options.integer(4, "i", 1)),
        padding=_padding(options, 0),
        activation=_activation(options, 3),
    )


def _depthwise(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    return DepthwiseAttributes(
        stride=(options.integer(2, "i"), options.integer(1, "i")),
        dilation=(options.integer(6, "i", 1), options.integer(5, "i", 1)),
        padding=_padding(options, 0),
        activation=_activation(options, 4),
        depth_multiplier=options.integer(3, "i"),
    )


def _fully_connected(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    weights_format = options.integer(1, "b")
    if weights_format != 0:
        raise ValueError(f"weights_format must be 0 (DEFAULT), not {weights_format}")
    return FullyConnectedAttributes(_activation(options, 0), options.boolean(2))


def _pool(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    return PoolAttributes(
        kernel=(options.integer(4, "i"), options.integer(3, "i")),
        stride=(options.integer(2, "i"), options.integer(1, "i")),
        padding=_padding(options, 0),
        activation=_activation(options, 5),
    )


def _elementwise(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    return ElementwiseAttributes(_activation(options, 0))


def _constant_operand(inputs: Operands, position: int, what: str) -> np.ndarray:
    tensor = inputs[position] if position < len(inputs) else None
    if tensor is None or tensor.data is None or tensor.dtype not in ("int32", "int64"):
        raise ValueError(f"{what} must be a constant int32 or int64 tensor")
    return tensor.data


def _ifm(inputs: Operands) -> Tensor:
    if not inputs or inputs[0] is None:
        raise ValueError("the ifm must be there")
    return inputs[0]


def _mean(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    rank = len(_ifm(inputs).shape)
    axes = _constant_operand(inputs, 1, "axes").reshape(-1)[: rank + 1].tolist()
    if not 1 <= len(axes) <= rank:
        raise ValueError(f"there must be 1 to {rank} axes for {rank} dimensions")
    for axis in axes:
        if not -rank <= axis < rank:
            raise ValueError(f"axes must be in {-rank}..{rank - 1}, not {axis}")
    return MeanAttributes(tuple(sorted({axis % rank for axis in axes})), options.boolean(0))


def _pad(options: Table | None, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    ifm = _ifm(inputs)
    paddings = _constant_operand(inputs, 1, "paddings")
    if paddings.shape != (len(ifm.shape), 2):
        raise ValueError(f"paddings must have shape ({len(ifm.shape)}, 2), not {paddings.shape}")
    if len(inputs) > 2 and inputs[2] is not None:
        value = inputs[2].constant.reshape(-1)
        if value.size != 1 or inputs[2].dtype != ifm.dtype:
            raise ValueError(
                f"the value must be one constant {ifm.dtype}, not {value.size} of {inputs[2].dtype}"
            )
        fill = int(value[0])
    else:
        fill = outputs[0].zero_point if outputs else 0
    return PadAttributes(tuple(paddings[:, 0].tolist()), tuple(paddings[:, 1].tolist()), fill)


def _concatenation(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    axis, activation = options.integer(0, "i"), _activation(options, 1)
    if activation != "NONE":
        raise ValueError(f"activation must be NONE, not {activation}")
    return ConcatenationAttributes(axis + len(_ifm(inputs).shape) if axis < 0 else axis)


def _softmax(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    return SoftmaxAttributes(options.float32(0))


def _nothing(options: Table, inputs: Operands, outputs: tuple[Tensor, ...]) -> Attributes:
    return NoAttributes()


Builder = Callable[[Table, Operands, tuple[Tensor, ...]], Attributes]

# Kind of operator -> the option table it must carry (None: its options, if any, say nothing) and its reader.
_BUILDERS: dict[str, tuple[str | None, Builder]] = {
    "ADD": ("AddOptions", _elementwise),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _pool),
    "CONCATENATION": ("ConcatenationOptions", _concatenation),
    "CONV_2D": ("Conv2DOptions", _convolution),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", _depthwise),
    "DEQUANTIZE": (None, _nothing),
    "FULLY_CONNECTED": ("FullyConnectedOptions", _fully_connected),
    "LOGISTIC": (None, _nothing),
    "MAX_POOL_2D": ("Pool2DOptions", _pool),
    "MEAN": ("ReducerOptions", _mean),
    "MUL": ("MulOptions", _elementwise),
    "PAD": ("PadOptions", _pad),
    "PADV2": ("PadV2Options", _pad),
    "QUANTIZE": (None, _nothing),
    "RELU": (None, _nothing),
    "RELU6": (None, _nothing),
    "RESHAPE": (None, _nothing),
    "SOFTMAX": ("SoftmaxOptions", _softmax),
    "SUB": ("SubOptions", _elementwise),
    "TANH": (None, _nothing),
}

SUPPORTED_KINDS = tuple(_BUILDERS)
"""The kinds of operators that can be imported."""
