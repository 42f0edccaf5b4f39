"""`ComputeUnit`: every mode against NumPy, in the predicted cycles, however tiles are drained."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from celosia.generators.chassis.tiles.commands import Mode
from celosia.generators.cnn_array.compute_timing import ComputeTiming
from celosia.generators.cnn_array.config import PRESETS, CnnArrayConfig

from .compute_bench import ComputeBench, Fields, convolution

SMALL = replace(PRESETS["catapult-8x8"], registers=4, kernel_kib=2)
WIDE = replace(SMALL, operand_bits=16, kernel_kib=4)
CONFIGS = {
    "8x8": SMALL,
    "16x8": replace(SMALL, rows=16),
    "8x16": replace(SMALL, columns=16),
    "8x8-fixed16": WIDE,
    "16x8-fixed18": replace(WIDE, operand_bits=18, rows=16, kernel_kib=16),
}


def products(bench: ComputeBench, fields: Fields) -> list[np.ndarray]:
    """Of every tile of a DENSE command [block, pixel, channel]."""
    config, steps = bench.config, fields["kernel_height"] * fields["kernel_width"] * fields["channel_bricks"]
    results = []
    for blocks, pixels in bench.tiles(fields):
        group = blocks[0] >> fields["block_cores_log2"]
        words = fields["weight_address"] + np.arange(steps * config.columns) + group * steps * config.columns
        kernels = bench.kernels[words % config.weight_words]
        sums = [np.concatenate(bench.window(fields, pixel, 0)) @ kernels for pixel in pixels]
        by_block = np.array(sums).reshape(len(pixels), config.cores, 8).transpose(1, 0, 2)
        results.append(by_block[: len(blocks)])
    return results


def cases() -> list[Any]:
    """Few at once, all of them slowly."""
    every = [(name, seed, gap) for name in CONFIGS for seed in range(6) for gap in (0.0, 0.5)]
    quick = {("8x8", 1, 0.5), ("16x8", 2, 0.0), ("8x8-fixed16", 1, 0.5)}
    return [pytest.param(*case, marks=() if case in quick else pytest.mark.slow) for case in every]


@pytest.mark.parametrize(("name", "seed", "gap"), cases())
def test_convolutions_follow_each_other(name: str, seed: int, gap: float) -> None:
    config = CONFIGS[name]
    bench = ComputeBench(config, [convolution(config, 10 * seed + n) for n in range(3)], seed, gap)
    bench.run()
    expected = [tile for fields in bench.commands for tile in products(bench, fields)]
    for drained, tile in zip(bench.drained, expected, strict=True):
        np.testing.assert_array_equal(drained, tile)
    bench.check_cycles()


def test_a_reduction_goes_through_in_parts() -> None:
    """Three commands of one tile: the last one hands it over."""
    tile = {"height": 1, "width": 9, "tile_rows": 1, "tile_groups": 9, "output_blocks": 1}
    parts = [
        {**convolution(SMALL, seed), **tile, "accumulate": int(seed > 0), "partial": int(seed < 2)}
        for seed in range(3)
    ]
    bench = ComputeBench(SMALL, [*parts, convolution(SMALL, 5)], 1, 0.0)
    bench.run()
    total = np.sum([products(bench, fields)[0] for fields in bench.commands[:3]], axis=0)
    np.testing.assert_array_equal(bench.drained[0], total)
    bench.check_cycles()


def vector_command(config: CnnArrayConfig, mode: Mode) -> Fields:
    """Three bricks of 2 x 9 pixels; of MAXIMUM under a kernel of 2 x 2."""
    kernel = 2 if mode is Mode.MAXIMUM else 1
    return {
        **convolution(config, 5),
        "mode": mode,
        "block_cores_log2": 0,
        "height": 2,
        "width": 9,
        "tile_rows": 1,
        "tile_groups": 5,
        "output_blocks": 3 * config.brick_pieces,
        "blocks_per_brick": config.brick_pieces,
        "channel_bricks": 1,
        "kernel_height": kernel,
        "kernel_width": kernel,
        "stride_y": kernel,
        "stride_x": 1,
        "dilation_x": 1,
        "ifm_height": 12,
        "ifm_width": 12,
        "y_origin": 0,
        "x_origin": 1 - kernel,
        "ifm2_row": 301,
        "ifm2_row_pitch": 40,
        "ifm2_channel_pitch": 11,
    }


@pytest.mark.parametrize(("name", "gap"), [("8x8", 0.0), pytest.param("8x16", 0.6, marks=pytest.mark.slow)])
def test_tiles_of_the_vector_unit_between_those_of_the_array(name: str, gap: float) -> None:
    config = CONFIGS[name]
    modes = (Mode.MAXIMUM, Mode.ADD, Mode.MULTIPLY)
    commands = [fields for mode in modes for fields in (vector_command(config, mode), convolution(config, 3))]
    for fields in commands:
        if fields["mode"] == Mode.MULTIPLY:
            fields["ifm2_broadcast_channels"] = 1
    bench = ComputeBench(config, commands, 3, gap)
    bench.tables //= 4  # factors have nine bits
    bench.run()
    place = 0
    for fields in bench.commands:
        tiles = bench.tiles(fields)
        drained = bench.drained[place : place + len(tiles)]
        place += len(tiles)
        if fields["mode"] == Mode.DENSE:
            for actual, expected in zip(drained, products(bench, fields), strict=True):
                np.testing.assert_array_equal(actual, expected)
            continue
        for actual, ((block,), pixels) in zip(drained, tiles, strict=True):
            for index, pixel in enumerate(pixels):
                np.testing.assert_array_equal(actual[0, index], vector(bench, fields, block, pixel))
    bench.check_cycles()


def vector(bench: ComputeBench, fields: Fields, block: int, pixel: tuple[int, int]) -> np.ndarray:
    """Eight channels."""
    brick, piece = divmod(block, bench.config.brick_pieces)
    channels = slice(8 * piece, 8 * piece + 8)
    window = bench.window(fields, pixel, brick)
    if fields["mode"] == Mode.MAXIMUM:
        return np.max(window, axis=0)[channels]
    second = bench.brick(fields, "ifm2_", *pixel, brick)
    b = second[:1].repeat(8) if fields.get("ifm2_broadcast_channels") else second[channels]
    first, other = bench.tables[0][window[0][channels] + 128], bench.tables[1][b + 128]
    return first + other if fields["mode"] == Mode.ADD else first * other


def test_the_array_works_in_every_cycle_of_whole_groups() -> None:
    """Of a command whose tiles are drained in less time than they are filled, and each a multiple of C pixels."""
    fields = {
        **convolution(SMALL, 0),
        "height": 4,
        "width": 8,
        "tile_rows": 2,
        "tile_groups": 8,
        "output_blocks": 1,
        "kernel_height": 3,
        "kernel_width": 3,
    }
    bench = ComputeBench(SMALL, [fields], 1, 0.0)
    bench.run()
    bench.check_cycles()
    steps = 9 * fields["channel_bricks"]
    assert bench.active == 2 * 16 * steps
    timing = ComputeTiming(SMALL, bench.commands[0], 0)
    first, second = timing.fill(0), timing.fill(0)
    assert second.first_read - first.first_read == 16 * steps
