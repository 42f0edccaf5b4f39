"""Random legal command lists on the generated RTL: the interpreter's bytes, in exactly the predicted cycles."""

from dataclasses import replace
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from celosia.generators.chassis.command import Region
from celosia.generators.chassis.prediction import Prediction
from celosia.generators.chassis.tiles import access_trace, activate_timing
from celosia.generators.chassis.tiles.wide_results import WIDE_WRITE_LATENCY
from celosia.generators.systolic.config import PRESETS, SystolicConfig
from celosia.generators.systolic.counters import COUNTERS
from celosia.generators.systolic.interpreter import Interpreter
from celosia.generators.systolic.timing import predict
from celosia.host.driver import LoadedSection, region_places
from celosia.host.program import Binding, EngineSection
from tests.engine_bench import engine
from tests.generators.systolic.random_lists import OUTPUT_BYTES, RandomList, random_list
from tests.random_commands import random_memory
from tests.timing_constants import short_name, some_differ

LISTS = range(60)
INT16 = replace(PRESETS["tpu-8x8"], int16=True)
CONFIGS = {
    "8x8 int16": INT16,
    "8x8": PRESETS["tpu-8x8"],
    "16x16 int16": replace(PRESETS["tpu-16x16"], int16=True),
    "16x8 int16": replace(INT16, rows=16, accumulators=64),
    "8x16 int16": replace(INT16, columns=16, accumulators=32, weight_bits=128),
}


def interpreted(config: SystolicConfig, commands: RandomList) -> bytes:
    regions = {region: np.zeros(OUTPUT_BYTES, np.uint8) for region in Region}
    regions[Region.PROGRAM] = np.frombuffer(commands.constants + commands.words, np.uint8)
    Interpreter(config, regions).run(commands.words)
    return regions[Region.OUTPUT].tobytes()


def check(config: SystolicConfig, seed: int) -> None:
    """One list, twice: the second time without a reset in between."""
    memory, commands = random_memory(seed), random_list(config, seed)
    prediction = predict(commands.words, len(commands.constants), config, memory)
    section = EngineSection(
        content=commands.constants + commands.words,
        queue_offset=len(commands.constants),
        queue_count=commands.commands,
        input_bytes=64,
        output_bytes=OUTPUT_BYTES,
        scratch_bytes=64,
        inputs=(),
        outputs=(Binding(0, 0),),
        layers=(),
        snapshots=(),
        predicted_cycles=0,
        peak_bricks=0,
    )
    device = engine(config)
    device.configure_memory(memory)
    expected = interpreted(config, commands)
    for _ in range(2):
        loaded = LoadedSection(device, section, 0, COUNTERS)
        device.write_memory(region_places(section, 0)[Region.OUTPUT].address, bytes(OUTPUT_BYTES))
        outputs, counted = loaded.run({})
        assert outputs[0] == expected, f"list {seed}"
        assert counted.total.cycles == prediction.cycles, f"list {seed} behind {memory}"
        snapshots = [snapshot.cycles for snapshot in counted.snapshots]
        assert snapshots == list(prediction.snapshots[: config.profile_entries]), f"list {seed}"


@cache
def expected_of(seed: int) -> Prediction:
    return predicted(seed)


def predicted(seed: int) -> Prediction:
    commands = random_list(INT16, seed)
    return predict(commands.words, len(commands.constants), INT16, random_memory(seed))


@pytest.mark.parametrize("module", [access_trace, activate_timing], ids=short_name)
def test_one_more_cycle_to_a_wide_result_is_noticed(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in LISTS:
        expected_of(seed)
    monkeypatch.setattr(module, "WIDE_WRITE_LATENCY", WIDE_WRITE_LATENCY + 1)
    assert some_differ(LISTS, predicted, expected_of)


@pytest.mark.parametrize(
    "name", ["8x8 int16", *(pytest.param(name, marks=pytest.mark.slow) for name in list(CONFIGS)[1:])]
)
def test_bytes_and_cycles_are_as_predicted(name: str) -> None:
    for seed in LISTS:
        check(CONFIGS[name], seed)


def test_the_lists_have_every_width_of_operands_and_results() -> None:
    seen = set()
    for seed in LISTS:
        words = random_list(INT16, seed).words
        for first in range(0, len(words), 64):
            for layout in (INT16.compute, INT16.activate):
                if words[first] == layout.opcode:
                    fields = layout.decode(words[first : first + 64])
                    names = ("ifm_int16", "weights_int16", "places", "ofm_bytes")
                    seen.add(tuple(fields.get(name, -1) for name in names))
    splits = {(ifm, weights, -1, -1) for ifm in (0, 1) for weights in (0, 1)}
    results = {(-1, -1, places, count) for places in (1, 2, 3) for count in (1, 2, 6)}
    assert seen == splits | results | {(-1, -1, 0, 0)}
