"""What the array makes of a matrix product, by the exact model: the bars that it is built to."""

from collections import deque
from dataclasses import replace
from fractions import Fraction

import pytest

from celosia.generators.chassis.tiles.commands import Mode
from celosia.generators.systolic.compute_timing import ComputeTiming
from celosia.generators.systolic.config import PRESETS, SystolicConfig


def product_cycles(config: SystolicConfig, rows: int, depth: int, columns: int, rate: Fraction) -> int:
    """Cycles of rows x depth x columns from buffer to accumulators, with `rate` bytes of weights a cycle."""
    steps, groups = -(-depth // config.rows), -(-columns // config.columns)
    height = min(rows, config.accumulators)
    fields = {
        "mode": Mode.DENSE,
        "accumulate": 0,
        "kernel_width": 1,
        "kernel_height": 1,
        "taps": 1,
        "channel_bricks": steps,
        "height": rows,
        "width": 1,
        "tile_rows": height,
        "tile_groups": 1,
        "output_blocks": groups * config.cores,
        "pixel_cores_log2": 0,
        "block_cores_log2": config.cores.bit_length() - 1,
    }
    taken: list[int] = []
    timing = ComputeTiming(config, fields, 0, taken.append)
    total = -(-rows // height) * groups * steps * config.rows
    places = config.weight_tiles * config.rows
    arrivals: deque[int] = deque()
    last, sent, filled = Fraction(0), 0, 0
    while timing.tile < timing.tiles:
        while sent < min(total, len(taken) + places):
            free = taken[sent - places] if sent >= places else 0
            last = max(last, Fraction(free)) + config.columns / rate
            arrivals.append(-(-last.numerator // last.denominator))
            sent += 1
        step = timing.advance(arrivals, 0)
        assert step is not None
        filled = step.filled
    return filled


def bar(config: SystolicConfig, rows: int, depth: int, columns: int) -> int:
    tiles = -(-depth // config.rows) * -(-columns // config.columns)
    return tiles * max(rows, config.rows) + 3 * (config.rows + config.columns) + 64


def serialised(config: SystolicConfig, rows: int, depth: int, columns: int) -> int:
    """SCALE-Sim's weight-stationary formula, where loading weights is not hidden."""
    tiles = -(-depth // config.rows) * -(-columns // config.columns)
    return tiles * (rows + 2 * config.rows + config.columns - 2) - 1


SHAPES = [(34, 128, 128), (64, 256, 256), (100, 70, 90), (512, 512, 512), (1000, 128, 128), (2048, 256, 64)]


@pytest.mark.parametrize(("preset", "rate"), [("tpu-8x8", 8), ("tpu-16x16", 16), ("tpu-32x32", 32)])
@pytest.mark.parametrize("shape", SHAPES)
def test_weights_hide_behind_products(preset: str, rate: int, shape: tuple[int, int, int]) -> None:
    config = PRESETS[preset]
    cycles = product_cycles(config, *shape, Fraction(rate))
    assert cycles <= bar(config, *shape)
    assert cycles < serialised(config, *shape)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[0] >= 64])
def test_sixteen_bytes_a_cycle_are_enough_for_32x32_from_64_rows_on(shape: tuple[int, int, int]) -> None:
    config = PRESETS["tpu-32x32"]
    assert product_cycles(config, *shape, Fraction(16)) <= bar(config, *shape)


@pytest.mark.parametrize("preset", ["tpu-8x8", "tpu-16x16", "tpu-32x32"])
def test_long_products_multiply_in_99_of_100_cycles(preset: str) -> None:
    config = PRESETS[preset]
    cycles = product_cycles(config, 2048, 256, 256, Fraction(16))
    assert 2048 * 256 * 256 >= 0.99 * cycles * config.peak_macs


def test_a_larger_array_takes_longer() -> None:
    """The published surprise: what 256 x 256 stream in 12,144 cycles, 512 x 512 do not."""
    rate, shape = Fraction("48.57"), (200, 600, 600)
    large = PRESETS["tpu-256x256"]
    streaming = 9 * large.peak_macs / rate
    assert abs(streaming - 12144) <= 0.005 * 12144
    cycles = product_cycles(large, *shape, rate)
    assert streaming < cycles <= 13400
    assert product_cycles(replace(large, rows=512, columns=512), *shape, rate) > cycles
