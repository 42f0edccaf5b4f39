"""No constant of the cycle model is dead: one cycle more, and a command list that runs on the RTL is predicted wrongly.

What all families share is held to the lists of `tests.generators.mac_engine`.
"""

from fractions import Fraction
from functools import cache
from types import ModuleType

import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.prediction import Prediction
from celosia.generators.systolic import compute_timing, timing, weight_fifo_timing
from celosia.generators.systolic.accumulate import array_visit, first_visit
from celosia.generators.systolic.array import column_latency
from celosia.generators.systolic.compute import fill_latency
from celosia.generators.systolic.config import PRESETS
from celosia.generators.systolic.timing import predict
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from celosia.host.program import EngineSection
from tests.built_graphs import int8
from tests.engine_bench import EngineBench
from tests.timing_constants import latencies, latencies_in, short_name, some_differ

CONFIG = PRESETS["tpu-8x8"]
MEMORIES = {
    "slow": MemoryModel(weights_bytes_per_cycle=Fraction(2)),  # the array waits for a tile's last row
    "far": MemoryModel(latency=300),  # more than the weight FIFO holds comes in that time: it waits for room
}
CONSTANTS = [
    *(found for module in (compute_timing, timing, weight_fifo_timing) for found in latencies(module)),
    *(
        found
        for function in (fill_latency, array_visit, first_visit, column_latency)
        for found in latencies_in(function)
    ),
]


def network() -> Graph:
    """The array and the vector unit, long reductions and short ones."""
    builder = GraphBuilder("timed")
    image = builder.input((1, 5, 4, 16), scale=0.5)
    convolved = builder.convolution(image, int8((16, 3, 3, 16)), 0.01, scale=0.5)
    largest = builder.max_pool(builder.add(image, convolved, scale=0.6), (2, 2), padding="SAME")
    return builder.build([builder.fully_connected(largest, int8((24, 3 * 2 * 16)), 0.01, scale=1.0)])


@cache
def section() -> EngineSection:
    (only,) = compile_graph(network(), CONFIG).engine_sections
    return only


@cache
def expected(memory: str) -> Prediction:
    return prediction(memory)


def prediction(memory: str) -> Prediction:
    start = section().queue_offset
    return predict(section().content[start:], start, CONFIG, MEMORIES[memory])


@pytest.mark.parametrize("memory", MEMORIES)
def test_cycles_on_the_rtl_are_as_predicted(memory: str) -> None:
    bench = EngineBench(network(), CONFIG, MEMORIES[memory])
    bench.run([int8((1, 5, 4, 16))])
    assert bench.program.engine_sections[0].content == section().content
    assert bench.cycles == expected(memory).cycles


def test_the_list_of_constants_is_no_shorter_than_it_was() -> None:
    assert {name for _, name in CONSTANTS} >= {
        "SETUP_CYCLES",
        "READ_DELAY",
        "AVAILABLE_LATENCY",
        "BRICK_LATENCY",
        "VECTOR_VISIT",
        "DONE_CYCLES",
        "TOTALS_DELAY",
        "SUM_LATENCY",
    }


@pytest.mark.parametrize(("module", "name"), CONSTANTS, ids=short_name)
def test_one_more_is_noticed(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for memory in MEMORIES:
        expected(memory)
    monkeypatch.setattr(module, name, getattr(module, name) + 1)
    assert some_differ(MEMORIES, prediction, expected), f"{module.__name__}.{name} may be anything"
