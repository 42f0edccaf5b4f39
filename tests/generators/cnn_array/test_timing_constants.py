"""No latency of COMPUTE's cycle model is dead: one cycle more, and a list that runs on the RTL is predicted wrongly.

The lists are those that `test_random_commands` holds to the cycles of the RTL; what all families share is held to them
in `tests.generators.mac_engine`.
"""

from functools import cache

import pytest

from celosia.generators.chassis.prediction import Prediction
from celosia.generators.cnn_array import accumulate, compute, compute_timing
from celosia.generators.cnn_array.config import PRESETS
from celosia.generators.cnn_array.timing import predict
from tests.random_commands import LISTS, random_command_list, random_memory

CONFIG = PRESETS["catapult-8x8"]


@cache
def expected(seed: int) -> Prediction:
    return prediction(seed)


def prediction(seed: int) -> Prediction:
    commands = random_command_list(CONFIG, seed)
    return predict(commands.words, len(commands.constants), CONFIG, random_memory(seed))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (compute_timing, "SETUP_CYCLES"),
        (compute, "BRICK_LATENCY"),
        (accumulate, "ARRAY_DELAY"),
        (accumulate, "VECTOR_CYCLES"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_one_more_is_noticed(module: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in LISTS:
        expected(seed)
    monkeypatch.setattr(module, name, getattr(module, name) + 1)
    assert any(prediction(seed) != expected(seed) for seed in LISTS), f"{name} may be anything"
