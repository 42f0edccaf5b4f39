"""Random legal command lists on the generated RTL: they end, in exactly the predicted cycles."""

import numpy as np
import pytest

from celosia.generators.chassis.command import Region
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.interpreter import Interpreter
from celosia.generators.mac_engine.timing import predict
from tests.commit_seed import commit_seed
from tests.engine_bench import run_command_list
from tests.random_commands import LISTS, REGION_BYTES, random_command_list, random_memory


def check(preset: str, seed: int) -> None:
    """One list, twice: the second time without a reset in between."""
    config, memory = PRESETS[preset], random_memory(seed)
    commands = random_command_list(config, seed)
    prediction = predict(commands.words, len(commands.constants), config, memory, commands.constants)
    for run in run_command_list(config, memory, commands, times=2):
        where = f"list {seed} on {preset} behind {memory}"
        assert run.total.cycles == prediction.cycles, where
        counted = [snapshot.cycles for snapshot in run.snapshots]
        assert counted == list(prediction.snapshots[: config.profile_entries]), where
        causes = run.total
        assert causes.cycles == (
            causes.active + causes.stall_weights + causes.stall_ifm + causes.stall_ofm + causes.stall_dma
        ), where


@pytest.mark.parametrize("preset", PRESETS)
def test_cycles_are_as_predicted(preset: str) -> None:
    for seed in LISTS:
        check(preset, seed)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_cycles_are_as_predicted_of_lists_drawn_by_the_commit(preset: str) -> None:
    first = int.from_bytes(commit_seed().encode()[:4], "little")
    for seed in range(first, first + 250):
        check(preset, seed)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_lists_are_legal(preset: str) -> None:
    config = PRESETS[preset]
    for seed in LISTS:
        commands = random_command_list(config, seed)
        regions = {region: np.zeros(REGION_BYTES, np.uint8) for region in Region}
        regions[Region.PROGRAM] = np.frombuffer(commands.constants + commands.words, np.uint8)
        Interpreter(config, regions).run(commands.words)
