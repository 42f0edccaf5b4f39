"""`SystolicArray`: matrix products against NumPy, tiles that follow each other without a gap."""

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from celosia.generators.systolic.array import SystolicArray, column_latency
from celosia.generators.systolic.config import PRESETS, SystolicConfig
from tests.gateware import convert, simulate

SMALL = PRESETS["tpu-8x8"]
WIDE = replace(SMALL, columns=16)
HIGH = replace(SMALL, rows=16)


@dataclass
class Tile:
    """A weight tile and the vectors that meet it; `shift` and `start` are the cycles of their first row and vector."""

    weights: np.ndarray
    vectors: np.ndarray
    weights_unsigned: bool
    vectors_unsigned: bool
    shift: int = 0
    start: int = 0

    @property
    def sums(self) -> np.ndarray:
        return self.vectors.astype(np.int64) @ self.weights.astype(np.int64)


def random_tiles(config: SystolicConfig, seed: int, counts: list[int]) -> list[Tile]:
    """Tiles as close together as the array allows, or with random gaps for odd seeds."""
    values = np.random.default_rng(seed)
    draw = random.Random(seed)
    tiles: list[Tile] = []
    previous = free = 0
    for count in counts:
        signs = [draw.random() < 0.5 for _ in range(2)]
        low, high = zip(*((0, 256) if sign else (-128, 128) for sign in signs), strict=True)
        tile = Tile(
            values.integers(low[0], high[0], (config.rows, config.columns)),
            values.integers(low[1], high[1], (count, config.rows)),
            *signs,
        )
        gap = draw.randrange(5) if seed % 2 else 0
        tile.shift = previous + gap
        tile.start = max(tile.shift + config.rows, free) + (draw.randrange(5) if seed % 2 else 0)
        previous, free = tile.start, tile.start + count
        tiles.append(tile)
    return tiles


def run(config: SystolicConfig, tiles: list[Tile]) -> dict[int, list[int]]:
    """The sums of every cycle in which some are expected."""
    array = SystolicArray(config)
    last = tiles[-1].start + len(tiles[-1].vectors) + column_latency(config) + config.columns
    expected = {
        tile.start + place + column_latency(config) for tile in tiles for place in range(len(tile.vectors))
    }
    seen: dict[int, list[int]] = {}

    async def bench(ctx: Any) -> None:
        for cycle in range(last + 1):
            ctx.set(array.weights_valid, 0)
            ctx.set(array.switch, 0)
            for tile in tiles:
                row = cycle - tile.shift
                if 0 <= row < config.rows:
                    ctx.set(array.weights_valid, 1)
                    ctx.set(array.weights, [int(v) & 255 for v in tile.weights[row]])
                    ctx.set(array.weights_unsigned, tile.weights_unsigned)
                vector = cycle - tile.start
                if 0 <= vector < len(tile.vectors):
                    ctx.set(array.switch, vector == 0)
                    ctx.set(array.activations, [int(v) & 255 for v in tile.vectors[vector]])
                    ctx.set(array.activations_unsigned, tile.vectors_unsigned)
            sums = ctx.get(array.sums)
            for column in range(config.columns):
                if cycle - column in expected:  # each column is a cycle later than the one before
                    value = sums >> 32 * column & 0xFFFFFFFF
                    seen.setdefault(cycle - column, []).append(value - (value >> 31 << 32))
            await ctx.tick()

    simulate(array, testbenches=[bench])
    return seen


@pytest.mark.parametrize("config", [SMALL, WIDE, HIGH], ids=["8x8", "8x16", "16x8"])
@pytest.mark.parametrize("seed", range(2))
def test_products_of_tiles_of_any_length(config: SystolicConfig, seed: int) -> None:
    lengths = random.Random(seed).choices(range(1, 24), k=5)
    tiles = random_tiles(config, seed, lengths)
    seen = run(config, tiles)
    for tile in tiles:
        first = tile.start + column_latency(config)
        assert [seen[first + place] for place in range(len(tile.vectors))] == tile.sums.tolist()


def test_tiles_of_as_many_vectors_as_rows_leave_no_gap() -> None:
    tiles = random_tiles(SMALL, 0, [SMALL.rows] * 4)
    assert [tile.start for tile in tiles] == [8, 16, 24, 32]
    seen = run(SMALL, tiles)
    assert list(seen) == list(range(8 + column_latency(SMALL), 40 + column_latency(SMALL)))
    assert list(seen.values()) == np.concatenate([tile.sums for tile in tiles]).tolist()


def test_converts_with_one_multiplication_a_pe() -> None:
    assert convert(SystolicArray(SMALL)).count(" * ") == SMALL.peak_macs
