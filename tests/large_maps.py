"""Seeded single operators that several layers compute, with feature maps larger than a small unified buffer."""

from tests.tflite_builder import ModelBuilder
from tests.tflite_draw import SAME, Draw

__all__ = ["OPERATORS", "random_large_model"]


def _pool(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """AVERAGE_POOL_2D whose windows reach over the edges."""
    shape = (draw.integer(20, 100), draw.integer(10, 40), draw.integer(1, 24))
    kernel, stride = (draw.integer(2, 5), draw.integer(2, 5)), (draw.integer(1, 3), draw.integer(1, 3))
    size = [-(-shape[axis] // stride[axis]) for axis in (0, 1)]
    ifm = model.tensor((1, *shape), scale=0.5, zero_point=3)
    ofm = model.tensor((1, *size, shape[2]), scale=0.5, zero_point=3)
    model.operator(
        "AVERAGE_POOL_2D",
        [ifm],
        [ofm],
        "Pool2DOptions",
        padding=SAME,
        filterHeight=kernel[0],
        filterWidth=kernel[1],
        strideH=stride[0],
        strideW=stride[1],
    )
    return [ifm], ofm


def _concatenation(model: ModelBuilder, draw: Draw) -> tuple[list[int], int]:
    """CONCATENATION along any axis; of channels, on and off the boundaries of bricks."""
    shape = [1, draw.integer(20, 80), draw.integer(8, 24), draw.integer(4, 20)]
    axis = draw.integer(1, 3)
    sizes = [draw.integer(1, shape[axis]) for _ in range(draw.integer(2, 4))]
    if axis == 3 and draw.chance(0.7):
        sizes = [8 * draw.integer(1, 2) for _ in sizes]
    parts = [[*shape[:axis], size, *shape[axis + 1 :]] for size in sizes]
    ifms = [model.tensor(part, scale=0.5, zero_point=3) for part in parts]
    ofm = model.tensor([*shape[:axis], sum(sizes), *shape[axis + 1 :]], scale=0.5, zero_point=3)
    model.operator("CONCATENATION", ifms, [ofm], "ConcatenationOptions", axis=axis)
    return ifms, ofm


_WRITERS = {"AVERAGE_POOL_2D": _pool, "CONCATENATION": _concatenation}
OPERATORS = tuple(_WRITERS)


def random_large_model(operator: str, seed: int) -> tuple[bytes, str]:
    """The bytes of a TFLite file with one ``operator``, alone or with neighbours, and a line that identifies it.

    In two files of three a convolution or a table reads the result, so that the map is no output of the network.
    """
    model = ModelBuilder()
    draw = Draw(f"large {operator}", seed)
    inputs, output = _WRITERS[operator](model, draw)
    shape = model.tensors[output].shape
    reader = draw.choice(0, 1, 2)
    if reader == 1:
        weights = model.tensor((4, 3, 3, shape[3]), scale=0.01, data=draw.int8(4, 3, 3, shape[3]))
        ofm = model.tensor((*shape[:3], 4), scale=0.25, zero_point=-5)
        options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
        model.operator("CONV_2D", [output, weights], [ofm], "Conv2DOptions", padding=SAME, **options)
        output = ofm
    elif reader == 2:
        ofm = model.tensor(shape, scale=1 / 128, zero_point=0)
        model.operator("TANH", [output], [ofm])
        output = ofm
    shapes = " ".join(str(model.tensors[index].shape) for index in inputs)
    description = f"random_large_model({operator!r}, {seed}): {shapes} -> {model.tensors[output].shape}"
    return model.pack(inputs, [output]), description
