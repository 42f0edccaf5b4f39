"""No constant of the cycle model is dead: one cycle more, and a command list that runs on the RTL is predicted wrongly.

The lists are those that `test_random_commands` holds to the cycles of the RTL.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import CodeType, ModuleType

import pytest

from celosia.generators.chassis import timing as chassis_timing
from celosia.generators.chassis.tiles import access_trace, activate_timing, softmax_unit
from celosia.generators.mac_engine import compute_timing, timing, weight_decoder_timing
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.timing import Prediction, predict
from celosia.generators.mac_engine.weight_code import EXPANSION_CYCLES
from tests.random_commands import LISTS, random_command_list, random_memory

CONFIG = PRESETS["u55-128"]
SUFFIXES = ("CYCLE", "CYCLES", "DELAY", "LATENCY")
"""What names of constants that are times end with; others are sizes of queues, or of what is moved."""
HIDDEN = {"_QUEUE_CYCLES"}
"""Over before a beat can come: only a WEIGHTS without beats, which is not legal, would show it."""
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


def is_noticed() -> bool:
    """Whether some list is predicted otherwise than at first, or not at all."""
    for seed in LISTS:
        before = expected(seed)
        try:
            if prediction(seed) != before:
                return True
        except (ArithmeticError, AssertionError, LookupError, ValueError):
            return True
    return False


def names_used(code: CodeType) -> Iterator[str]:
    """Names that are looked up when functions run, not when the module is imported."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from constant.co_names
            yield from names_used(constant)


def constants(module: ModuleType) -> list[str]:
    """Names of times that the module's functions read."""
    used = set(names_used(compile(inspect.getsource(module), module.__name__, "exec")))
    return sorted(
        name
        for name in (used - HIDDEN) & vars(module).keys()
        if name.isupper() and name.endswith(SUFFIXES) and isinstance(getattr(module, name), int)
    )


def test_the_list_of_constants_is_no_shorter_than_it_was() -> None:
    assert {"SETUP_CYCLES", "FILL_LATENCY", "STEP_WALK_CYCLES"} <= set(constants(compute_timing))
    assert sum(len(constants(module)) for module in MODULES) >= 12


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *((module, name) for module in MODULES for name in constants(module)),
        *(
            (softmax_unit, name)
            for name in softmax_unit.write_cycles.__code__.co_names
            if name.endswith(SUFFIXES)
        ),
    ],
    ids=lambda value: value.__name__.rsplit(".", 1)[-1] if isinstance(value, ModuleType) else None,
)
def test_one_more_is_noticed(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in LISTS:
        expected(seed)
    monkeypatch.setattr(module, name, getattr(module, name) + 1)
    assert is_noticed(), f"{module.__name__}.{name} may be anything"


@pytest.mark.parametrize("live_lanes", EXPANSION_CYCLES)
def test_one_more_cycle_to_expand_a_vector_is_noticed(
    live_lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in LISTS:
        expected(seed)
    monkeypatch.setitem(EXPANSION_CYCLES, live_lanes, EXPANSION_CYCLES[live_lanes] + 1)
    assert is_noticed(), f"EXPANSION_CYCLES[{live_lanes}] may be anything"
