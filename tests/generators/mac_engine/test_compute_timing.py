"""`ComputeTiming`: tile by tile. That the gateware agrees is tested with `ComputeUnit`."""

import pytest

from celosia.generators.chassis.tiles.loop_sequencer import SETUP_CYCLES
from celosia.generators.mac_engine.compute import FILL_LATENCY
from celosia.generators.mac_engine.compute_timing import ComputeTiming
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import COMPUTE, Mode

CONFIG = PRESETS["u55-64"]


def command(**fields: int) -> dict[str, int]:
    small = dict.fromkeys(
        ("height", "width", "tile_rows", "tile_groups", "output_blocks", "channel_bricks", "taps"), 1
    )
    kernel = {"kernel_height": 1, "kernel_width": 1}
    return {entry.name: 0 for entry in COMPUTE.fields} | small | kernel | fields


def test_a_tile_takes_its_reads_and_the_fixed_latencies() -> None:
    timing = ComputeTiming(CONFIG, command(width=10, tile_groups=10, kernel_width=3), 100)
    tile = timing.fill(0)
    assert tile.first_read == 100 + SETUP_CYCLES + 1
    assert (tile.steps, tile.reads, tile.period) == (3, 10, 10)
    assert tile.filled == 100 + SETUP_CYCLES + 30 + FILL_LATENCY


def test_weights_and_the_pause_between_visits_bound_a_step_from_below() -> None:
    assert ComputeTiming(CONFIG, command(), 0).fill(0).period == CONFIG.block_words
    assert ComputeTiming(CONFIG, command(mode=Mode.MAXIMUM), 0).fill(0).period == 2
    many = command(block_cores_log2=2)
    assert ComputeTiming(PRESETS["u55-256"], many, 0).fill(0).period == 4 * CONFIG.block_words


def test_elementwise_modes_read_twice() -> None:
    assert ComputeTiming(CONFIG, command(mode=Mode.ADD, width=5, tile_groups=5), 0).fill(0).reads == 10


def test_tiles_are_cut_at_the_edges_and_wait_for_a_half() -> None:
    timing = ComputeTiming(
        CONFIG, command(mode=Mode.MAXIMUM, height=3, width=7, tile_rows=2, tile_groups=4, output_blocks=2), 0
    )
    first = timing.fill(0)
    second = timing.fill(50)
    assert (first.reads, second.reads) == (8, 6)
    assert second.first_read == 51
    assert [timing.fill(0).reads for _ in range(6)] == [4, 3, 8, 6, 4, 3]
    with pytest.raises(ValueError, match="no more tiles"):
        timing.fill(0)


def test_a_command_that_accumulates_has_its_half_already() -> None:
    timing = ComputeTiming(CONFIG, command(accumulate=1), 0)
    assert timing.fill(1000).first_read == SETUP_CYCLES + 1
