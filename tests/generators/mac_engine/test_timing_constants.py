"""No constant of the cycle model is dead: one cycle more, and a command list that runs on the RTL is predicted wrongly.

The lists are those that `test_random_commands` holds to the cycles of the RTL.
"""

import importlib
import pkgutil
from functools import cache
from types import ModuleType

import pytest

from celosia.generators.chassis import timing as chassis_timing
from celosia.generators.chassis.tiles import access_trace, activate_timing, softmax_unit
from celosia.generators.mac_engine import compute_timing, timing, weight_decoder_timing
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.timing import Prediction, predict
from celosia.generators.mac_engine.weight_code import EXPANSION_CYCLES
from tests.random_commands import LISTS, random_command_list, random_memory
from tests.timing_constants import latencies, latencies_in, short_name, some_differ

CONFIG = PRESETS["u55-128"]
HIDDEN = {"_QUEUE_CYCLES", "WIDE_WRITE_LATENCY"}
"""The first is over before a beat can come: only a WEIGHTS without beats, which is not legal, would show it. The second
is the systolic engine's, whose results of more than a byte are held to its own lists."""
MODULES = (
    *(
        importlib.import_module(f"{chassis_timing.__name__}.{entry.name}")
        for entry in pkgutil.iter_modules(chassis_timing.__path__)
    ),
    access_trace,
    activate_timing,
    compute_timing,
    timing,
    weight_decoder_timing,
)


@cache
def expected(seed: int) -> Prediction:
    return prediction(seed)


def prediction(seed: int) -> Prediction:
    commands = random_command_list(CONFIG, seed)
    return predict(commands.words, len(commands.constants), CONFIG, random_memory(seed), commands.constants)


def test_the_list_of_constants_is_no_shorter_than_it_was() -> None:
    assert {"SETUP_CYCLES", "FILL_LATENCY", "STEP_WALK_CYCLES"} <= {
        name for _, name in latencies(compute_timing)
    }
    assert sum(len(latencies(module, HIDDEN)) for module in MODULES) >= 12


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *(found for module in MODULES for found in latencies(module, HIDDEN)),
        *latencies_in(softmax_unit.write_cycles),
    ],
    ids=short_name,
)
def test_one_more_is_noticed(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in LISTS:
        expected(seed)
    monkeypatch.setattr(module, name, getattr(module, name) + 1)
    assert some_differ(LISTS, prediction, expected), f"{module.__name__}.{name} may be anything"


@pytest.mark.parametrize("live_lanes", EXPANSION_CYCLES)
def test_one_more_cycle_to_expand_a_vector_is_noticed(
    live_lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in LISTS:
        expected(seed)
    monkeypatch.setitem(EXPANSION_CYCLES, live_lanes, EXPANSION_CYCLES[live_lanes] + 1)
    assert some_differ(LISTS, prediction, expected), f"EXPANSION_CYCLES[{live_lanes}] may be anything"
