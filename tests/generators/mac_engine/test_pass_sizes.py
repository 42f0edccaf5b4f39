"""The estimate behind the sizes of passes, and networks in which they matter."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.command import Opcode
from celosia.generators.chassis.schedule import decode_commands
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import LAYOUTS, WEIGHT_WORD_BYTES, Destination
from celosia.generators.mac_engine.pass_sizes import WeightDemand, estimated_finish
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.program import Program
from celosia.host.tflite import parse_tflite
from tests.tflite_builder import ModelBuilder

CONFIG = PRESETS["u55-128"]
STORE = 1200
PORT_BOUND = WeightDemand(groups=12, group_words=100, word_beats=2.0, other_beats=0, cycles=1200, stripes=1)
COMPUTE_BOUND = replace(PORT_BOUND, cycles=12_000)
WITHOUT_WEIGHTS = replace(COMPUTE_BOUND, group_words=0, word_beats=0.0)


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1200, [12]), (600, [6, 6]), (500, [5, 5, 2]), (99, [1] * 12)], ids=str
)
def test_a_pass_takes_as_many_block_groups_as_the_limit_allows(limit: int, sizes: list[int]) -> None:
    assert PORT_BOUND.passes(limit) == sizes


def test_stripes_take_all_passes_again_unless_there_is_one() -> None:
    striped = replace(PORT_BOUND, stripes=3)
    assert striped.passes(600) == [6, 6] * 3
    assert striped.passes(1200) == [12]


def test_a_block_group_beyond_half_of_the_store_is_loaded_in_pieces() -> None:
    assert PORT_BOUND.loads(6, STORE) == [600]
    assert replace(PORT_BOUND, group_words=1300).loads(1, STORE) == [600, 600, 100]


def test_small_passes_pay_where_compute_waits_for_the_port() -> None:
    layers = [PORT_BOUND] * 4
    halves, thirds = (estimated_finish(layers, [STORE // parts] * 4, STORE) for parts in (2, 3))
    beats = 4 * 1200 * 2
    assert beats < thirds < halves


def test_small_passes_cost_where_the_port_waits_for_compute() -> None:
    layers = [WITHOUT_WEIGHTS, *[COMPUTE_BOUND] * 4]
    halves, thirds = (estimated_finish(layers, [STORE // parts] * 5, STORE) for parts in (2, 3))
    assert 5 * 12_000 < halves < thirds


def fully_connected_graph(widths: tuple[int, ...]) -> Graph:
    """FULLY_CONNECTED layers in a row, whose weights take about 5 bits."""
    model = ModelBuilder()
    draw = np.random.default_rng(5)
    first = last = model.tensor((1, widths[0]), scale=0.5)
    for inputs, outputs in itertools.pairwise(widths):
        data = draw.integers(-15, 16, (outputs, inputs), np.int8)
        weights = model.tensor(data.shape, scale=0.01, data=data)
        following = model.tensor((1, outputs), scale=0.5)
        model.operator("FULLY_CONNECTED", [last, weights], [following], "FullyConnectedOptions")
        last = following
    return parse_tflite(model.pack([first], [last]), "fully connected").require_graph()


def words_loaded(program: Program) -> list[int]:
    """Words that each WEIGHTS for the weight store decodes to."""
    (section,) = program.engine_sections
    commands = decode_commands(section.content[section.queue_offset :], LAYOUTS)
    return [
        fields["words"]
        for opcode, fields in commands
        if opcode is Opcode.WEIGHTS and fields["destination"] == Destination.WEIGHT_STORE
    ]


def test_passes_leave_room_in_the_ring_and_the_last_ones_are_short() -> None:
    words = words_loaded(compile_graph(fully_connected_graph((128,) * 4), CONFIG))
    layer, third = 128 * 128 // WEIGHT_WORD_BYTES, CONFIG.weight_words // 3
    ends = list(itertools.accumulate(words))
    second = words[ends.index(layer) + 1 : ends.index(2 * layer) + 1]
    last = words[ends.index(2 * layer) + 1 :]
    assert second == [third, third]
    assert max(last) < third
