"""Seeded TFLite files of whole networks: operators of every kind on each other's results, in no sensible order.

What single operators cannot show is how they follow each other: maps that live long, maps read in another shape,
results that the engine and the host hand to and fro, several outputs.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from tests.tflite_builder import ModelBuilder
from tests.tflite_draw import ACTIVATIONS, SAME, Draw, weights_and_bias

__all__ = ["random_network"]

_Step: TypeAlias = Callable[[ModelBuilder, Draw, int, list[int]], int | None]
"""Adds an operator on a tensor (and perhaps others alive); returns its result, or None if it does not apply."""


def random_network(seed: int) -> tuple[bytes, str]:
    """The bytes of a TFLite file of 3 to 14 operators, and the names of its operators."""
    draw = Draw("random_network", seed)
    model = ModelBuilder()
    shape = (1, draw.integer(2, 10), draw.integer(2, 10), draw.integer(1, 20))
    inputs = [_activation(model, draw, shape) for _ in range(draw.integer(1, 2))]
    alive = list(inputs)
    wanted = draw.integer(3, 14)
    while len(model.operators) < wanted:
        step = _STEPS[draw.integer(0, len(_STEPS) - 1)]
        source = alive[-1] if draw.chance(0.7) else alive[draw.integer(0, len(alive) - 1)]
        result = step(model, draw, source, alive)
        if result is not None:
            alive.append(result)
    read = {index for operator in model.operators for index in operator.inputs}
    outputs = [index for index in alive if index not in read and index not in inputs]
    results = [index for index in alive if index in read and index not in inputs]
    if results and draw.chance(0.3):
        outputs.append(results[draw.integer(0, len(results) - 1)])
    used = [index for index in inputs if index in read]
    kinds = " ".join(operator.kind for operator in model.operators)
    return model.pack(used, outputs), f"random_network({seed}): {kinds}"


def _activation(model: ModelBuilder, draw: Draw, shape: tuple[int, ...], like: int | None = None) -> int:
    if like is not None:
        spec = model.tensors[like]
        return model.tensor(shape, scale=spec.scale, zero_point=spec.zero_point)
    return model.tensor(
        shape, scale=float(np.float32(2.0 ** draw.generator.uniform(-7, -3))), zero_point=draw.zero_point()
    )


def _shape(model: ModelBuilder, index: int) -> tuple[int, ...]:
    return model.tensors[index].shape


def _is_image(model: ModelBuilder, index: int) -> bool:
    return len(_shape(model, index)) == 4 and _shape(model, index)[0] == 1


def _convolution(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    if not _is_image(model, source):
        return None
    _, height, width, channels = _shape(model, source)
    is_depthwise = draw.chance(0.4)
    outputs = channels * draw.integer(1, 2) if is_depthwise else draw.small(24)
    if outputs > 64:
        return None
    kernel = (draw.integer(1, 3), draw.integer(1, 3))
    stride = draw.integer(1, 2)
    weights = (1, *kernel, outputs) if is_depthwise else (outputs, *kernel, channels)
    scale = model.tensors[source].scale[0]
    operands, largest = weights_and_bias(model, draw, weights, 3 if is_depthwise else 0, scale)
    terms = math.prod(kernel) * (1 if is_depthwise else channels)
    ofm = model.tensor(
        (1, -(-height // stride), -(-width // stride), outputs),
        scale=float(np.float32(scale * largest * math.sqrt(terms) * 64)),
        zero_point=draw.zero_point(),
    )
    options: dict[str, object] = {"depthMultiplier": outputs // channels} if is_depthwise else {}
    model.operator(
        "DEPTHWISE_CONV_2D" if is_depthwise else "CONV_2D",
        [source, *operands],
        [ofm],
        "DepthwiseConv2DOptions" if is_depthwise else "Conv2DOptions",
        padding=SAME,
        strideH=stride,
        strideW=stride,
        dilationHFactor=1,
        dilationWFactor=1,
        fusedActivationFunction=draw.choice(*ACTIVATIONS),
        **options,
    )
    return ofm


def _pool(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    if not _is_image(model, source):
        return None
    _, height, width, channels = _shape(model, source)
    stride, kernel = draw.integer(1, 2), draw.integer(1, 3)
    ofm = _activation(model, draw, (1, -(-height // stride), -(-width // stride), channels), like=source)
    model.operator(
        "MAX_POOL_2D" if draw.chance(0.5) else "AVERAGE_POOL_2D",
        [source],
        [ofm],
        "Pool2DOptions",
        padding=SAME,
        filterHeight=kernel,
        filterWidth=kernel,
        strideH=stride,
        strideW=stride,
        fusedActivationFunction=0,
    )
    return ofm


def _elementwise(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    others = [index for index in alive if _shape(model, index) == _shape(model, source)]
    other = others[draw.integer(0, len(others) - 1)]
    kind = ("ADD", "SUB", "MUL")[draw.integer(0, 2)]
    ofm = _activation(model, draw, _shape(model, source))
    operands = [source, other] if draw.chance(0.5) else [other, source]
    model.operator(kind, operands, [ofm], f"{kind.capitalize()}Options", fusedActivationFunction=0)
    return ofm


def _concatenation(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    shape = _shape(model, source)
    if len(shape) != 4 or math.prod(shape) > 4000:
        return None
    axis = draw.integer(1, 3)
    operands = [source]
    for index in alive:
        spec = model.tensors[index]
        same = [size for place, size in enumerate(spec.shape) if place != axis]
        if len(spec.shape) == 4 and same == [size for place, size in enumerate(shape) if place != axis]:
            quantization = (spec.scale, spec.zero_point)
            if quantization == (model.tensors[source].scale, model.tensors[source].zero_point):
                operands.append(index)
    operands = operands[:3]
    total = sum(_shape(model, index)[axis] for index in operands)
    ofm = _activation(model, draw, (*shape[:axis], total, *shape[axis + 1 :]), like=source)
    model.operator("CONCATENATION", operands, [ofm], "ConcatenationOptions", axis=axis)
    return ofm


def _reshape(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    shape = _shape(model, source)
    size = math.prod(shape)
    choices = [(1, size), (1, 1, 1, size), (1, size, 1, 1)]
    if len(shape) == 4:
        _, height, width, channels = shape
        choices += [
            (1, width, height, channels),
            (1, height, 1, width * channels),
            (1, 1, height * width, channels),
        ]
    target = choices[draw.integer(0, len(choices) - 1)]
    ofm = _activation(model, draw, target, like=source)
    constant = model.tensor((len(target),), "int32", data=np.array(target, np.int32))
    model.operator("RESHAPE", [source, constant], [ofm], "ReshapeOptions", newShape=list(target))
    return ofm


def _pad(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    shape = _shape(model, source)
    if len(shape) != 4 or math.prod(shape) > 4000:
        return None
    amounts = [(0, 0), *((draw.integer(0, 2), draw.integer(0, 2)) for _ in range(2)), (0, draw.integer(0, 1))]
    target = tuple(size + sum(amount) for size, amount in zip(shape, amounts, strict=True))
    ofm = _activation(model, draw, target, like=source)
    model.operator(
        "PAD", [source, model.tensor((4, 2), "int32", data=np.array(amounts, np.int32))], [ofm], "PadOptions"
    )
    return ofm


def _table(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    ofm = model.tensor(_shape(model, source), scale=1 / 256, zero_point=-128)
    model.operator("LOGISTIC", [source], [ofm])
    return ofm


def _softmax(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    if _shape(model, source)[-1] > 500 or len(_shape(model, source)) not in (2, 4):
        return None
    ofm = model.tensor(_shape(model, source), scale=1 / 256, zero_point=-128)
    model.operator("SOFTMAX", [source], [ofm], "SoftmaxOptions", beta=1.0)
    return ofm


def _quantize(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    ofm = _activation(model, draw, _shape(model, source))
    model.operator("QUANTIZE", [source], [ofm])
    return ofm


def _fully_connected(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    shape = _shape(model, source)
    if len(shape) != 2 or shape[1] > 1500:
        return None
    outputs = draw.small(40)
    scale = model.tensors[source].scale[0]
    operands, largest = weights_and_bias(model, draw, (outputs, shape[1]), 0, scale)
    ofm = model.tensor(
        (shape[0], outputs),
        scale=float(np.float32(scale * largest * math.sqrt(shape[1]) * 64)),
        zero_point=draw.zero_point(),
    )
    model.operator(
        "FULLY_CONNECTED", [source, *operands], [ofm], "FullyConnectedOptions", fusedActivationFunction=0
    )
    return ofm


def _mean(model: ModelBuilder, draw: Draw, source: int, alive: list[int]) -> int | None:
    if not _is_image(model, source):
        return None
    keep = draw.chance(0.5)
    channels = _shape(model, source)[3]
    ofm = _activation(model, draw, (1, 1, 1, channels) if keep else (1, channels))
    axes = model.tensor((2,), "int32", data=np.array([1, 2], np.int32))
    model.operator("MEAN", [source, axes], [ofm], "ReducerOptions", keepDims=keep)
    return ofm


_STEPS: tuple[_Step, ...] = (
    _convolution,
    _convolution,
    _convolution,
    _pool,
    _elementwise,
    _elementwise,
    _concatenation,
    _reshape,
    _pad,
    _table,
    _softmax,
    _quantize,
    _fully_connected,
    _mean,
)
