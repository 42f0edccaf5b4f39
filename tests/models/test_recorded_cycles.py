"""The cycles in `cycles.csv` are exact, so that a change of any of them shows in the change that makes it."""

import random
from pathlib import Path

import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import PRESETS
from tests.commit_seed import commit_seed
from tests.families import SIMULATED
from tests.models.golden_bench import check_golden
from tests.models.networks import NETWORKS
from tests.models.recorded_cycles import predicted_cycles, recorded_cycles

REMEDY = "if that is meant, write them again with `make cycles`"
POINTS = [(network, preset) for network in NETWORKS for preset in SIMULATED]


@pytest.mark.parametrize(("network", "preset"), POINTS)
def test_the_prediction_is_the_recorded_one(shared_models: Path, network: str, preset: str) -> None:
    recorded = recorded_cycles()[network, preset]
    now = predicted_cycles(shared_models, network, preset)
    assert now == recorded, f"{network} on {preset} took {recorded:,} cycles and takes {now:,}; {REMEDY}"


@pytest.mark.parametrize(("network", "preset"), random.Random(commit_seed()).sample(POINTS, 4))
def test_the_rtl_takes_the_recorded_cycles(shared_models: Path, network: str, preset: str) -> None:
    cycles = check_golden(shared_models, network, preset, PRESETS[preset].buffer_kib, MemoryModel(), 1)
    assert cycles == recorded_cycles()[network, preset], REMEDY
