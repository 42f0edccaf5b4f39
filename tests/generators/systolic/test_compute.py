"""`ComputeUnit`: convolutions and maxima against NumPy, in the predicted cycles, however weights and drains come."""

import random
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from celosia.generators.chassis.tiles.commands import Mode
from celosia.generators.chassis.tiles.planes import passes_of, places_of
from celosia.generators.systolic.compute import ComputeUnit
from celosia.generators.systolic.compute_timing import ComputeTiming
from celosia.generators.systolic.config import PRESETS, SystolicConfig
from celosia.hdl.wide_brick_buffer import BRICK_READ_LATENCY
from tests.gateware import simulate

SMALL = replace(PRESETS["tpu-8x8"], accumulators=16, weight_tiles=4, burst_beats=16)
CONFIGS = {
    "8x8": SMALL,
    "16x8": replace(SMALL, rows=16),
    "8x16": replace(SMALL, columns=16),
}
NO_RING = {"ifm_ring_end": 0x1FFFF, "ifm2_ring_end": 0x1FFFF}
PAD = -3


class Bench:
    """One COMPUTE on the unit, with memory, weights and drains around it.

    `weight_gap` and `drain_gap` are the chances that no beat comes and that nothing is drained in a cycle.
    """

    def __init__(self, config: SystolicConfig, fields: dict[str, int], seed: int, gap: float) -> None:
        self.config = config
        self.fields = {"stride_y": 1, "stride_x": 1, "dilation_y": 1, "dilation_x": 1, **NO_RING, **fields}
        self.fields |= {"taps": 1, "window": 1, "accumulate": 0, "pixel_cores_log2": 0}
        values = np.random.default_rng(seed)
        self.draw, self.gap = random.Random(seed), gap
        self.memory = values.integers(-128, 128, (1024, config.rows))
        self.weights = values.integers(
            -128, 128, (self._tiles() * self._steps(), config.rows, config.columns)
        )
        self.arrivals: deque[int] = deque()
        self.freeing: list[int] = []
        self.drained: list[np.ndarray] = []
        self.ready = -1
        self.plane = 0
        """Bricks from those that a command names to those that `brick` gives."""

    def _tiles(self) -> int:
        return len(self.places())

    def _steps(self) -> int:
        if self.fields["mode"] != Mode.DENSE:
            return 0
        steps = self.fields["kernel_height"] * self.fields["kernel_width"] * self.fields["channel_bricks"]
        return steps * len(passes_of(self.fields))

    def places(self) -> list[tuple[int, list[tuple[int, int]]]]:
        """First block and pixels (y, x) of every tile, in order."""
        f = self.fields
        tiles = []
        for block in range(0, f["output_blocks"], 1 << f["block_cores_log2"]):
            for top in range(0, f["height"], f["tile_rows"]):
                for left in range(0, f["width"], f["tile_groups"]):
                    rows = range(top, min(top + f["tile_rows"], f["height"]))
                    columns = range(left, min(left + f["tile_groups"], f["width"]))
                    tiles.append((block, [(y, x) for y in rows for x in columns]))
        return tiles

    def brick(self, prefix: str, y: int, x: int, brick: int) -> np.ndarray:
        f = self.fields
        if prefix == "ifm_" and not (0 <= y < f["ifm_height"] and 0 <= x < f["ifm_width"]):
            return np.full(self.config.rows, PAD)
        place = f[f"{prefix}row"] + y * f[f"{prefix}row_pitch"] + brick * f[f"{prefix}channel_pitch"] + x
        return self.memory[(place + self.plane) % len(self.memory)]

    def run(self) -> None:
        """Run it; what was drained and when is in the attributes."""
        unit = ComputeUnit(self.config)

        async def bench(ctx: Any) -> None:
            await self._bench(ctx, unit)

        simulate(unit, testbenches=[bench])

    async def _bench(self, ctx: Any, unit: ComputeUnit) -> None:
        config, fields = self.config, self.fields
        for name, value in fields.items():
            ctx.set(unit.command.payload[name], int(value))
        ctx.set(unit.command.payload.pad_value, PAD)
        beats = deque(
            int.from_bytes((row & 255).astype(np.uint8).tobytes(), "little") >> low & (1 << 64) - 1
            for row in self.weights.reshape(-1, config.columns)
            for low in range(0, 8 * config.columns, config.weight_bits)
        )
        room, sent = config.fifo_beats, 0
        reads: deque[int | None] = deque([None] * BRICK_READ_LATENCY)
        shapes = [
            (
                min(1 << fields["block_cores_log2"], fields["output_blocks"] - block),
                len(pixels) * places_of(fields),
            )
            for block, pixels in self.places()
        ]
        asked: deque[tuple[int, int] | None] = deque([None] * 3)
        answers: list[list[int]] = []
        place = 0
        cycle = 0
        while len(answers) < sum(blocks * pixels for blocks, pixels in shapes) or self.ready < 0:
            ctx.set(unit.command.valid, self.ready < 0)
            comes = bool(beats) and room > 0 and self.draw.random() >= self.gap
            ctx.set(unit.weights.beats.valid, comes)
            if comes:
                ctx.set(unit.weights.beats.payload, beats.popleft())
                room -= 1
                sent += 1
                if sent % config.row_beats == 0:
                    self.arrivals.append(cycle + 1)
            room += config.row_beats * ctx.get(unit.weights.freed)
            reads.append(ctx.get(unit.brick_address) if ctx.get(unit.brick_enable) else None)
            address = reads.popleft()
            if address is not None:
                word = (self.memory[address % len(self.memory)] & 255).astype(np.uint8).tobytes()
                ctx.set(unit.brick, int.from_bytes(word, "little"))
            arrived = asked.popleft()
            if arrived is not None:
                answers.append([int(value) for value in ctx.get(unit.accumulators.values)])
            drains = ctx.get(unit.accumulators.filled) and self.draw.random() >= self.gap
            ctx.set(unit.accumulators.drained, 0)
            ctx.set(unit.accumulators.freeing, 0)
            if drains:
                blocks, pixels = shapes[len(self.freeing)]
                core, pixel = divmod(place, pixels)
                ctx.set(unit.accumulators.core, core)
                ctx.set(unit.accumulators.address, pixel)
                asked.append((core, pixel))
                place += 1
                if place == blocks * pixels:
                    place = 0
                    ctx.set(unit.accumulators.drained, 1)
                    ctx.set(unit.accumulators.freeing, 1)
                    self.freeing.append(cycle)
            else:
                asked.append(None)
            if ctx.get(unit.command.ready):
                self.ready = cycle
            await ctx.tick()
            cycle += 1
        start = 0
        for blocks, pixels in shapes:
            count = blocks * pixels
            self.drained.append(np.array(answers[start : start + count]).reshape(blocks, pixels, 8))
            start += count

    def check_cycles(self) -> None:
        """The command is taken in the predicted cycle."""
        timing = ComputeTiming(self.config, self.fields, 0, lambda cycle: None)
        rows = deque(self.arrivals)
        filled = -1
        while timing.tile < timing.tiles:
            free = [0, 0, *(cycle + 1 for cycle in self.freeing)][timing.tile]
            step = timing.advance(rows, free)
            assert step is not None
            filled = step.filled
        assert self.ready == filled
        assert not rows


def convolution(config: SystolicConfig, seed: int) -> dict[str, int]:
    """A random DENSE command."""
    draw = random.Random(seed)
    bricks, width, height = draw.randint(1, 2), draw.randint(1, 6), draw.randint(1, 4)
    kernel = draw.choice([(1, 1), (2, 3), (3, 1)])
    groups = draw.randint(1, width)
    return {
        "mode": Mode.DENSE,
        "block_cores_log2": config.cores.bit_length() - 1,
        "height": height,
        "width": width,
        "tile_rows": draw.randint(1, max(1, config.accumulators // groups)),
        "tile_groups": groups,
        "output_blocks": draw.randint(1, 2 * config.cores),
        "kernel_height": kernel[0],
        "kernel_width": kernel[1],
        "stride_y": draw.randint(1, 3),
        "stride_x": draw.randint(1, 2),
        "ifm_row": 17,
        "ifm_row_pitch": 40,
        "ifm_channel_pitch": 20,
        "ifm_height": draw.randint(3, 12),
        "ifm_width": draw.randint(4, 12),
        "y_origin": 0,
        "x_origin": -draw.randint(0, 1),
        "channel_bricks": bricks,
    }


def cases() -> list[Any]:
    """Few at once, all of them slowly."""
    every = [(name, seed, gap) for name in CONFIGS for seed in range(3) for gap in (0.0, 0.5)]
    quick = {("8x8", 0, 0.5), ("16x8", 2, 0.5), ("8x16", 0, 0.0)}
    return [pytest.param(*case, marks=() if case in quick else pytest.mark.slow) for case in every]


@pytest.mark.parametrize(("name", "seed", "gap"), cases())
def test_convolutions(name: str, seed: int, gap: float) -> None:
    config = CONFIGS[name]
    bench = Bench(config, convolution(config, seed), seed, gap)
    bench.run()
    f, steps = bench.fields, bench._steps()
    for number, ((_, pixels), drained) in enumerate(zip(bench.places(), bench.drained, strict=True)):
        weights = bench.weights[number * steps : (number + 1) * steps]
        for index, (y, x) in enumerate(pixels):
            windows = [
                bench.brick("ifm_", y * f["stride_y"] + ky, x * f["stride_x"] + f["x_origin"] + kx, brick)
                for ky in range(f["kernel_height"])
                for kx in range(f["kernel_width"])
                for brick in range(f["channel_bricks"])
            ]
            sums = sum(window @ tile for window, tile in zip(windows, weights, strict=True))
            expected = np.array(sums).reshape(-1, 8)[: len(drained)]
            np.testing.assert_array_equal(drained[:, index], expected)
    bench.check_cycles()


def int16_cases() -> list[Any]:
    """The bytes of either operand, or of both; the slow ones with pauses and with wider arrays."""
    splits = [(1, 0), (0, 1), (1, 1)]
    every = [(name, split, gap) for name in CONFIGS for split in splits for gap in (0.0, 0.5)]
    return [
        pytest.param(
            *case, marks=() if case[0] == "8x8" and (case[2] > 0) == (case[1] == (1, 1)) else pytest.mark.slow
        )
        for case in every
    ]


@pytest.mark.parametrize(("name", "split", "gap"), int16_cases())
def test_the_bytes_of_int16_have_accumulators_of_their_own(
    name: str, split: tuple[int, int], gap: float
) -> None:
    """One for each weight of a product of bytes, in neighbouring places; low bytes are unsigned, padding's too."""
    config = replace(CONFIGS[name], int16=True)
    fields = convolution(config, sum(split)) | {"ifm_int16": split[0], "weights_int16": split[1]}
    fields |= {"tile_rows": 1, "tile_groups": 2, "ifm_plane_pitch": 333 * split[0]}
    bench = Bench(config, fields, 7, gap)
    bench.run()
    f, steps, places = bench.fields, bench._steps(), 1 + sum(split)
    for number, ((_, pixels), drained) in enumerate(zip(bench.places(), bench.drained, strict=True)):
        weights = iter(bench.weights[number * steps : (number + 1) * steps])
        expected = np.zeros((places, len(pixels), config.columns), np.int64)
        for ky, kx, brick in np.ndindex(f["kernel_height"], f["kernel_width"], f["channel_bricks"]):
            for ifm_low, weights_low in np.ndindex(1 + split[0], 1 + split[1]):
                tile = next(weights) & 255 if weights_low else next(weights)
                bench.plane = 333 * ifm_low
                for index, (y, x) in enumerate(pixels):
                    where = y * f["stride_y"] + ky, x * f["stride_x"] + f["x_origin"] + kx, brick
                    values = bench.brick("ifm_", *where)
                    expected[ifm_low + weights_low, index] += (values & 255 if ifm_low else values) @ tile
        assert abs(expected).max() < 1 << 31
        for place in range(places):
            rows = expected[place].reshape(len(pixels), -1, 8)[:, : len(drained)]
            np.testing.assert_array_equal(drained[:, place::places], rows.transpose(1, 0, 2))
    bench.check_cycles()


def test_tiles_of_weights_follow_each_other_without_a_gap() -> None:
    """As many pixels as rows: a step takes R cycles, and the array multiplies in each of them."""
    fields = {
        **convolution(SMALL, 0),
        "height": 1,
        "width": 8,
        "tile_rows": 1,
        "tile_groups": 8,
        "output_blocks": 1,
        "kernel_height": 3,
        "kernel_width": 3,
        "channel_bricks": 2,
    }
    bench = Bench(SMALL, fields, 1, 0.0)
    bench.run()
    bench.check_cycles()
    first = ComputeTiming(SMALL, bench.fields, 0, lambda cycle: None)
    rows = deque(bench.arrivals)
    starts = []
    for _ in range(18):
        step = first.advance(rows, 0)
        assert step is not None
        starts.append(step.first_read)
    assert np.diff(starts).tolist() == [SMALL.rows] * 17


@pytest.mark.parametrize(("name", "gap"), [("8x8", 0.0), ("16x8", 0.6)])
def test_maxima_of_eight_channels_at_a_time(name: str, gap: float) -> None:
    config = CONFIGS[name]
    fields = {
        **convolution(config, 5),
        "mode": Mode.MAXIMUM,
        "block_cores_log2": 0,
        "output_blocks": 2 * config.brick_pieces,
        "blocks_per_brick": config.brick_pieces,
        "channel_bricks": 1,
        "kernel_height": 2,
        "kernel_width": 2,
    }
    bench = Bench(config, fields, 3, gap)
    bench.run()
    f = bench.fields
    for (block, pixels), drained in zip(bench.places(), bench.drained, strict=True):
        brick, piece = divmod(block, config.brick_pieces)
        for index, (y, x) in enumerate(pixels):
            window = [
                bench.brick("ifm_", y * f["stride_y"] + ky, x * f["stride_x"] + f["x_origin"] + kx, brick)
                for ky in range(2)
                for kx in range(2)
            ]
            expected = np.max(window, axis=0)[8 * piece : 8 * piece + 8]
            np.testing.assert_array_equal(drained[0, index], expected)
    bench.check_cycles()
