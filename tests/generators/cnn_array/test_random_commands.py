"""Random legal command lists on the generated RTL: they end, in exactly the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.command import Region
from celosia.generators.cnn_array.config import PRESETS, CnnArrayConfig
from celosia.generators.cnn_array.interpreter import Interpreter
from celosia.generators.cnn_array.timing import predict
from tests.engine_bench import run_command_list
from tests.generators.cnn_array.test_random_convolutions import SMALL
from tests.random_commands import LISTS, REGION_BYTES, random_command_list, random_memory

IN_ROUNDS = "5 x 8 in rounds"
CONFIGS = {
    **{name: config for name, config in PRESETS.items() if name != "catapult-61x64"},
    IN_ROUNDS: SMALL["16 bits, 5 x 8 in rounds"],
    "small": replace(PRESETS["catapult-8x8"], rows=16, registers=2, kernel_kib=8, parameter_beats=128),
}


def check(config: CnnArrayConfig, seed: int) -> None:
    """One list, twice: the second time without a reset in between."""
    memory = random_memory(seed)
    commands = random_command_list(config, seed)
    prediction = predict(commands.words, len(commands.constants), config, memory)
    for run in run_command_list(config, memory, commands, times=2):
        where = f"list {seed} on {config.title} behind {memory}"
        assert run.total.cycles == prediction.cycles, where
        counted = [snapshot.cycles for snapshot in run.snapshots]
        assert counted == list(prediction.snapshots[: config.profile_entries]), where
        causes = run.total
        assert causes.cycles == (
            causes.active + causes.stall_weights + causes.stall_ifm + causes.stall_ofm + causes.stall_dma
        ), where


@pytest.mark.parametrize(
    "name",
    [
        "catapult-8x8",
        IN_ROUNDS,
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("catapult-16x16", "small")),
    ],
)
def test_cycles_are_as_predicted(name: str) -> None:
    for seed in LISTS:
        check(CONFIGS[name], seed)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_lists_are_legal(name: str) -> None:
    config = CONFIGS[name]
    for seed in LISTS:
        commands = random_command_list(config, seed)
        regions = {region: np.zeros(REGION_BYTES, np.uint8) for region in Region}
        regions[Region.PROGRAM] = np.frombuffer(commands.constants + commands.words, np.uint8)
        Interpreter(config, regions).run(commands.words)
