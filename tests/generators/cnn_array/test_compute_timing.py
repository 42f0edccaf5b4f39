"""The cycles of COMPUTE: steps of whole groups of C pixels, tiles that follow each other or wait for a half."""

import pytest

from celosia.generators.chassis.tiles.commands import Mode
from celosia.generators.chassis.tiles.loop_sequencer import SETUP_CYCLES
from celosia.generators.cnn_array.compute_timing import ComputeTiming
from celosia.generators.cnn_array.config import PRESETS

CONFIG = PRESETS["catapult-8x8"]


def fields(pixels: int, mode: Mode = Mode.DENSE, kernel: int = 1) -> dict[str, int]:
    """Two tiles of `pixels`."""
    return {
        "mode": mode,
        "accumulate": 0,
        "kernel_height": kernel,
        "kernel_width": kernel,
        "channel_bricks": 1,
        "height": 2,
        "width": pixels,
        "tile_rows": 1,
        "tile_groups": pixels,
        "pixel_cores_log2": 0,
        "block_cores_log2": 0,
        "output_blocks": 1,
    }


@pytest.mark.parametrize(("pixels", "period"), [(1, 8), (8, 8), (9, 16), (16, 16), (128, 128)])
def test_a_step_takes_whole_groups_of_columns(pixels: int, period: int) -> None:
    timing = ComputeTiming(CONFIG, fields(pixels, kernel=3), 100)
    first, second = timing.fill(0), timing.fill(0)
    assert first.first_read == 100 + SETUP_CYCLES + 1
    assert (first.period, first.steps, first.reads) == (period, 9, pixels)
    assert second.first_read - first.first_read == 9 * period


def test_two_operands_take_two_reads() -> None:
    assert ComputeTiming(CONFIG, fields(9, Mode.ADD), 0).fill(0).reads == 18


def test_a_tile_waits_for_its_half() -> None:
    timing = ComputeTiming(CONFIG, fields(8), 0)
    timing.fill(0)
    assert timing.fill(1000).first_read == 1001


def test_more_tiles_than_there_are_is_an_error() -> None:
    timing = ComputeTiming(CONFIG, fields(8), 0)
    timing.fill(0)
    timing.fill(0)
    with pytest.raises(ValueError, match=r"^the command has no more tiles$"):
        timing.fill(0)


@pytest.mark.parametrize(
    ("pixels", "round_last", "period"), [(1, 60, 61), (61, 65, 66), (62, 65, 132), (183, 95, 288)]
)
def test_a_step_takes_whole_rounds_that_are_as_long_as_the_command_says(
    pixels: int, round_last: int, period: int
) -> None:
    config = PRESETS["catapult-61x64"]
    command = {**fields(pixels, kernel=3), "round_last": round_last, "two_turns": 1, "taps": 3}
    tile = ComputeTiming(config, command, 0).fill(0)
    assert (tile.period, tile.steps) == (period, 3)
    reads = [place for place in range(period) if tile.read_of(place) >= 0]
    assert len(reads) == pixels
    assert [tile.read_of(place) for place in reads] == list(range(pixels))
    assert all(place % (round_last + 1) < 61 for place in reads)
    assert tile.complete - (tile.first_read + 3 * period - 1) == 9  # before its sums are all there
    assert tile.complete < tile.filled
