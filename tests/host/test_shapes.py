"""Window geometry and output shapes, against TensorFlow Lite's formulas spelt out position by position."""

import itertools

import pytest

from celosia.host.attributes import (
    Attributes,
    ConcatenationAttributes,
    ConvAttributes,
    ElementwiseAttributes,
    FullyConnectedAttributes,
    MeanAttributes,
    NoAttributes,
)
from celosia.host.graph import BoundOperator, Tensor
from celosia.host.shapes import infer_output_shape, window_along

WINDOWS = list(itertools.product(range(1, 17), range(1, 4), range(1, 3)))


@pytest.mark.parametrize(("kernel", "stride", "dilation"), WINDOWS)
def test_valid_windows_lie_inside_and_no_further_one_fits(kernel: int, stride: int, dilation: int) -> None:
    extent = (kernel - 1) * dilation + 1
    for ifm in range(extent, 40):
        window = window_along(ifm, kernel, stride, dilation, "VALID")
        assert (window.before, window.after) == (0, 0)
        assert (window.size - 1) * stride + extent <= ifm < window.size * stride + extent


@pytest.mark.parametrize(("kernel", "stride", "dilation"), WINDOWS)
def test_same_windows_cover_the_image_with_the_odd_padding_after(
    kernel: int, stride: int, dilation: int
) -> None:
    extent = (kernel - 1) * dilation + 1
    for ifm in range(1, 40):
        window = window_along(ifm, kernel, stride, dilation, "SAME")
        assert window.size == -(-ifm // stride)
        assert window.before + window.after == max((window.size - 1) * stride + extent - ifm, 0)
        assert window.after - window.before in (0, 1)


def test_a_kernel_must_fit_without_padding() -> None:
    with pytest.raises(ValueError, match="a kernel spanning 5 elements must fit in 4"):
        window_along(4, 3, 1, 2, "VALID")


def operator(kind: str, attributes: Attributes, *shapes: tuple[int, ...]) -> BoundOperator:
    """The last shape is the ofm's."""
    *inputs, ofm = (Tensor(f"t{index}", shape, "int8") for index, shape in enumerate(shapes))
    return BoundOperator(kind, 0, attributes, tuple(inputs), (ofm,))


CONV = ConvAttributes((2, 1), (1, 1), "SAME", "NONE")


@pytest.mark.parametrize(
    ("bound", "shape"),
    [
        (operator("CONV_2D", CONV, (1, 5, 6, 3), (8, 3, 3, 3), (1,)), (1, 3, 6, 8)),
        (operator("CONV_2D", CONV, (1, 5, 6, 6), (8, 3, 3, 3), (1,)), (1, 3, 6, 8)),
        (operator("FULLY_CONNECTED", FullyConnectedAttributes("NONE"), (2, 3, 4), (5, 12), (1,)), (2, 5)),
        (
            operator("FULLY_CONNECTED", FullyConnectedAttributes("NONE", True), (2, 3, 4), (5, 4), (1,)),
            (2, 3, 5),
        ),
        (operator("ADD", ElementwiseAttributes("NONE"), (1, 4, 1, 3), (5, 1), (1,)), (1, 4, 5, 3)),
        (operator("MEAN", MeanAttributes((1, 2), False), (1, 4, 5, 3), (2,), (1,)), (1, 3)),
        (operator("MEAN", MeanAttributes((1, 2), True), (1, 4, 5, 3), (2,), (1,)), (1, 1, 1, 3)),
        (operator("CONCATENATION", ConcatenationAttributes(1), (1, 2, 3), (1, 4, 3), (1,)), (1, 6, 3)),
        (operator("RESHAPE", NoAttributes(), (2, 6), (3, 4)), (3, 4)),
    ],
)
def test_output_shapes(bound: BoundOperator, shape: tuple[int, ...]) -> None:
    assert infer_output_shape(bound) == shape


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        (operator("CONV_2D", CONV, (5, 6, 3), (8, 3, 3, 3), (1,)), "ifm must have 4 dimensions"),
        (
            operator("CONV_2D", CONV, (1, 5, 6, 3), (8, 3, 3, 4), (1,)),
            "weights must have the ifm's 3 channels, or those of a group, not 4",
        ),
        (
            operator("CONV_2D", CONV, (1, 5, 6, 9), (8, 3, 3, 3), (1,)),
            "the 8 channels of the ofm must be a multiple of 3 groups",
        ),
        (
            operator("FULLY_CONNECTED", FullyConnectedAttributes("NONE"), (7,), (5, 3), (1,)),
            "a multiple of 3",
        ),
        (
            operator("ADD", ElementwiseAttributes("NONE"), (2, 3), (4, 3), (1,)),
            r"\(2, 3\) and \(4, 3\) must broadcast",
        ),
        (operator("MEAN", MeanAttributes((5,), False), (1, 3), (1,), (1,)), "axes must be below 2"),
        (
            operator("CONCATENATION", ConcatenationAttributes(1), (1, 2), (3, 2), (1,)),
            "must agree in all but axis 1",
        ),
        (operator("RESHAPE", NoAttributes(), (2, 6), (3, 5)), "do not fill shape"),
        (operator("GELU", NoAttributes(), (2, 6), (2, 6)), "GELU is not supported"),
    ],
)
def test_inputs_that_do_not_go_together(bound: BoundOperator, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        infer_output_shape(bound)
