"""`Core`: products, trees and accumulators of one core, at its latencies."""

from typing import Any

import numpy as np
import pytest

from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.core import ACCUMULATE_LATENCY, Core
from tests.gateware import convert, simulate

READ_LATENCY = 2


def word(values: np.ndarray) -> int:
    return int.from_bytes(values.astype(np.int8).tobytes(), "little")


async def load(ctx: Any, core: Core, weights: np.ndarray) -> None:
    for part, two in enumerate(weights.reshape(-1, 16)):
        ctx.set(core.weights, word(two))
        ctx.set(core.weights_enable, 1 << part)
        await ctx.tick()
    ctx.set(core.weights_enable, 0)


@pytest.mark.parametrize("preset", ["u55-32", "u55-64"])
@pytest.mark.parametrize("odd_block", [0, 1])
@pytest.mark.parametrize("dilated", [0, 1])
@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("offset", [0, 1])
def test_one_window(preset: str, offset: int, transposed: int, dilated: int, odd_block: int) -> None:
    core = Core(PRESETS[preset])
    outputs = PRESETS[preset].core_outputs
    values = np.random.default_rng(1)
    weights = values.integers(-128, 128, (outputs, 8))
    weights[:, 3:] *= 1 - transposed  # taps two apart end at the window's last brick
    window = values.integers(-128, 128, (8, 8))
    results: list[int] = []

    async def bench(ctx: Any) -> None:
        ctx.set(core.offset, offset)
        ctx.set(core.transposed, transposed)
        ctx.set(core.dilated, dilated)
        await load(ctx, core, weights)
        ctx.set(core.window, [word(brick) for brick in window])
        ctx.set(
            core.slot, {"accumulate": 1, "first": 1, "new_weights": 1, "address": 5, "odd_block": odd_block}
        )
        ctx.set(core.drain_address, 5)
        await ctx.tick()
        ctx.set(core.slot, {})
        await load(ctx, core, np.zeros((outputs, 8)))  # not used before the next `new_weights`
        await ctx.tick().repeat(ACCUMULATE_LATENCY + READ_LATENCY)
        results.extend(ctx.get(core.values))

    simulate(core, testbenches=[bench])
    first = outputs * odd_block if outputs < 8 else 0
    taps = [window[min(7, offset + lane * (1 + dilated))] for lane in range(8)]
    for output, result in enumerate(results):
        lanes = [taps[lane][first + output] for lane in range(8)] if transposed else window[offset]
        assert result == int(np.dot(lanes, weights[output]))


@pytest.mark.parametrize("dilated", [0, 1])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_kernel_columns_of_a_shallow_ifm_share_the_lanes(channels: int, dilated: int) -> None:
    core = Core(PRESETS["u55-64"])
    values = np.random.default_rng(channels)
    taps = min(8 // channels, 4)
    weights = values.integers(-128, 128, (8, 8))
    weights[:, taps * channels :] = 0
    window = values.integers(-128, 128, (8, 8))
    results: list[int] = []

    async def bench(ctx: Any) -> None:
        ctx.set(core.packed_channels, channels)
        ctx.set(core.dilated, dilated)
        await load(ctx, core, weights)
        ctx.set(core.window, [word(brick) for brick in window])
        ctx.set(core.slot, {"accumulate": 1, "first": 1, "new_weights": 1, "address": 5})
        ctx.set(core.drain_address, 5)
        await ctx.tick()
        ctx.set(core.slot, {})
        await ctx.tick().repeat(ACCUMULATE_LATENCY + READ_LATENCY)
        results.extend(ctx.get(core.values))

    simulate(core, testbenches=[bench])
    lanes = [window[tap * (1 + dilated)][channel] for tap in range(taps) for channel in range(channels)]
    assert results == [int(np.dot(lanes, weights[output, : len(lanes)])) for output in range(8)]


def test_the_largest_sum_of_products_fits() -> None:
    core = Core(PRESETS["u55-64"])
    results: list[int] = []

    async def bench(ctx: Any) -> None:
        await load(ctx, core, np.full((8, 8), -128))
        ctx.set(core.window, [word(np.full(8, -128))] * 8)
        ctx.set(core.slot, {"accumulate": 1, "first": 1, "new_weights": 1})
        await ctx.tick()
        ctx.set(core.slot, {})
        await ctx.tick().repeat(ACCUMULATE_LATENCY + READ_LATENCY)
        results.extend(ctx.get(core.values))

    simulate(core, testbenches=[bench])
    assert results == [8 * 128 * 128] * 8


def test_converts() -> None:
    assert convert(Core(PRESETS["u55-64"])).count(" * ") == 64
