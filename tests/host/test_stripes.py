"""Layers in turns: every row is computed once, before it is read, and no ring loses a row too early."""

from itertools import pairwise

import numpy as np
import pytest

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window
from celosia.generators.chassis.layer_plan import needed_rows
from celosia.host.stripes import passed_rows, rows_read, streamed_rows, take_turns

SEEDS = 200


def over(height: int, window: Window, padded: bool) -> Layer:
    """A layer on `height` rows, with SAME's padding or none."""
    rows = -(-height // window.stride_y) if padded else (height - window.span_y) // window.stride_y + 1
    return Layer(
        name=f"layer on {height} rows",
        operator=0,
        kind=LayerKind.MAXIMUM,
        ifm="ifm",
        ofm="ofm",
        ifm_shape=MapShape(height, 4, 8),
        ofm_shape=MapShape(rows, 4, 8),
        requantization=Requantization.identity(8),
        window=window,
    )


def random_chain(generator: np.random.Generator) -> list[Layer]:
    """Up to 5 layers with kernels, strides, dilations and padding, all of whose rows are read."""
    height = int(generator.integers(1, 60))
    layers: list[Layer] = []
    for _ in range(20):
        kernel, stride, dilation = (int(value) for value in generator.integers(1, (6, 4, 4)))
        padded = bool(generator.random() < 0.7)
        span = (kernel - 1) * dilation + 1
        if not padded and span > height:
            continue
        needed = (-(-height // stride) - 1) * stride + span
        above = max(0, needed - height) // 2 if padded else 0
        layer = over(height, Window(kernel, 1, stride, 1, dilation, 1, above), padded)
        if layers and rows_read(layer) < height:
            continue
        layers.append(layer)
        height = layer.ofm_shape.height
    return layers[: int(generator.integers(1, 6))]


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_rows_are_there_when_they_are_read(first: int) -> None:
    for seed in range(first, first + 50):
        generator = np.random.default_rng(seed)
        chain = random_chain(generator)
        turns = take_turns(chain, int(generator.integers(1, chain[-1].ofm_shape.height + 1)))
        rings = [np.full(passed_rows(chain, turns, place), -1) for place in range(len(chain) - 1)]
        written = [0] * len(chain)
        for place, number in turns.order:
            stripe = turns.stripes[place][number]
            assert stripe[0] == written[place] < stripe[1], f"seed {seed}: rows in order"
            if place > 0:
                for row in range(*needed_rows(chain[place], stripe)):
                    assert rings[place - 1][row % len(rings[place - 1])] == row, f"seed {seed}: row {row}"
            if place < len(rings):
                for row in range(*stripe):
                    rings[place][row % len(rings[place])] = row
            written[place] = stripe[1]
        assert written == [layer.ofm_shape.height for layer in chain], f"seed {seed}"


def test_a_layer_alone_runs_its_stripes_one_after_the_other() -> None:
    turns = take_turns([over(10, Window(), True)], 4)
    assert turns.stripes == (((0, 4), (4, 8), (8, 10)),)
    assert turns.order == ((0, 0), (0, 1), (0, 2))


@pytest.mark.parametrize("length", [3, 4, 5])
def test_no_layer_of_a_long_chain_reads_what_was_computed_in_the_turn_just_before(length: int) -> None:
    chain = [over(24, Window(height=3, pad_top=1), True)] * length
    between = take_turns(chain, 4).order[1:-1]  # nothing else can be done at either end
    assert all(after[0] != before[0] + 1 for before, after in pairwise(between))


def test_two_layers_alternate_with_the_first_a_stripe_ahead() -> None:
    chain = [over(8, Window(), True)] * 2
    assert take_turns(chain, 4).order == ((0, 0), (0, 1), (1, 0), (1, 1))
    assert take_turns(chain, 2).order[:5] == ((0, 0), (0, 1), (1, 0), (0, 2), (1, 1))


def test_a_streamed_ring_has_room_for_a_stripe_and_what_the_next_one_adds() -> None:
    layer = over(64, Window(height=5, stride_y=2, pad_top=1), True)
    assert streamed_rows(layer, [(0, 4), (4, 8)], kept=2) == (3 * 2 + 5) + 4 * 2
