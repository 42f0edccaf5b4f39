"""Seeded TFLite files of one operator with int16 activations, int8 weights and int64 biases: int16x8."""

from dataclasses import replace

import numpy as np

from tests.tflite_builder import ModelBuilder, TensorSpec
from tests.tflite_draw import Draw
from tests.tflite_writer import conv_2d, depthwise_conv_2d, fully_connected

__all__ = ["INT16_OPERATORS", "random_int16_model"]

INT16_OPERATORS = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
}
"""Each writes its int8 file, which then gets wider activations and biases."""

_SUM_SPREAD = 256
"""Sums of products with int16 are so many times those with int8, and so is the range of the ofm."""


def random_int16_model(operator: str, seed: int) -> tuple[bytes, str]:
    """The bytes of a file and a line that identifies it."""
    draw, model = Draw(f"int16 {operator}", seed), ModelBuilder()
    inputs, output = INT16_OPERATORS[operator](model, draw)
    (written,) = model.operators
    if len(written.inputs) == 2:
        channels, weights = model.tensors[output].shape[-1], model.tensors[written.inputs[1]]
        products = [model.tensors[inputs[0]].scale[0] * scale for scale in weights.scale]
        zeros = np.zeros(channels, np.int32)
        bias = model.tensor((channels,), "int32", products, data=zeros)
        model.operators = [replace(written, inputs=(*written.inputs, bias))]
    model.tensors = [_wide(spec, operator) for spec in model.tensors]
    shapes = " ".join(str(model.tensors[index].shape) for index in inputs)
    description = f"random_int16_model({operator!r}, {seed}): {shapes} -> {model.tensors[output].shape}"
    return model.pack(inputs, [output]), description


def _wide(spec: TensorSpec, operator: str) -> TensorSpec:
    if spec.data is None:
        return replace(spec, dtype="int16", zero_point=0)
    if spec.dtype == "int32":
        return replace(spec, dtype="int64", data=spec.data.astype(np.int64) * _SUM_SPREAD)
    return replace(spec, scale=spec.scale[:1]) if operator == "FULLY_CONNECTED" else spec
