"""BurstSplitter: legal bursts that cover a transfer exactly."""

import random
from typing import Any

import pytest

from celosia.hdl.burst_splitter import BurstSplitter, split
from tests.gateware import Gaps, convert, get, put, simulate


def splitter(burst_beats: int = 16) -> BurstSplitter:
    return BurstSplitter(address_bits=32, data_bits=64, count_bits=20, burst_beats=burst_beats)


def transfers(seed: int) -> list[tuple[int, int]]:
    generator = random.Random(seed)
    near_boundary = [
        (4096 * page - 8 * back, beats) for page, back, beats in ((1, 1, 2), (2, 3, 40), (3, 0, 1))
    ]
    return near_boundary + [(generator.randrange(1 << 20), generator.randrange(0, 120)) for _ in range(60)]


@pytest.mark.parametrize("burst_beats", [2, 16, 256])
@pytest.mark.parametrize("pause", [0.0, 0.7])
def test_bursts_equal_the_model(burst_beats: int, pause: float) -> None:
    component = splitter(burst_beats)
    work = transfers(burst_beats)
    expected = [burst for address, beats in work for burst in split(address, beats, burst_beats)]
    received = []

    async def source(ctx: Any) -> None:
        for address, beats in work:
            await put(ctx, component.transfer, {"address": address, "beats": beats})

    async def sink(ctx: Any) -> None:
        gaps = Gaps(3, pause)
        for _ in expected:
            await gaps(ctx)
            burst = await get(ctx, component.burst)
            received.append((burst.address, burst.length + 1))

    simulate(component, testbenches=[source, sink])
    assert received == expected


@pytest.mark.parametrize("burst_beats", [2, 8, 64, 256])
def test_the_model_covers_the_transfer_with_legal_bursts(burst_beats: int) -> None:
    for address, beats in transfers(5):
        place = address & ~7
        for start, count in split(address, beats, burst_beats):
            assert start == place
            assert 1 <= count <= burst_beats
            assert start // 4096 == (start + 8 * count - 1) // 4096
            place += 8 * count
        assert place == (address & ~7) + 8 * beats


def test_first_burst_after_three_cycles_then_one_every_two() -> None:
    component = splitter()
    offered = []

    async def bench(ctx: Any) -> None:
        ctx.set(component.transfer.payload, {"address": 8, "beats": 60})
        ctx.set(component.transfer.valid, 1)
        ctx.set(component.burst.ready, 1)
        await ctx.tick()
        ctx.set(component.transfer.valid, 0)
        for cycle in range(1, 12):
            if ctx.get(component.burst.valid):
                offered.append(cycle)
            await ctx.tick()
        assert ctx.get(component.idle)

    simulate(component, testbenches=[bench])
    assert offered == [3, 5, 7, 9]


def test_stop_keeps_what_is_offered_and_drops_the_rest() -> None:
    component = splitter()

    async def bench(ctx: Any) -> None:
        await put(ctx, component.transfer, {"address": 0, "beats": 60})
        assert not ctx.get(component.idle)
        await ctx.tick().repeat(6)
        ctx.set(component.stop, 1)
        await ctx.tick().repeat(3)
        assert not ctx.get(component.idle)
        assert (await get(ctx, component.burst)).length == 15
        await ctx.tick().repeat(4)
        assert ctx.get(component.idle)
        await put(ctx, component.transfer, {"address": 0, "beats": 4})
        await ctx.tick().repeat(4)
        assert ctx.get(component.idle)
        ctx.set(component.stop, 0)
        await put(ctx, component.transfer, {"address": 64, "beats": 4})
        assert (await get(ctx, component.burst)).address == 64

    simulate(component, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(splitter())


@pytest.mark.parametrize("burst_beats", [1, 24, 512])
def test_refuses_a_burst_length(burst_beats: int) -> None:
    with pytest.raises(ValueError, match=rf"burst_beats must be a power of two in 2..256, not {burst_beats}"):
        splitter(burst_beats)
