"""`WeightFeed`: words reach the cores of their output block, in step with the windows."""

from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import Destination
from celosia.generators.mac_engine.weight_feed import WeightFeed
from celosia.generators.mac_engine.weight_store import WeightStore
from celosia.generators.mac_engine.window_reader import WINDOW_LATENCY
from tests.gateware import convert, simulate

CONFIG = PRESETS["u55-256"]


async def feed_one(ctx: Any, feed: WeightFeed, **read: int) -> tuple[int, list[int]]:
    """The word and the enables that come of one read."""
    ctx.set(feed.read, read)
    await ctx.tick()
    ctx.set(feed.read, {})
    await ctx.tick().repeat(WINDOW_LATENCY - 1)
    return ctx.get(feed.word), list(ctx.get(feed.enables))


@pytest.mark.parametrize(
    ("pixel_cores_log2", "block", "cores"),
    [(0, 2, [2]), (1, 0, [0, 1]), (1, 1, [2, 3]), (2, 0, [0, 1, 2, 3])],
)
def test_a_word_goes_to_the_cores_of_its_block(pixel_cores_log2: int, block: int, cores: list[int]) -> None:
    feed, store = WeightFeed(CONFIG), WeightStore(CONFIG)
    m = Module()
    m.submodules += [feed, store]
    wiring.connect(m, feed.weights, store.reads)
    results = []

    async def bench(ctx: Any) -> None:
        ctx.set(store.writes.valid, 1)
        for beat, word in ((10, 111), (11, 222)):
            ctx.set(
                store.writes.payload,
                {"destination": Destination.WEIGHT_STORE, "address": beat, "data": word},
            )
            await ctx.tick()
        ctx.set(store.writes.valid, 0)
        ctx.set(feed.command.pixel_cores_log2, pixel_cores_log2)
        await ctx.tick()
        results.append(await feed_one(ctx, feed, reading=1, address=5, block=block, part=3))

    simulate(m, testbenches=[bench])
    assert results == [(111 | 222 << 64, [1 << 3 if core in cores else 0 for core in range(4)])]


def test_ones_go_to_every_part_of_every_core() -> None:
    feed = WeightFeed(CONFIG)
    results = []

    async def bench(ctx: Any) -> None:
        results.append(await feed_one(ctx, feed, ones=1))

    simulate(feed, testbenches=[bench])
    assert results == [(1 | 1 << 64, [0b1111] * 4)]


def test_converts() -> None:
    assert "endmodule" in convert(WeightFeed(CONFIG))
