"""Seeded TFLite files of one operator each, over the whole range the project states, and of small networks.

`random_model` is the entry: the same operator and seed give the same bytes on every machine.
"""

import math
from dataclasses import replace

import numpy as np

from tests.tflite_builder import ModelBuilder, TensorSpec
from tests.tflite_draw import (
    ACTIVATIONS,
    SAME,
    Draw,
    Writer,
    activation,
    convolution_geometry,
    weights_and_bias,
    windowed,
)

__all__ = ["BATCHED", "OPERATORS", "random_inputs", "random_model"]


def conv_2d(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """Kernels 1..16 x 1..16, strides 1..3, dilations 1..2, now and then channels in groups."""
    image, kernel, stride, dilation, padding = convolution_geometry(draw)
    inputs, outputs = draw.channels(), draw.channels()
    batch = 2 if draw.chance(0.05) else 1
    groups = draw.integer(2, 4) if draw.chance(0.15) else 1
    outputs *= groups
    scale = draw.scale()
    ifm = activation(model, draw, batch, *image, groups * inputs, scale=scale)
    operands, largest = weights_and_bias(model, draw, (outputs, *kernel, inputs), 0, scale)
    size = [windowed(image[axis], kernel[axis], stride[axis], dilation[axis], padding) for axis in (0, 1)]
    spread = draw.spread(scale * largest, kernel[0] * kernel[1] * inputs)
    ofm = activation(model, draw, batch, *size, outputs, scale=spread)
    model.operator(
        "CONV_2D",
        [ifm, *operands],
        [ofm],
        "Conv2DOptions",
        padding=padding,
        strideH=stride[0],
        strideW=stride[1],
        dilationHFactor=dilation[0],
        dilationWFactor=dilation[1],
        fusedActivationFunction=draw.choice(*ACTIVATIONS),
    )
    return [ifm], ofm


def depthwise_conv_2d(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """As `conv_2d`, with depth multipliers of 1 and more."""
    image, kernel, stride, dilation, padding = convolution_geometry(draw)
    inputs = draw.channels()
    multiplier = draw.integer(2, 8) if draw.chance(0.4) else 1
    scale = draw.scale()
    ifm = activation(model, draw, 1, *image, inputs, scale=scale)
    operands, largest = weights_and_bias(model, draw, (1, *kernel, inputs * multiplier), 3, scale)
    size = [windowed(image[axis], kernel[axis], stride[axis], dilation[axis], padding) for axis in (0, 1)]
    spread = draw.spread(scale * largest, kernel[0] * kernel[1])
    ofm = activation(model, draw, 1, *size, inputs * multiplier, scale=spread)
    model.operator(
        "DEPTHWISE_CONV_2D",
        [ifm, *operands],
        [ofm],
        "DepthwiseConv2DOptions",
        padding=padding,
        strideH=stride[0],
        strideW=stride[1],
        dilationHFactor=dilation[0],
        dilationWFactor=dilation[1],
        depthMultiplier=multiplier,
        fusedActivationFunction=draw.choice(*ACTIVATIONS),
    )
    return [ifm], ofm


def fully_connected(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """One or a few rows, mostly up to 100 columns, sometimes up to 2,000."""
    depth = draw.integer(500, 2000) if draw.chance(0.1) else draw.small(100)
    outputs, rows = draw.channels(), draw.integer(2, 5) if draw.chance(0.2) else 1
    scale = draw.scale()
    keep = draw.chance(0.15)
    leading = [1, rows] if keep or draw.chance(0.1) else [rows]
    ifm = activation(model, draw, *leading, depth, scale=scale)
    operands, largest = weights_and_bias(model, draw, (outputs, depth), 0, scale)
    spread = draw.spread(scale * largest, depth)
    ofm = activation(model, draw, *(leading if keep else [rows]), outputs, scale=spread)
    model.operator(
        "FULLY_CONNECTED",
        [ifm, *operands],
        [ofm],
        "FullyConnectedOptions",
        fusedActivationFunction=draw.choice(*ACTIVATIONS),
        keepNumDims=keep,
    )
    return [ifm], ofm


def _operands(
    model: ModelBuilder, draw: Draw, scales: tuple[float, float]
) -> tuple[list[int], list[int], list[int]]:
    """Two operands, one perhaps a scalar or channel vector or constant; returns them, activations, ofm shape."""
    shape = [1, draw.size(), draw.size(), draw.channels()]
    if draw.chance(0.2):
        shape = shape[draw.integer(1, 3) :]
    other = list(shape)
    if draw.chance(0.4):
        other = (
            [1] * draw.integer(0, len(shape)) if draw.chance(0.5) else [1] * (len(shape) - 1) + [shape[-1]]
        )
        if draw.chance(0.3):
            other = other[-1:]
    shapes = [shape, other] if draw.chance(0.7) else [other, shape]
    constant = shapes.index(other) if draw.chance(0.4) else None
    operands = [
        model.tensor(
            dims,
            scale=scale,
            zero_point=draw.zero_point(),
            data=draw.int8(*dims) if index == constant else None,
        )
        for index, (dims, scale) in enumerate(zip(shapes, scales, strict=True))
    ]
    return operands, [operand for index, operand in enumerate(operands) if index != constant], shape


def _addition(kind: str, options: str) -> Writer:
    def write(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
        left = draw.scale()
        right = left if draw.chance(0.2) else float(np.float32(left * 2.0 ** draw.generator.uniform(-6, 6)))
        if draw.chance(0.1):
            right = draw.scale()
        operands, activations, shape = _operands(model, draw, (left, right))
        exponent = draw.generator.uniform(-15, 10) if draw.chance(0.2) else draw.generator.uniform(-1, 2)
        ofm = activation(model, draw, *shape, scale=float(np.float32(max(left, right) * 2.0**exponent)))
        model.operator(kind, operands, [ofm], options, fusedActivationFunction=draw.choice(*ACTIVATIONS))
        return activations, ofm

    return write


def multiply(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """Operands as for ADD."""
    scales = draw.scale(), draw.scale()
    operands, activations, shape = _operands(model, draw, scales)
    ofm = activation(model, draw, *shape, scale=draw.spread(scales[0] * scales[1], 64))
    model.operator("MUL", operands, [ofm], "MulOptions", fusedActivationFunction=draw.choice(*ACTIVATIONS))
    return activations, ofm


def _pooling(kind: str) -> Writer:
    def write(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
        image, kernel, stride, _, padding = convolution_geometry(draw)
        size = [windowed(image[axis], kernel[axis], stride[axis], 1, padding) for axis in (0, 1)]
        channels, scale, zero_point = draw.channels(), draw.scale(), draw.zero_point()
        ifm = model.tensor((1, *image, channels), scale=scale, zero_point=zero_point)
        ofm = model.tensor((1, *size, channels), scale=scale, zero_point=zero_point)
        model.operator(
            kind,
            [ifm],
            [ofm],
            "Pool2DOptions",
            padding=padding,
            filterHeight=kernel[0],
            filterWidth=kernel[1],
            strideH=stride[0],
            strideW=stride[1],
            fusedActivationFunction=draw.choice(*ACTIVATIONS),
        )
        return [ifm], ofm

    return write


def mean(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """Over height, width or both, with and without kept dimensions; the axes in any order and sign."""
    shape = [1, draw.size(), draw.size(), draw.channels()]
    keep = draw.chance(0.5)
    scale = draw.scale()
    ifm = activation(model, draw, *shape, scale=scale)
    axes = ([1, 2], [2, 1], [-3, -2], [1, -2], [1], [2], [-2])[draw.integer(0, 6)]
    axis = model.tensor((len(axes),), "int32", data=np.array(axes, np.int32))
    exponent = draw.generator.uniform(-12, 12) if draw.chance(0.2) else draw.generator.uniform(-3, 1)
    gone = {place % 4 for place in axes}
    dims = [1 if place in gone else size for place, size in enumerate(shape) if keep or place not in gone]
    ofm = activation(model, draw, *dims, scale=float(np.float32(scale * 2.0**exponent)))
    model.operator("MEAN", [ifm, axis], [ofm], "ReducerOptions", keepDims=keep)
    return [ifm], ofm


def _by_table(kind: str, ofm_scale: float, ofm_zero_point: int) -> Writer:
    def write(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
        shape = [1, draw.size(), draw.size(), draw.channels()][draw.integer(0, 3) :]
        ifm = activation(model, draw, *shape)
        ofm = model.tensor(shape, scale=ofm_scale, zero_point=ofm_zero_point)
        model.operator(kind, [ifm], [ofm])
        return [ifm], ofm

    return write


def _padding(kind: str, options: str) -> Writer:
    def write(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
        shape = [1, draw.size(), draw.size(), draw.channels()]
        anywhere = draw.chance(0.2)
        paddings = [
            [draw.integer(0, 3), draw.integer(0, 3)] if axis in (1, 2) or anywhere else [0, 0]
            for axis in range(4)
        ]
        scale, zero_point = draw.scale(), draw.zero_point()
        ifm = model.tensor(shape, scale=scale, zero_point=zero_point)
        operands = [ifm, model.tensor((4, 2), "int32", data=np.array(paddings, np.int32))]
        if kind == "PADV2":
            operands.append(model.tensor((1,), scale=scale, zero_point=zero_point, data=draw.int8(1)))
        dims = [size + sum(amount) for size, amount in zip(shape, paddings, strict=True)]
        ofm = model.tensor(dims, scale=scale, zero_point=zero_point)
        model.operator(kind, operands, [ofm], options)
        return [ifm], ofm

    return write


def reshape(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """To a random grouping of the dimensions, with or without the shape as a constant and a free size."""
    shape = [1, draw.size(), draw.size(), draw.channels()]
    cut = draw.integer(1, 3)
    dims = [math.prod(shape[:cut]), math.prod(shape[cut:])] if draw.chance(0.5) else shape[::-1]
    scale, zero_point = draw.scale(), draw.zero_point()
    ifm = model.tensor(shape, scale=scale, zero_point=zero_point)
    ofm = model.tensor(dims, scale=scale, zero_point=zero_point)
    requested = np.array([-1, *dims[1:]] if draw.chance(0.5) else dims, np.int32)
    operands = [ifm, model.tensor((len(dims),), "int32", data=requested)]
    model.operator("RESHAPE", operands if draw.chance(0.8) else [ifm], [ofm], "ReshapeOptions", newShape=dims)
    return [ifm], ofm


def concatenation(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """Of 2 to 5 tensors along any axis, one perhaps constant."""
    shape = [1, draw.size(), draw.size(), draw.channels()]
    axis = draw.integer(1, 3)
    scale, zero_point = draw.scale(), draw.zero_point()
    sizes = [draw.small(12) for _ in range(draw.integer(2, 5))]
    activations, operands = [], []
    for index, size in enumerate(sizes):
        dims = [*shape[:axis], size, *shape[axis + 1 :]]
        constant = draw.int8(*dims) if index and draw.chance(0.1) else None
        operands.append(model.tensor(dims, scale=scale, zero_point=zero_point, data=constant))
        if constant is None:
            activations.append(operands[-1])
    ofm = model.tensor([*shape[:axis], sum(sizes), *shape[axis + 1 :]], scale=scale, zero_point=zero_point)
    stored_axis = axis - 4 if draw.chance(0.5) else axis
    model.operator("CONCATENATION", operands, [ofm], "ConcatenationOptions", axis=stored_axis)
    return activations, ofm


def softmax(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """Rows of up to 511 values: with more, TensorFlow Lite Micro stops when they are all alike."""
    shape = [draw.integer(1, 4), draw.integer(100, 511) if draw.chance(0.1) else draw.small(40)]
    ifm = activation(model, draw, *shape)
    ofm = model.tensor(shape, scale=1 / 256, zero_point=-128)
    beta = 1.0 if draw.chance(0.7) else float(np.float32(2.0 ** draw.generator.uniform(-2, 3)))
    model.operator("SOFTMAX", [ifm], [ofm], "SoftmaxOptions", beta=beta)
    return [ifm], ofm


def quantize(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """From float32, and between 8-bit integers."""
    shape = [1, draw.size(), draw.channels()]
    kind = draw.integer(0, 3)
    scale = draw.scale()
    if kind == 0:
        ifm = model.tensor(shape, "float32")
    elif kind == 3:
        ifm = model.tensor(shape, "uint8", scale, draw.integer(0, 255))
    else:
        ifm = model.tensor(shape, "int8", scale, draw.zero_point())
    ofm_scale = float(np.float32(scale * 2.0 ** draw.generator.uniform(-6, 6)))
    if kind == 2:
        ofm = model.tensor(shape, "uint8", ofm_scale, draw.integer(0, 255))
    else:
        ofm = model.tensor(shape, "int8", ofm_scale, draw.zero_point())
    model.operator("QUANTIZE", [ifm], [ofm])
    return [ifm], ofm


def dequantize(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """int8 to float32."""
    shape = [1, draw.size(), draw.channels()]
    ifm = activation(model, draw, *shape)
    ofm = model.tensor(shape, "float32")
    model.operator("DEQUANTIZE", [ifm], [ofm])
    return [ifm], ofm


def relu(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """With a change of scale."""
    shape = [1, draw.size(), draw.size(), draw.channels()]
    scale = draw.scale()
    ifm = activation(model, draw, *shape, scale=scale)
    ofm = activation(
        model, draw, *shape, scale=float(np.float32(scale * 2.0 ** draw.generator.uniform(-8, 8)))
    )
    model.operator("RELU", [ifm], [ofm])
    return [ifm], ofm


def relu6(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """Without a change of scale."""
    shape = [1, draw.size(), draw.size(), draw.channels()]
    scale, zero_point = draw.scale(), draw.zero_point()
    ifm = model.tensor(shape, scale=scale, zero_point=zero_point)
    ofm = model.tensor(shape, scale=scale, zero_point=zero_point)
    model.operator("RELU6", [ifm], [ofm])
    return [ifm], ofm


def network(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """A residual network in small: convolutions, an addition, pooling, a fully connected layer, softmax."""
    height, width, channels = draw.integer(4, 10), draw.integer(4, 10), draw.integer(1, 12)
    shape = [1, height, width, channels]
    scale = float(np.float32(2.0 ** draw.generator.uniform(-8, -2)))
    ifm = trunk = activation(model, draw, *shape, scale=scale)
    for _ in range(draw.integer(1, 3)):
        before = trunk
        for depthwise in (False, True):
            kernel = [draw.integer(1, 3), draw.integer(1, 3)]
            dims = (1, *kernel, channels) if depthwise else (channels, *kernel, channels)
            operands, largest = weights_and_bias(model, draw, dims, 3 if depthwise else 0, scale)
            terms = math.prod(kernel) * (1 if depthwise else channels)
            after_scale = float(np.float32(scale * largest * math.sqrt(terms) * 64))
            after = activation(model, draw, *shape, scale=after_scale)
            options = {
                "padding": SAME,
                "strideH": 1,
                "strideW": 1,
                "dilationHFactor": 1,
                "dilationWFactor": 1,
            }
            options["fusedActivationFunction"] = draw.choice(*ACTIVATIONS)
            if depthwise:
                options["depthMultiplier"] = 1
            kind, table = (
                ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions") if depthwise else ("CONV_2D", "Conv2DOptions")
            )
            model.operator(kind, [trunk, *operands], [after], table, **options)
            trunk, scale = after, after_scale
        total_scale = scale
        before_scale = model.tensors[before].scale[0]
        total = activation(model, draw, *shape, scale=float(np.float32(max(total_scale, before_scale) * 1.5)))
        model.operator(
            "ADD", [trunk, before], [total], "AddOptions", fusedActivationFunction=draw.choice(*ACTIVATIONS)
        )
        trunk, scale = total, model.tensors[total].scale[0]
    flat = model.tensor([1, channels], scale=scale, zero_point=draw.zero_point())
    axes = model.tensor((2,), "int32", data=np.array([1, 2], np.int32))
    model.operator("MEAN", [trunk, axes], [flat], "ReducerOptions", keepDims=False)
    classes = draw.integer(2, 12)
    operands, largest = weights_and_bias(model, draw, (classes, channels), 0, scale)
    logits = activation(
        model, draw, 1, classes, scale=float(np.float32(scale * largest * math.sqrt(channels) * 64))
    )
    model.operator(
        "FULLY_CONNECTED", [flat, *operands], [logits], "FullyConnectedOptions", fusedActivationFunction=0
    )
    return [ifm], logits


_WRITERS: dict[str, Writer] = {
    "ADD": _addition("ADD", "AddOptions"),
    "AVERAGE_POOL_2D": _pooling("AVERAGE_POOL_2D"),
    "CONCATENATION": concatenation,
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "DEQUANTIZE": dequantize,
    "FULLY_CONNECTED": fully_connected,
    "LOGISTIC": _by_table("LOGISTIC", 1 / 256, -128),
    "MAX_POOL_2D": _pooling("MAX_POOL_2D"),
    "MEAN": mean,
    "MUL": multiply,
    "NETWORK": network,
    "PAD": _padding("PAD", "PadOptions"),
    "PADV2": _padding("PADV2", "PadV2Options"),
    "QUANTIZE": quantize,
    "RELU": relu,
    "RELU6": relu6,
    "RESHAPE": reshape,
    "SOFTMAX": softmax,
    "SUB": _addition("SUB", "SubOptions"),
    "TANH": _by_table("TANH", 1 / 128, 0),
}

OPERATORS = tuple(_WRITERS)
"""What `random_model` can write: kinds of operators, and NETWORK for several at once."""


BATCHED = (
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "MAX_POOL_2D",
    "MEAN",
    "PAD",
    "PADV2",
)
"""Operators whose activations are images, of which `random_model` can write a batch."""


def random_model(operator: str, seed: int, more_images: int = 0) -> tuple[bytes, str]:
    """The bytes of a TFLite file with one ``operator`` (or a small NETWORK) and a line that identifies it.

    ``more_images`` are added to the batch of a `BATCHED` operator, mostly of one image.
    """
    model = ModelBuilder()
    inputs, output = _WRITERS[operator](model, Draw(operator, seed))
    if more_images:
        model.tensors = [_with_more_images(operator, spec, more_images) for spec in model.tensors]
    shapes = " ".join(str(model.tensors[index].shape) for index in inputs)
    description = (
        f"random_model({operator!r}, {seed}, {more_images}): {shapes} -> {model.tensors[output].shape}"
    )
    return model.pack(inputs, [output]), description


def _with_more_images(operator: str, spec: TensorSpec, more: int) -> TensorSpec:
    """The same tensor with a larger batch; a constant that is no activation stays."""
    if spec.data is None:
        return replace(spec, shape=(spec.shape[0] + more, *spec.shape[1:]))
    if operator == "CONCATENATION":
        data = np.concatenate([spec.data] * (1 + more))
        return replace(spec, shape=data.shape, data=data)
    return spec


def random_inputs(tensors: list[tuple[tuple[int, ...], str]], seed: int) -> list[np.ndarray]:
    """Seeded data for inputs of the given shapes and dtypes: all of an integer type, normal floats."""
    generator = np.random.default_rng(seed)
    inputs = []
    for shape, dtype in tensors:
        if dtype == "float32":
            inputs.append((generator.standard_normal(shape) * 2.0 ** generator.integers(-8, 8)).astype(dtype))
        else:
            limits = np.iinfo(dtype)
            inputs.append(generator.integers(limits.min, limits.max + 1, shape).astype(dtype))
    return inputs
