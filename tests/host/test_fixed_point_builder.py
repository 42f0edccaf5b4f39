"""Fixed-point networks made in Python: their values, and nothing that cannot run."""

import itertools
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from celosia.generators.cnn_array.config import PRESETS
from celosia.host.attributes import Activation
from celosia.host.binary_point import FixedPoint, Rounding, value_range
from celosia.host.compiler import compile_graph
from celosia.host.fixed_point_builder import FixedPointBuilder
from celosia.host.graph import Graph, Tensor
from celosia.host.graph_assembly import Value
from celosia.host.graph_builder import GraphBuilder
from celosia.host.program_file import load_program, save_program
from celosia.host.reference import run_graph
from celosia.host.reference.binary_point import rounded_quotient

UNKNOWN_ROUNDING: Any = "UP"
"""What a caller without a type checker may write."""

_DECIMAL = {"EVEN": ROUND_HALF_EVEN, "AWAY": ROUND_HALF_UP}


def stored(real: Fraction, numbers: FixedPoint) -> int:
    """Exact arithmetic: what `real` is in `numbers`."""
    scaled = real * Fraction(2) ** numbers.fraction_bits
    exact = Decimal(scaled.numerator) / Decimal(scaled.denominator)  # a power of two: no digits are lost
    rounded = int(exact.quantize(Decimal(1), rounding=_DECIMAL[numbers.rounding]))
    return min(max(rounded, numbers.limits[0]), numbers.limits[1])


@pytest.mark.parametrize("rounding", _DECIMAL)
def test_quotients_round_as_decimal_does(rounding: Rounding) -> None:
    values = np.arange(-40, 41)
    for divisor in range(1, 10):
        expected = [
            int((Decimal(int(v)) / divisor).quantize(Decimal(1), rounding=_DECIMAL[rounding])) for v in values
        ]
        np.testing.assert_array_equal(rounded_quotient(values, divisor, rounding), expected)


@pytest.mark.parametrize("rounding", _DECIMAL)
@pytest.mark.parametrize("bits", [16, 18])
def test_a_convolution_is_its_exact_sum_rounded_once(bits: int, rounding: Rounding) -> None:
    draw = np.random.default_rng(bits)
    limit = 1 << bits - 1
    weights = draw.integers(-limit, limit, (3, 2, 2, 2))
    bias = draw.integers(-(1 << 40), 1 << 40, 3)
    builder = FixedPointBuilder(bits=bits, rounding=rounding)
    image = builder.input((1, 3, 4, 2), fraction_bits=5)
    ofm = builder.convolution(image, weights, bits - 1, fraction_bits=2, bias=bias, padding="VALID")
    graph = builder.build([ofm])
    numbers = ofm.tensor.numbers
    given = draw.integers(-limit, limit, image.shape).astype(numbers.dtype)
    (actual,) = run_graph(graph, [given])
    assert actual.dtype == numbers.dtype
    for y, x, output in itertools.product(range(2), range(3), range(3)):
        total = Fraction(int(bias[output]), 1 << bits + 4)
        for ky, kx, channel in itertools.product(range(2), range(2), range(2)):
            pixel = Fraction(int(given[0, y + ky, x + kx, channel]), 1 << 5)
            total += pixel * Fraction(int(weights[output, ky, kx, channel]), 1 << bits - 1)
        assert actual[0, y, x, output] == stored(total, numbers)


def run_one(build: Callable[[FixedPointBuilder, Value], Value], given: list[int]) -> list[int]:
    """What 16 bits with 4 of them fraction become, as one row of a map; halves go to the even neighbour."""
    builder = FixedPointBuilder()
    row = builder.input((1, 1, len(given), 1), fraction_bits=4)
    (actual,) = run_graph(
        builder.build([build(builder, row)]), [np.array(given, np.int16).reshape(row.shape)]
    )
    return actual.reshape(-1).tolist()


@pytest.mark.parametrize(
    ("build", "given", "expected"),
    [
        (lambda b, v: b.relu(v), [-3, 0, 5], [0, 0, 5]),
        (lambda b, v: b.max_pool(v, (1, 3), stride=(1, 1), padding="SAME"), [-5, -9, -7], [-5, -5, -7]),
        (lambda b, v: b.max_pool(v, (1, 1), activation="RELU6"), [-5, 95, 97], [0, 95, 96]),
        (lambda b, v: b.average_pool(v, (1, 2), stride=(1, 1)), [1, 2, 5, -6, -7], [2, 4, 0, -6]),
        (lambda b, v: b.average_pool(v, (1, 3), stride=(1, 1), padding="SAME"), [1, 2, 5], [2, 3, 4]),
        (lambda b, v: b.add(v, v, fraction_bits=3), [1, 3, -32768], [1, 3, -32768]),
        (lambda b, v: b.add(v, v, fraction_bits=2), [1, 3, -3], [0, 2, -2]),
        (lambda b, v: b.subtract(v, b.relu(v), fraction_bits=3, activation="RELU_N1_TO_1"), [-5, -9, 9], [-2, -4, 0]),
        (lambda b, v: b.pad(v, (0, 0, 1, 0), (0, 0, 2, 0)), [7], [0, 7, 0, 0]),
        (lambda b, v: b.reshape(v, (2, -1)), [1, 2, 3, 4], [1, 2, 3, 4]),
        (lambda b, v: b.depthwise_convolution(v, [[[3, -5]]], 1, fraction_bits=5), [1, 2], [3, -5, 6, -10]),
        (lambda b, v: b.fully_connected(v, [[1, 2], [-1, 3]], 2, fraction_bits=4, bias=[2, 0]), [4, 8], [6, 5]),
        (lambda b, v: b.fully_connected(v, [[32767, 32767]], 2, fraction_bits=6), [32767, 32767], [32767]),
    ],
)  # fmt: skip
def test_every_operator(
    build: Callable[[FixedPointBuilder, Value], Value], given: list[int], expected: list[int]
) -> None:
    assert run_one(build, given) == expected


def test_sums_wrap_at_48_bits() -> None:
    builder = FixedPointBuilder()
    row = builder.input((1, 1), fraction_bits=0)
    ofm = builder.fully_connected(row, [[1], [-1]], 0, fraction_bits=-31, bias=[(1 << 47) - 1, -(1 << 47)])
    (actual,) = run_graph(builder.build([ofm]), [np.array([[1]], np.int16)])
    assert actual.tolist() == [[-32768, 32767]]


@pytest.mark.parametrize(
    ("activation", "fraction_bits", "expected"),
    [
        ("NONE", 0, (-32768, 32767)),
        ("RELU", 3, (0, 32767)),
        ("RELU6", 3, (0, 48)),
        ("RELU6", 14, (0, 32767)),
        ("RELU6", -2, (0, 1)),
        ("RELU_N1_TO_1", 3, (-8, 8)),
        ("RELU_N1_TO_1", -1, (0, 0)),
    ],
)
def test_activations_clamp(activation: Activation, fraction_bits: int, expected: tuple[int, int]) -> None:
    assert value_range(activation, FixedPoint(16, fraction_bits)) == expected


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda b, v: FixedPointBuilder(bits=12), "bits must be 16 or 18, not 12"),
        (lambda b, v: FixedPointBuilder(rounding=UNKNOWN_ROUNDING), "rounding must be one of EVEN, AWAY, not UP"),
        (lambda b, v: b.input((1,), fraction_bits=49), "fraction_bits must be in -48..48, not 49"),
        (lambda b, v: b.convolution(v, [[[[1 << 15]]]], 0, fraction_bits=0), "weights must be integers in -32768"),
        (lambda b, v: b.convolution(v, [[[[0.5]]]], 0, fraction_bits=0), "weights must be integers in"),
        (lambda b, v: b.convolution(v, [[[[1]]]], 0, fraction_bits=5), "at most as many fraction bits .*-1 fewer"),
        (lambda b, v: b.convolution(v, [[[[1]]]], 30, fraction_bits=2), "at most 31 fewer .*32 fewer"),
        (lambda b, v: b.convolution(v, [[[[1]]]], 0, fraction_bits=0, bias=[1, 2]), "one value per ofm channel"),
        (lambda b, v: b.convolution(v, [[[[1]]]], 0, fraction_bits=0, bias=[1 << 47]), "int64 of 48 bits"),
        (lambda b, v: b.add(v, v, fraction_bits=5), "not behind it .*-1 before"),
        (lambda b, v: b.add(v, b.input((1,), fraction_bits=29), fraction_bits=0), "25 apart"),
        (lambda b, v: b.add(v, FixedPointBuilder().input((1,), fraction_bits=0), fraction_bits=0), "of this builder"),
        (lambda b, v: b.reshape(v, (3, -1)), "elements .* do not fill"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_by_name(
    build: Callable[[FixedPointBuilder, Value], object], message: str
) -> None:
    builder = FixedPointBuilder()
    row = builder.input((1, 1, 4, 1), fraction_bits=4)
    with pytest.raises(ValueError, match=message):
        build(builder, row)


@pytest.mark.parametrize(
    ("dtype", "data", "message"),
    [
        ("int32", None, "16 bits must be int16, not quantised int32"),
        ("int32", np.array([1 << 17], np.int32), "data must be in -131072..131071 for 18 bits"),
    ],
)
def test_tensors_hold_what_their_width_says(dtype: str, data: np.ndarray | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tensor("t", (1,), dtype, data=data, fixed_point=FixedPoint(16 if data is None else 18, 0))


def test_operators_without_fixed_point_arithmetic_are_refused() -> None:
    fixed = FixedPointBuilder().input((1, 8), fraction_bits=0)
    builder = GraphBuilder()
    builder._graph.add(fixed.tensor)
    with pytest.raises(ValueError, match="TANH is not supported with binary points"):
        builder.tanh(Value(0, fixed.tensor))


def small_network() -> Graph:
    draw = np.random.default_rng(3)
    builder = FixedPointBuilder("small", rounding="AWAY")
    image = builder.input((1, 6, 5, 3), fraction_bits=12)
    weights = draw.integers(-2000, 2000, (8, 3, 3, 3))
    hidden = builder.convolution(
        image, weights, 12, fraction_bits=9, bias=draw.integers(-999, 999, 8), activation="RELU"
    )
    return builder.build([builder.max_pool(hidden, (2, 2))])


def test_binary_points_survive_a_program_file(tmp_path: object) -> None:
    program = compile_graph(small_network(), PRESETS["catapult-8x8"])
    save_program(program, f"{tmp_path}/small.celosia")
    read = load_program(f"{tmp_path}/small.celosia")
    assert {tensor.fixed_point for tensor in read.tensors.values()} == {
        tensor.fixed_point for tensor in program.tensors.values()
    }
    assert any(tensor.fixed_point is not None for tensor in read.tensors.values())
