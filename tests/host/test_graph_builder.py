"""Networks made in Python: the same as those read from files, images of a batch apart, and nothing that cannot run."""

from collections.abc import Callable

import numpy as np
import pytest

from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder, Value
from celosia.host.reference import run_graph
from tests.built_graphs import BUILT, int8
from tests.host.models import mixed_graph
from tests.tflite_writer import random_inputs


def values(graph: Graph, seed: int = 1) -> list[np.ndarray]:
    return random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], seed)


def test_it_is_the_network_that_a_file_carries() -> None:
    """The file's weights, made again."""
    generator = np.random.default_rng(1)
    builder = GraphBuilder("mixed")
    image = builder.input((1, 4, 4, 3), scale=0.5)
    weights = generator.integers(-127, 128, (8, 3, 3, 3), np.int8)
    convolved = builder.convolution(image, weights, 0.01, scale=0.25, zero_point=3)
    coarse = builder.quantize(convolved, scale=0.5, zero_point=-9)
    built, read = builder.build([builder.mean(coarse, (1, 2), scale=0.125)]), mixed_graph()
    assert [operator.kind for operator in built.operators] == [operator.kind for operator in read.operators]
    assert [operator.attributes for operator in built.operators] == [
        operator.attributes for operator in read.operators
    ]
    inputs = values(built)
    np.testing.assert_array_equal(run_graph(built, inputs)[0], run_graph(read, inputs)[0])


@pytest.mark.parametrize("name", BUILT)
def test_every_image_of_a_batch_has_its_own_result(name: str) -> None:
    graph, single = BUILT[name](3), BUILT[name](1)
    inputs = values(graph)
    together = run_graph(graph, inputs)
    for image in range(3):
        alone = run_graph(single, [value[image : image + 1] for value in inputs])
        for all_images, one in zip(together, alone, strict=True):
            np.testing.assert_array_equal(all_images[image : image + 1], one)


def test_what_is_built_together_has_every_operator() -> None:
    kinds = {operator.kind for build in BUILT.values() for operator in build(1).operators}
    from celosia.host.operator_rules import RULES

    assert kinds == set(RULES)


def test_scales_are_those_that_a_file_can_carry() -> None:
    builder = GraphBuilder()
    image = builder.input((1, 2, 2, 3), scale=0.1)
    dense = builder.fully_connected(image, int8((4, 12)), [0.1, 0.2, 0.3, 0.4], scale=0.7, bias=[1, 2, 3, 4])
    graph = builder.build([dense])
    (operator,) = graph.operators
    ifm, weights, bias = graph.bind(operator).operands
    assert ifm.scale == float(np.float32(0.1))
    assert weights.channel_scales(4).tolist() == [float(np.float32(scale)) for scale in (0.1, 0.2, 0.3, 0.4)]
    assert bias.channel_scales(4)[1] == float(np.float32(0.1) * np.float32(0.2))
    assert bias.constant.tolist() == [1, 2, 3, 4]


def test_a_builder_may_go_on() -> None:
    builder = GraphBuilder()
    value = builder.relu6(builder.input((1, 8), scale=0.5))
    first = builder.build([value])
    second = builder.build([builder.tanh(value)])
    assert (len(first.operators), len(second.operators)) == (1, 2)


def test_inputs_have_names() -> None:
    builder = GraphBuilder("named")
    first, second = builder.input((1, 8), scale=0.5, name="left"), builder.input((1, 8), scale=0.5)
    graph = builder.build([builder.add(first, second, scale=0.5)])
    assert [graph.tensor(index).name for index in graph.inputs] == ["left", "input1"]
    assert graph.name == "named"


def _of_another(builder: GraphBuilder, image: Value) -> Value:
    return GraphBuilder().relu6(image)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda builder, image: builder.convolution(image, int8((8, 3, 3, 4)), 0.1, scale=1),
            "CONV_2D #0: weights must have the ifm's 3 channels, or those of a group, not 4",
        ),
        (
            lambda builder, image: builder.convolution(
                image, int8((8, 9, 9, 3)), 0.1, scale=1, padding="VALID"
            ),
            "CONV_2D #0: a kernel spanning 9 elements must fit in 6 with VALID padding",
        ),
        (
            lambda builder, image: builder.convolution(
                image, int8((8, 1, 1, 3)), 0.1, scale=1, stride=(0, 1)
            ),
            "stride must be in 1..65536",
        ),
        (
            lambda builder, image: builder.convolution(image, np.full((8, 1, 1, 3), 128), 0.1, scale=1),
            "weights must be integers that fit int8",
        ),
        (
            lambda builder, image: builder.convolution(
                image, int8((8, 1, 1, 3)), 0.1, scale=1, bias=[0.5] * 8
            ),
            "bias must be integers that fit int32",
        ),
        (
            lambda builder, image: builder.convolution(image, int8((8, 1, 1, 3)), 0.1, scale=1, bias=[1, 2]),
            "CONV_2D #0: A bias must be constant int32 with one value per ofm channel",
        ),
        (
            lambda builder, image: builder.depthwise_convolution(image, int8((3, 3, 4)), 0.1, scale=1),
            "DEPTHWISE_CONV_2D #0: weights must have shape",
        ),
        (
            lambda builder, image: builder.add(image, builder.input((1, 5), scale=1), scale=1),
            "ADD #0: operands of shapes .* must broadcast",
        ),
        (
            lambda builder, image: builder.concatenate([image, builder.relu(image, scale=2)], 3),
            "CONCATENATION #1: The ofm must have the scale and zero point of every input",
        ),
        (lambda builder, image: builder.concatenate([], 3), "CONCATENATION must have at least 1 input"),
        (lambda builder, image: builder.mean(image, [], scale=1), "axes must be sorted, distinct"),
        (lambda builder, image: builder.softmax(image, beta=0), "beta must be finite and positive"),
        (lambda builder, image: builder.input((1, 0), scale=1), "shape must have only positive dimensions"),
        (lambda builder, image: builder.input((1, 1), scale=-1), "scale must be finite and positive"),
        (lambda builder, image: builder.reshape(image, (5, -1)), "RESHAPE #0: 108 elements .* do not fill"),
        (_of_another, "RELU6 #0: its inputs must be values of this builder"),
    ],
)
def test_what_cannot_run_is_refused_by_name(
    build: Callable[[GraphBuilder, Value], Value], message: str
) -> None:
    builder = GraphBuilder()
    image = builder.input((1, 6, 6, 3), scale=1.0)
    with pytest.raises(ValueError, match=message):
        build(builder, image)


def test_a_network_without_outputs_is_refused() -> None:
    builder = GraphBuilder()
    builder.input((1, 6), scale=1.0)
    with pytest.raises(ValueError, match="at least one output"):
        builder.build([])


def test_int16_goes_through_operators_with_weights() -> None:
    """With int64 biases, which are zeros if none are given, as TensorFlow Lite's int16x8 has them."""
    builder = GraphBuilder()
    image = builder.input((1, 4, 4, 3), scale=0.25, dtype="int16")
    plain = builder.convolution(image, int8((5, 1, 1, 3)), 0.5, scale=1.0)
    biased = builder.fully_connected(plain, int8((2, 80)), 0.5, scale=64.0, bias=[1 << 40, -7])
    graph = builder.build([biased])
    assert (plain.tensor.dtype, biased.tensor.dtype) == ("int16", "int16")
    biases = [graph.tensor(operator.inputs[2]) for operator in graph.operators]
    assert [bias.dtype for bias in biases] == ["int64", "int64"]
    assert biases[0].constant.tolist() == [0] * 5
    assert biases[1].constant.tolist() == [1 << 40, -7]


def test_matrix_products_are_exact_sums() -> None:
    builder = GraphBuilder()
    rows = builder.input((2, 3), dtype="int16")
    weights = np.array([[32767, -32768, 1]], np.int16)
    graph = builder.build([builder.matrix_product(rows, weights)])
    given = np.array([[32767, -32768, 5], [-32768, 1, -1]], np.int16)
    (result,) = run_graph(graph, [given])
    assert result.dtype == np.int64
    assert result.tolist() == [[32767**2 + 32768**2 + 5], [-32768 * 32767 - 32768 - 1]]
    with pytest.raises(
        ValueError, match=r"MATRIX_PRODUCT #1: .*the ifm's last dimension must be 4, not shape"
    ):
        builder.matrix_product(rows, np.zeros((2, 4), np.int8))
