"""`CnnArray`: sums of random groups of pixels against NumPy, drained while other groups are summed."""

from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from celosia.generators.cnn_array.array import CnnArray, brick_cycles
from celosia.generators.cnn_array.config import PRESETS, CnnArrayConfig
from celosia.generators.cnn_array.functional_unit import DRAIN_LATENCY
from tests.gateware import convert, simulate

SMALL = replace(PRESETS["catapult-8x8"], registers=4)
CONFIGS = {
    "8x8": SMALL,
    "16x8": replace(SMALL, rows=16),
    "8x16": replace(SMALL, columns=16),
    "8x8-fixed16": replace(SMALL, operand_bits=16),
    "8x8-fixed18": replace(SMALL, operand_bits=18),
}


class Bench:
    """Steps of random bricks and weights; a step begins at a multiple of C cycles after the one before."""

    def __init__(
        self, config: CnnArrayConfig, seed: int, *, extreme: bool = False, array: CnnArray | None = None
    ) -> None:
        self.config = config
        self.values = np.random.default_rng(seed)
        self.extreme = extreme
        self.array = array or CnnArray(config)
        self.sums = np.zeros((2, config.tile_pixels, config.rows), np.int64)
        self.cycles: list[dict[str, Any]] = []
        """Of each cycle from the first brick on: what the array gets."""

    def _draw(self, *shape: int) -> np.ndarray:
        limit = 1 << self.config.element_bits - 1
        return np.full(shape, -limit) if self.extreme else self.values.integers(-limit, limit, shape)

    def _packed(self, values: np.ndarray) -> int:
        bits = self.config.element_bits
        return sum((int(value) & (1 << bits) - 1) << bits * place for place, value in enumerate(values))

    def _at(self, cycle: int) -> dict[str, Any]:
        while len(self.cycles) <= cycle:
            self.cycles.append({})
        return self.cycles[cycle]

    def step(self, start: int, pixels: int, half: int, *, first: bool) -> int:
        """The cycle from which on the next step may begin."""
        lanes = self.config.columns
        bricks, weights = self._draw(pixels, lanes), self._draw(lanes, self.config.rows)
        groups = -(-pixels // lanes)
        for pixel in range(pixels):
            at = self._at(start + pixel)
            at["brick"], at["slot"] = bricks[pixel], (pixel, half, first)
        for cycle in range(groups * lanes):
            self._at(start + 1 + cycle)["weights"] = weights[cycle % lanes]
        products = bricks @ weights
        self.sums[half, :pixels] = products + (0 if first else self.sums[half, :pixels])
        return start + groups * lanes

    async def bench(self, ctx: Any) -> None:
        """Play all cycles."""
        array = self.array
        ctx.set(array.enable, 1)
        for at in (*self.cycles, *[{}] * brick_cycles(self.config.columns)):
            ctx.set(array.slot.accumulate, "slot" in at)
            if "slot" in at:
                pixel, half, first = at["slot"]
                ctx.set(array.brick, self._packed(at["brick"]))
                ctx.set(array.slot.address, pixel)
                ctx.set(array.slot.half, half)
                ctx.set(array.slot.first, first)
            ctx.set(array.weights, self._packed(at.get("weights", self._draw(self.config.rows))))
            await ctx.tick()

    async def drain(self, ctx: Any, half: int, pixels: int) -> np.ndarray:
        """All sums of a half: [pixel, row]."""
        array = self.array
        asked: deque[tuple[int, int] | None] = deque([None] * DRAIN_LATENCY)
        result = np.zeros((pixels, self.config.rows), np.int64)
        ctx.set(array.drain_half, half)
        wanted = [(pixel, core) for core in range(self.config.cores) for pixel in range(pixels)]
        for place in (*wanted, *[None] * DRAIN_LATENCY):
            if place is not None:
                ctx.set(array.drain_pixel, place[0])
                ctx.set(array.drain_core, place[1])
            answered = asked.popleft()
            if answered is not None:
                low = 8 * answered[1]
                result[answered[0], low : low + 8] = _signed(ctx.get(array.values), self.config.sum_bits)
            asked.append(place)
            await ctx.tick()
        return result


def _signed(packed: int, bits: int) -> list[int]:
    """Eight numbers in two's complement."""
    values = [packed >> bits * place & (1 << bits) - 1 for place in range(8)]
    return [value - (value >> bits - 1 << bits) for value in values]


@pytest.mark.parametrize("name", CONFIGS)
def test_partial_sums_are_those_of_numpy_in_both_halves(name: str) -> None:
    config = CONFIGS[name]
    bench = Bench(config, 1)
    cycle = 0
    pixels = (2 * config.columns + 3, config.tile_pixels)
    for half in range(2):
        for step in range(3):
            cycle = bench.step(cycle, pixels[half], half, first=step == 0)

    async def run(ctx: Any) -> None:
        await bench.bench(ctx)
        for half in range(2):
            drained = await bench.drain(ctx, half, pixels[half])
            np.testing.assert_array_equal(drained, bench.sums[half, : pixels[half]])

    simulate(bench.array, testbenches=[run])


def test_one_half_is_drained_while_the_other_is_filled() -> None:
    config = SMALL
    bench = Bench(config, 2)
    bench.step(0, config.tile_pixels, 0, first=True)
    later = Bench(config, 3, array=bench.array)
    end = later.step(0, config.tile_pixels, 1, first=True)
    later.step(end, config.tile_pixels, 1, first=False)
    ready: list[bool] = []

    async def fill(ctx: Any) -> None:
        await bench.bench(ctx)
        ready.append(True)
        await later.bench(ctx)

    async def drain(ctx: Any) -> None:
        while not ready:
            await ctx.tick()
        drained = await bench.drain(ctx, 0, config.tile_pixels)
        np.testing.assert_array_equal(drained, bench.sums[0])

    simulate(bench.array, testbenches=[fill, drain])


def test_a_pixel_that_is_not_there_leaves_its_register_alone() -> None:
    """A group of one pixel after one of C: seven columns keep what they have."""
    config = SMALL
    bench = Bench(config, 4)
    end = bench.step(0, config.columns, 0, first=True)
    bench.step(end, 1, 0, first=False)

    async def run(ctx: Any) -> None:
        await bench.bench(ctx)
        drained = await bench.drain(ctx, 0, config.columns)
        np.testing.assert_array_equal(drained, bench.sums[0, : config.columns])

    simulate(bench.array, testbenches=[run])


@pytest.mark.parametrize("name", ["8x8", "8x8-fixed16", "8x8-fixed18"])
def test_the_largest_products_are_exact(name: str) -> None:
    bench = Bench(CONFIGS[name], 5, extreme=True)
    bench.step(bench.step(0, 8, 1, first=True), 8, 1, first=False)

    async def run(ctx: Any) -> None:
        await bench.bench(ctx)
        drained = await bench.drain(ctx, 1, 8)
        assert (drained == 2 * 8 * 4 ** (CONFIGS[name].element_bits - 1)).all()

    simulate(bench.array, testbenches=[run])


def test_converts() -> None:
    assert "endmodule" in convert(CnnArray(SMALL))
