"""`CoreArray`: cores on neighbouring pixels and output blocks, the vector unit in core 0, the drain."""

from typing import Any

import numpy as np

from celosia.generators.chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.core_array import DONE_LATENCY, CoreArray
from celosia.generators.mac_engine.isa import Mode
from tests.gateware import convert, simulate

CONFIG = PRESETS["u55-256"]


def word(values: np.ndarray) -> int:
    return int.from_bytes(values.astype(np.int8).tobytes(), "little")


async def drain(ctx: Any, array: CoreArray) -> list[list[int]]:
    results = []
    for core in range(CONFIG.cores):
        ctx.set(array.drain_core, core)
        await ctx.tick().repeat(ACCUMULATOR_READ_LATENCY)
        results.append(list(ctx.get(array.values)))
    return results


def test_two_pixels_times_two_blocks() -> None:
    array = CoreArray(CONFIG)
    values = np.random.default_rng(1)
    window = values.integers(-128, 128, (8, 8))
    weights = values.integers(-128, 128, (2, 8, 8))  # of two output blocks
    results: list[list[int]] = []

    async def bench(ctx: Any) -> None:
        ctx.set(array.command, {"mode": Mode.DENSE, "pixel_cores_log2": 1, "stride_x": 3, "dilation_x": 1})
        for part in range(CONFIG.block_words):
            for block in range(2):
                ctx.set(array.weights, word(weights[block, 2 * part : 2 * part + 2]))
                enables = [1 << part if core // 2 == block else 0 for core in range(4)]
                ctx.set(array.weights_enables, enables)
                await ctx.tick()
        ctx.set(array.weights_enables, [0] * 4)
        ctx.set(array.window, [word(brick) for brick in window])
        ctx.set(array.slot, {"accumulate": 1, "first": 1, "new_weights": 1, "complete": 1})
        await ctx.tick()
        ctx.set(array.slot, {})
        await ctx.tick().repeat(DONE_LATENCY - 1)
        assert ctx.get(array.done).complete
        await ctx.tick()
        results.extend(await drain(ctx, array))

    simulate(array, testbenches=[bench])
    for core, result in enumerate(results):
        assert result == (weights[core // 2] @ window[core % 2 * 3]).tolist()


def test_core_0_accumulates_what_the_vector_unit_computes() -> None:
    array = CoreArray(CONFIG)
    results: list[list[int]] = []

    async def bench(ctx: Any) -> None:
        ctx.set(array.command, {"mode": Mode.ADD, "stride_x": 1, "dilation_x": 1})
        ctx.set(array.constants.two_operands, 1)
        ctx.set(array.table_writes.valid, 1)
        for beat, data in ((64, 1000), (192, 20)):  # entries of value 0 in either table
            ctx.set(array.table_writes.payload, {"destination": 2, "address": beat, "data": data})
            await ctx.tick()
        ctx.set(array.table_writes.valid, 0)
        await ctx.tick()
        ctx.set(array.slot, {"accumulate": 1, "first": 1, "second_operand": 1})
        await ctx.tick()
        ctx.set(array.slot, {})
        await ctx.tick().repeat(DONE_LATENCY)
        results.extend(await drain(ctx, array))

    simulate(array, testbenches=[bench])
    assert results[0] == [1020] * 8


def test_converts() -> None:
    assert convert(CoreArray(PRESETS["u55-64"])).count(" * ") == 64 + 8
