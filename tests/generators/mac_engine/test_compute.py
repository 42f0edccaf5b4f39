"""`ComputeUnit`: every mode's accumulators against a direct model, and its cycles against `ComputeTiming`."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from celosia.generators.chassis.counters import Cause
from celosia.generators.chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY
from celosia.generators.mac_engine.compute import ComputeUnit
from celosia.generators.mac_engine.compute_timing import ComputeTiming, FilledTile
from celosia.generators.mac_engine.config import PRESETS, MacEngineConfig
from celosia.generators.mac_engine.isa import Mode
from tests.gateware import convert

from .compute_bench import ComputeBench, Observed
from .compute_model import Fields, Memories, Model, Tile, random_command, wrap


def small(preset: str) -> MacEngineConfig:
    """The preset's cores over small memories."""
    return replace(PRESETS[preset], buffer_kib=4, weight_kib=4)


def expected_tiles(config: MacEngineConfig, memories: Memories, commands: list[Fields]) -> list[Tile]:
    return [tile for fields in commands for tile in Model(config, memories, fields).tiles()]


def predicted(config: MacEngineConfig, commands: list[Fields], observed: Observed) -> Iterator[FilledTile]:
    """Every tile's timing, given when its command started and when halves were promised."""
    free = [0, 0, *(cycle + 1 for cycle in observed.freeing)]
    handed_over = 0
    for fields, start in zip(commands, observed.starts, strict=True):
        timing = ComputeTiming(config, fields, start)
        while True:
            try:
                tile = timing.fill(free[handed_over])
            except ValueError:
                break
            yield tile
            handed_over += not fields["partial"]


def check_cycles(config: MacEngineConfig, commands: list[Fields], observed: Observed) -> None:
    """Reads, completions and filled tiles in exactly the predicted cycles."""
    tiles = list(predicted(config, commands, observed))
    reads = [
        tile.first_read + step * tile.period + read
        for tile in tiles
        for step in range(tile.steps)
        for read in range(tile.reads)
    ]
    assert observed.reads == reads
    assert set(observed.completions) <= {tile.filled for tile in tiles}
    # The bench sees a tile once it has read the one before.
    idle = [0, *(cycle + ACCUMULATOR_READ_LATENCY + 1 for cycle in observed.drained)]
    if not any(fields["partial"] for fields in commands):
        assert observed.filled == [
            max(tile.filled, free) for tile, free in zip(tiles, idle[: len(tiles)], strict=True)
        ]


@pytest.mark.parametrize(
    ("preset", "seed", "drain_gaps"),
    [
        ("u55-32", 1, 0),
        ("u55-32", 2, 20),
        ("u55-64", 3, 0),
        ("u55-64", 4, 20),
        ("u55-128", 5, 0),
        ("u55-256", 6, 10),
    ],
)
def test_random_commands_fill_the_right_tiles_in_the_predicted_cycles(
    preset: str, seed: int, drain_gaps: int
) -> None:
    config = small(preset)
    generator = random.Random(seed)
    modes = [*Mode, Mode.DENSE, Mode.DEPTHWISE]
    generator.shuffle(modes)
    commands = [random_command(config, generator, mode) for mode in modes]
    memories = Memories.random(config, generator, commands)
    expected = expected_tiles(config, memories, commands)
    observed = ComputeBench(config, memories, seed, drain_gaps).run(commands, expected)
    assert observed.tiles == expected
    check_cycles(config, commands, observed)


@pytest.mark.parametrize("mode", [Mode.DENSE, Mode.MAXIMUM])
def test_a_reduction_may_span_several_commands(mode: Mode) -> None:
    config = small("u55-64")
    generator = random.Random(1)
    extents = {"height": 2, "width": 5, "tile_rows": 2, "tile_groups": 5, "output_blocks": 1}
    whole = random_command(config, generator, mode)
    parts = [
        random_command(config, generator, mode, **extents, partial=1),
        random_command(config, generator, mode, **extents, partial=1, accumulate=1),
        random_command(config, generator, mode, **extents, accumulate=1),
    ]
    commands = [whole, *parts, whole]
    memories = Memories.random(config, generator, commands)
    tiles = [next(Model(config, memories, fields).tiles()) for fields in parts]
    combine = max if mode is Mode.MAXIMUM else sum
    joined = {
        place: [wrap(combine(values)) for values in zip(*(tile[place] for tile in tiles), strict=True)]
        for place in tiles[0]
    }
    around = expected_tiles(config, memories, [whole])
    expected = [*around, joined, *around]
    observed = ComputeBench(config, memories).run(commands, expected)
    assert observed.tiles == expected
    check_cycles(config, commands, observed)


def test_a_fully_connected_layer_takes_a_word_of_weights_a_cycle() -> None:
    config = small("u55-64")
    generator = random.Random(1)
    fields = random_command(
        config, generator, Mode.DENSE, height=1, width=1, kernel_height=1, kernel_width=1, channel_bricks=10,
        output_blocks=3, blocks_per_brick=0, ifm_width=1, ifm_height=1, y_origin=0, x_origin=0,
    )  # fmt: skip
    fields["channel_bricks"] = 10
    fields["blocks_per_brick"] = 0
    memories = Memories.random(config, generator, [fields])
    expected = expected_tiles(config, memories, [fields])
    observed = ComputeBench(config, memories).run([fields], expected)
    assert observed.tiles == expected
    first = observed.reads[0]
    assert observed.reads == [first + config.block_words * step for step in range(30)]
    between = [observed.causes[cycle] for cycle in range(first, observed.reads[-1])]
    assert between.count(Cause.WEIGHTS) >= 2 * 29
    assert Cause.OFM not in between


def test_steps_and_tiles_follow_each_other_without_a_gap() -> None:
    config = small("u55-64")
    generator = random.Random(1)
    fields = random_command(
        config, generator, Mode.DENSE, height=4, width=8, kernel_height=3, kernel_width=3, output_blocks=2,
        tile_rows=2, tile_groups=8, stride_x=1, ifm_width=8, ifm_height=4,
    )  # fmt: skip
    memories = Memories.random(config, generator, [fields])
    expected = expected_tiles(config, memories, [fields])
    observed = ComputeBench(config, memories).run([fields], expected)
    assert observed.tiles == expected
    assert observed.reads == list(range(observed.reads[0], observed.reads[0] + len(observed.reads)))
    assert len(observed.reads) == 2 * 4 * 8 * 9 * fields["channel_bricks"]


@pytest.mark.parametrize("preset", PRESETS)
def test_converts(preset: str) -> None:
    config = small(preset)
    assert convert(ComputeUnit(config)).count(" * ") == config.macs + config.core_outputs
