"""Operands of 16 bits on the systolic array: exact products, TensorFlow Lite's int16x8, half and quarter speed."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.systolic.config import PRESETS, SystolicConfig
from celosia.host.compiler import compile_graph
from celosia.host.errors import ModelError
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from celosia.host.prediction import with_predictions
from celosia.host.program import HostSection
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.built_graphs import BUILT, int8
from tests.engine_bench import EngineBench
from tests.interpreter_device import InterpreterDevice
from tests.tflite_int16_writer import INT16_OPERATORS, random_int16_model
from tests.tflite_oracle import TfliteMicroOracle
from tests.tflite_writer import random_inputs

INT16 = replace(PRESETS["tpu-8x8"], int16=True)
CONFIGS = {
    "8x8": INT16,
    "16x16": replace(PRESETS["tpu-16x16"], int16=True),
    "16x8": replace(INT16, rows=16, accumulators=16),
    "8x16": replace(INT16, columns=16, accumulators=64),
}
WIDTHS = [(ifm, weights) for ifm in ("int8", "int16") for weights in ("int8", "int16")]
PASSES = {("int8", "int8"): 1, ("int8", "int16"): 2, ("int16", "int8"): 2, ("int16", "int16"): 4}
EXTREMES = np.array([-32768, -32513, -1, 32767, 127, 255])
"""Whose bytes are those of the largest products: -128, 127 and 255."""


@pytest.fixture(scope="module")
def oracle() -> Iterator[TfliteMicroOracle]:
    with TfliteMicroOracle() as oracle:
        yield oracle


def integers(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    limits = np.iinfo(dtype)
    return np.random.default_rng([seed, *shape]).integers(limits.min, limits.max + 1, shape).astype(dtype)


def product(ifm: str, weights: np.ndarray, rows: int) -> Graph:
    builder = GraphBuilder("product")
    given = builder.input((rows, weights.shape[1]), dtype=ifm)
    return builder.build([builder.matrix_product(given, weights)])


def interpreted(graph: Graph, config: SystolicConfig, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """All of it by the command interpreter."""
    program = compile_graph(graph, config)
    assert not program.host_operators
    values = Runtime(program, InterpreterDevice(config)).run(inputs)
    return [values[index] for index in program.outputs]


@pytest.mark.parametrize(("ifm", "weights"), WIDTHS)
@pytest.mark.parametrize("name", CONFIGS)
def test_products_of_every_width_are_numpys(name: str, ifm: str, weights: str) -> None:
    for seed, (rows, depth, columns) in enumerate([(1, 1, 1), (13, 37, 21), (70, 16, 8), (5, 129, 40)]):
        factors, given = integers(weights, (columns, depth), seed), integers(ifm, (rows, depth), seed)
        (result,) = interpreted(product(ifm, factors, rows), CONFIGS[name], [given])
        assert result.dtype == np.int64
        np.testing.assert_array_equal(result, given.astype(np.int64) @ factors.astype(np.int64).T)


@pytest.mark.parametrize(("ifm", "weights"), WIDTHS)
def test_products_on_the_engine_are_numpys(ifm: str, weights: str) -> None:
    """In the predicted cycles."""
    factors, given = integers(weights, (21, 37)), integers(ifm, (50, 37))
    bench = EngineBench(product(ifm, factors, 50), INT16)
    assert not bench.program.host_operators
    (result,) = bench.run([given])
    np.testing.assert_array_equal(result, given.astype(np.int64) @ factors.astype(np.int64).T)


def test_the_longest_sums_of_the_largest_bytes_are_exact() -> None:
    """32,768 products, of values whose partial sums come close to 2**31."""
    draw = np.random.default_rng(1)
    factors = np.repeat(draw.choice(EXTREMES, (8, 1)), 1 << 15, axis=1).astype(np.int16)
    given = np.repeat(draw.choice(EXTREMES, (6, 1)), 1 << 15, axis=1).astype(np.int16)
    given[:4], factors[:4] = EXTREMES[:4, None], EXTREMES[:4, None]
    bench = EngineBench(product("int16", factors, 6), INT16)
    assert not bench.program.host_operators
    (result,) = bench.run([given])
    expected = given.astype(np.int64) @ factors.astype(np.int64).T
    assert abs(expected).max() == 1 << 45
    np.testing.assert_array_equal(result, expected)


def matrix_cycles(ifm: str, weights: str, rows: int) -> tuple[int, int]:
    """Active cycles, and those of the array's, of rows x 64 x 64; weights come as fast as they are taken."""
    memory = MemoryModel(weights_bytes_per_cycle=Fraction(8))
    bench = EngineBench(product(ifm, integers(weights, (64, 64)), rows), INT16, memory)
    bench.run([integers(ifm, (rows, 64))])
    layers = bench.profile.layers
    active = sum(layer.active for layer in layers)
    return active, active + sum(layer.stall_weights + layer.own["weight_shift"] for layer in layers)


@pytest.mark.parametrize("rows", [64, 100])
def test_speed_is_halved_and_quartered(rows: int) -> None:
    """Cycles in which the array multiplies, exactly; and nearly no others."""
    once = 8 * 8 * rows
    for (ifm, weights), passes in PASSES.items():
        active, matrix = matrix_cycles(ifm, weights, rows)
        assert active == passes * once
        assert matrix <= passes * once + 3 * (8 + 8) + 64


def network(images: int = 1) -> Graph:
    """Every kind of operator that is on the array, of int16: strides, dilations, padding, several bricks and tiles."""
    builder = GraphBuilder("int16")
    image = builder.input((images, 9, 11, 5), scale=1 / 4096, dtype="int16")
    stem = builder.convolution(
        image,
        int8((20, 3, 3, 5)),
        np.linspace(0.001, 0.01, 20),
        scale=1 / 2048,
        stride=(2, 2),
        bias=integers("int32", (20,)) // 64,
        activation="RELU",
    )
    apart = builder.depthwise_convolution(stem, int8((3, 3, 20)), 0.02, scale=1 / 1024, dilation=(2, 1))
    wide = builder.convolution(apart, int8((32, 1, 2, 20), 1), 0.004, scale=1 / 512, padding="VALID")
    logits = builder.fully_connected(wide, int8((10, wide.tensor.size // images)), 0.004, scale=1 / 64)
    return builder.build([logits, stem, wide])


@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("name", CONFIGS)
def test_networks_agree_with_the_kernels(name: str, images: int) -> None:
    graph = network(images)
    given = integers("int16", graph.tensor(graph.inputs[0]).shape)
    expected = run_graph(graph, [given])
    for actual, wanted in zip(interpreted(graph, CONFIGS[name], [given]), expected, strict=True):
        assert np.unique(wanted).size > 8
        np.testing.assert_array_equal(actual, wanted)


def test_networks_on_the_engine_agree_with_the_kernels() -> None:
    graph = network()
    bench = EngineBench(graph, INT16)
    assert not bench.program.host_operators
    for seed in range(2):
        given = integers("int16", graph.tensor(graph.inputs[0]).shape, seed)
        for actual, wanted in zip(bench.run([given]), run_graph(graph, [given]), strict=True):
            np.testing.assert_array_equal(actual, wanted)


@pytest.mark.parametrize("operator", INT16_OPERATORS)
def test_files_give_what_tensorflow_lite_micro_gives(oracle: TfliteMicroOracle, operator: str) -> None:
    """On the engine, in the predicted cycles."""
    ran = 0
    for seed in range(30):
        data, description = random_int16_model(operator, 1000 + seed)
        try:
            graph = parse_tflite(data, description).require_graph()
        except ModelError:
            continue
        bench = EngineBench(graph, INT16)
        if bench.program.host_operators:
            continue  # groups
        inputs = random_inputs([(graph.tensor(index).shape, "int16") for index in graph.inputs], seed)
        (expected,), (actual,) = oracle.run(data, inputs), bench.run(inputs)
        np.testing.assert_array_equal(actual, expected, err_msg=description)
        ran += 1
    assert ran >= 20


@pytest.mark.parametrize("name", BUILT)
def test_int8_networks_take_the_cycles_that_they_take_without(name: str) -> None:
    graph = BUILT[name](1)
    plain, split = (
        with_predictions(compile_graph(graph, config), MemoryModel())
        for config in (PRESETS["tpu-8x8"], INT16)
    )
    assert plain.predicted_cycles == split.predicted_cycles > 0
    inputs = random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], 3)
    for actual, wanted in zip(EngineBench(graph, INT16).run(inputs), run_graph(graph, inputs), strict=True):
        np.testing.assert_array_equal(actual, wanted)


def refusals(graph: Graph, config: SystolicConfig) -> list[str]:
    """Why its operators run on the host."""
    sections = compile_graph(graph, config).sections
    hosts = [section for section in sections if isinstance(section, HostSection)]
    return [reason for section in hosts for reason in section.reasons]


def test_an_engine_without_it_leaves_int16_to_the_host() -> None:
    given = integers("int16", (3, 5))
    graph = product("int16", integers("int8", (4, 5)), 3)
    (reason,) = refusals(graph, PRESETS["tpu-8x8"])
    assert reason.startswith("Operands must be int8 or, on an engine with `int16`, int16")
    assert reason.endswith("(found int16)")
    program = compile_graph(graph, PRESETS["tpu-8x8"])
    values = Runtime(program, InterpreterDevice(PRESETS["tpu-8x8"])).run([given])
    np.testing.assert_array_equal(values[program.outputs[0]], run_graph(graph, [given])[0])


def test_longer_sums_than_int32_has_room_for_stay_on_the_host() -> None:
    (reason,) = refusals(product("int8", integers("int8", (2, (1 << 15) + 64)), 1), INT16)
    assert "at most 32,768 products" in reason
    assert "found 32832 products" in reason


def test_groups_stay_on_the_host() -> None:
    builder = GraphBuilder("groups")
    image = builder.input((1, 4, 4, 6), scale=0.01, dtype="int16")
    graph = builder.build([builder.convolution(image, int8((16, 1, 1, 3)), 0.01, scale=0.01)])
    assert refusals(graph, INT16) == ["int16 convolutions must not have groups"]


def test_rows_that_begin_within_a_brick_stay_on_the_host() -> None:
    """RESHAPE is nothing to elements that lie as they are; in planes, rows of 5 are no rows of 10."""
    builder = GraphBuilder("reshaped")
    image = builder.input((1, 4, 4, 5), scale=0.01, dtype="int16")
    hidden = builder.convolution(image, int8((10, 1, 1, 5)), 0.01, scale=0.01)
    rows = builder.reshape(hidden, (32, 5))
    graph = builder.build([builder.fully_connected(rows, int8((3, 5)), 0.01, scale=0.01)])
    assert any("rows of 5 int16 must not begin within a brick" in reason for reason in refusals(graph, INT16))
    given = integers("int16", (1, 4, 4, 5))
    program = compile_graph(graph, INT16)
    values = Runtime(program, InterpreterDevice(INT16)).run([given])
    np.testing.assert_array_equal(values[program.outputs[0]], run_graph(graph, [given])[0])
