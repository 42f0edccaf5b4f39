"""The graph's data refuses what cannot be, on construction and with the remedy."""

import math
from typing import cast

import numpy as np
import pytest

from celosia.host.attributes import (
    Activation,
    ConvAttributes,
    DepthwiseAttributes,
    ElementwiseAttributes,
    MeanAttributes,
    NoAttributes,
    PadAttributes,
    PoolAttributes,
    SoftmaxAttributes,
)
from celosia.host.graph import ABSENT, Graph, Operator, Quantization, Tensor

INT8 = Quantization((0.5,), (3,))


def activations(name: str) -> Tensor:
    return Tensor(name, (1, 4), "int8", INT8)


def relu(index: int, source: int, target: int) -> Operator:
    return Operator("RELU", index, (source,), (target,), NoAttributes())


def test_per_tensor_quantization_is_read_from_the_tensor() -> None:
    tensor = Tensor("a", (2, 3), "int8", INT8)
    assert (tensor.scale, tensor.zero_point, tensor.size, tensor.nbytes) == (0.5, 3, 6, 6)


def test_a_per_channel_tensor_has_no_single_scale() -> None:
    tensor = Tensor("w", (2, 3), "int8", Quantization((0.5, 0.25), (0, 0), axis=0))
    with pytest.raises(ValueError, match="'w' must be quantised per tensor"):
        _ = tensor.scale
    assert tensor.channel_scales(2).tolist() == [0.5, 0.25]


def test_channel_scales_repeats_a_single_scale() -> None:
    assert activations("a").channel_scales(3).tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_scales_are_finite_and_positive(scale: float) -> None:
    with pytest.raises(ValueError, match="scale must be finite and positive"):
        Quantization((scale,), (0,))


def test_scales_and_zero_points_go_together() -> None:
    with pytest.raises(ValueError, match="same length of at least 1, not 2 and 1"):
        Quantization((1.0, 2.0), (0,), axis=0)


def test_several_scales_need_an_axis() -> None:
    with pytest.raises(ValueError, match="axis must be given for 2 scales"):
        Quantization((1.0, 2.0), (0, 0))


@pytest.mark.parametrize(
    ("quantization", "message"),
    [
        (Quantization((1.0,), (128,)), "zero_point must fit int8, not 128"),
        (Quantization((1.0, 1.0), (0, 0), axis=2), "quantisation axis must be below 2, not 2"),
        (Quantization((1.0, 1.0), (0, 0), axis=1), "must be 4 scales for axis 1, not 2"),
    ],
)
def test_quantization_fits_its_tensor(quantization: Quantization, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tensor("a", (2, 4), "int8", quantization)


def test_shapes_have_only_positive_dimensions() -> None:
    with pytest.raises(ValueError, match=r"only positive dimensions, not \(1, 0\)"):
        Tensor("a", (1, 0), "int8")


def test_constants_have_the_stated_shape_and_type() -> None:
    with pytest.raises(ValueError, match="data must be int8 of shape"):
        Tensor("a", (2,), "int8", data=np.zeros(3, np.int8))
    with pytest.raises(ValueError, match="data must be int8 of shape"):
        Tensor("a", (2,), "int8", data=np.zeros(2, np.int16))


def test_constants_cannot_be_written() -> None:
    tensor = Tensor("a", (2,), "int8", data=np.zeros(2, np.int8))
    with pytest.raises(ValueError, match="read-only"):
        tensor.constant[0] = 1


def test_a_graph_binds_operators_to_tensors() -> None:
    tensors = (activations("in"), activations("out"))
    operator = Operator("RELU", 0, (0, ABSENT), (1,), NoAttributes())
    bound = Graph("g", "f", tensors, (operator,), (0,), (1,)).bind(operator)
    assert bound.name == "RELU #0"
    assert (bound.ifm, bound.ofm) == tensors
    assert bound.inputs == (tensors[0], None)
    assert bound.operands == (tensors[0],)
    assert bound.optional_operand(5) is None
    with pytest.raises(ValueError, match="RELU #0 must have an input 1"):
        bound.operand(1)


@pytest.mark.parametrize(
    ("operators", "inputs", "outputs", "message"),
    [
        ((relu(0, 1, 2),), (0,), (2,), "RELU #0 reads tensor 'b' before it is written"),
        ((relu(0, 0, 1), relu(1, 0, 1)), (0,), (1,), "RELU #1 writes tensor 'b' a second time"),
        ((relu(0, 0, 0),), (0,), (0,), "RELU #0 writes tensor 'a' a second time"),
        ((relu(0, 0, 9),), (0,), (0,), "RELU #0 output must be a tensor index below 3, not 9"),
        ((relu(0, -2, 1),), (0,), (0,), "RELU #0 input must be a tensor index below 3, not -2"),
        ((), (0, 0), (0,), "graph input 'a' must not be constant or repeated"),
        ((), (0,), (1,), "graph output 'b' is never written"),
        ((), (0,), (), "at least one output"),
    ],
)
def test_a_graph_can_run_in_its_order(
    operators: tuple[Operator, ...], inputs: tuple[int, ...], outputs: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Graph("g", "f", (activations("a"), activations("b"), activations("c")), operators, inputs, outputs)


def test_attributes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"stride must be in 1..65536 in height and width, not \(0, 1\)"):
        ConvAttributes((0, 1), (1, 1), "SAME", "NONE")
    with pytest.raises(ValueError, match=r"dilation must be in 1..65536 in height and width, not \(1, 0\)"):
        ConvAttributes((1, 1), (1, 0), "SAME", "NONE")
    with pytest.raises(ValueError, match="depth_multiplier must be at least 1, not 0"):
        DepthwiseAttributes((1, 1), (1, 1), "SAME", "NONE", 0)
    with pytest.raises(ValueError, match=r"kernel must be in 1..65536 in height and width, not \(1, -1\)"):
        PoolAttributes((1, -1), (1, 1), "VALID", "NONE")
    with pytest.raises(ValueError, match="axes must be sorted, distinct and not negative"):
        MeanAttributes((2, 1), True)
    with pytest.raises(ValueError, match="paddings must not be negative"):
        PadAttributes((0, -1), (0, 0), 0)
    with pytest.raises(ValueError, match="beta must be finite and positive, not nan"):
        SoftmaxAttributes(math.nan)
    with pytest.raises(
        ValueError, match="activation must be one of NONE, RELU, RELU6, RELU_N1_TO_1, not TANH"
    ):
        ElementwiseAttributes(cast(Activation, "TANH"))
