"""Snapshots tell layers apart, turn by turn, in as many entries as the profile memory has."""

import random

import pytest

from celosia.host.allocation import Chain
from celosia.host.snapshots import place_snapshots

ALTERNATING = Chain(1, 3, ((0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (1, 2)))
"""Layers 1 and 2 take turns."""


def alone(layer: int, stripes: int) -> Chain:
    return Chain(layer, layer + 1, tuple((0, stripe) for stripe in range(stripes)))


def test_a_layer_alone_takes_one_after_its_last_stripe() -> None:
    assert place_snapshots([alone(0, 1), alone(1, 4)], 8) == [{0: (0, 1)}, {3: (1, 2)}]


def test_layers_in_turns_take_one_whenever_another_one_s_turn_comes() -> None:
    chains = [alone(0, 2), ALTERNATING]
    assert place_snapshots(chains, 5) == [{1: (0, 1)}, {1: (1, 2), 2: (2, 3), 3: (1, 2), 5: (2, 3)}]


def test_a_chain_is_told_as_a_whole_if_there_are_not_enough_entries() -> None:
    assert place_snapshots([alone(0, 2), ALTERNATING], 4) == [{1: (0, 1)}, {5: (1, 3)}]


def test_the_last_entry_covers_the_layers_that_have_none() -> None:
    chains = [alone(layer, 1) for layer in range(5)]
    assert place_snapshots(chains, 3) == [{0: (0, 1)}, {0: (1, 2)}, {0: (2, 5)}, {}, {}]


@pytest.mark.parametrize("seed", range(50))
def test_every_layer_is_covered_in_at_most_so_many_entries(seed: int) -> None:
    draw = random.Random(seed)
    chains: list[Chain] = []
    for _ in range(draw.randrange(1, 12)):
        first, count = chains[-1].last if chains else 0, draw.randrange(1, 4)
        order = [(place, stripe) for place in range(count) for stripe in range(draw.randrange(1, 6))]
        draw.shuffle(order)
        chains.append(Chain(first, first + count, tuple(order)))
    entries = draw.randrange(1, 40)
    taken = [layers for marks in place_snapshots(chains, entries) for layers in marks.values()]
    assert 1 <= len(taken) <= entries
    assert {layer for first, last in taken for layer in range(first, last)} == set(range(chains[-1].last))
