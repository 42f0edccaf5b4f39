"""PerformanceCounters: every counted cycle has one cause, counters stop at their end, snapshots are consistent."""

import random
from typing import Any

import pytest

from celosia.generators.chassis.counters import COUNTER_WORDS, Cause, PerformanceCounters
from celosia.generators.chassis.register_map import COUNTERS, OwnCounter
from tests.gateware import convert, simulate

INITIAL = 4
ENTRIES = 2
LARGEST = 0xFFFF_FFFF


async def values(ctx: Any, counters: PerformanceCounters) -> list[int]:
    return [ctx.get(counters.values[place]) for place in range(COUNTER_WORDS)]


async def profile(ctx: Any, counters: PerformanceCounters, entry: int) -> list[int]:
    words = []
    for place in range(COUNTER_WORDS):
        ctx.set(counters.profile_index, entry * COUNTER_WORDS + place)
        await ctx.tick().repeat(2)
        words.append(ctx.get(counters.profile_data))
    return words


@pytest.mark.parametrize("seed", range(3))
def test_causes_add_up_to_cycles_also_in_snapshots(seed: int) -> None:
    counters = PerformanceCounters(ENTRIES, 8, INITIAL)
    rng = random.Random(seed)
    snapshots = []

    async def bench(ctx: Any) -> None:
        ctx.set(counters.clear, 1)
        await ctx.tick()
        ctx.set(counters.clear, 0)
        model = [INITIAL, 0, 0, 0, 0, INITIAL, 0, 0]
        shown = list(model)
        for cycle in range(100):
            count = rng.random() < 0.8
            cause = rng.choice(list(Cause))
            read, written = rng.randrange(9), rng.randrange(9)
            snapshot = cycle % 30 == 20
            ctx.set(counters.count, count)
            ctx.set(counters.cause, cause)
            ctx.set(counters.bytes_read, read)
            ctx.set(counters.bytes_written, written)
            ctx.set(counters.snapshot, snapshot)
            assert await values(ctx, counters) == shown, f"seed {seed}, cycle {cycle}"
            shown = list(model)
            if snapshot:
                snapshots.append(list(model))
            model[0] += count
            model[1 + cause] += count
            model[6] += read
            model[7] += written
            await ctx.tick()
        for counted in (counters.count, counters.bytes_read, counters.bytes_written, counters.snapshot):
            ctx.set(counted, 0)
        assert sum(model[1:6]) == model[0]
        await ctx.tick()
        assert ctx.get(counters.profile_count) == len(snapshots) == ENTRIES + 1
        for entry in range(ENTRIES):
            assert await profile(ctx, counters, entry) == snapshots[entry]

    simulate(counters, testbenches=[bench])


OWN = (
    OwnCounter("SHIFT", "cycles in which weights were shifted"),
    OwnCounter("USEFUL", "products that were of use", bits=5),
    OwnCounter("REST", "cycles of rest"),
)


def test_a_family_has_more_causes_and_amounts_also_in_snapshots() -> None:
    counters = PerformanceCounters(ENTRIES, 8, INITIAL, OWN)
    places = len(COUNTERS) + len(OWN)
    rng = random.Random(1)
    model = [INITIAL, 0, 0, 0, 0, INITIAL, 0, 0, 0, 0, 0]
    place_of_cause = [1, 2, 3, 4, 5, 8, 10]
    snapshots = []

    async def bench(ctx: Any) -> None:
        ctx.set(counters.clear, 1)
        await ctx.tick()
        ctx.set(counters.clear, 0)
        for cycle in range(60):
            cause, useful = rng.randrange(len(place_of_cause)), rng.randrange(32)
            ctx.set(counters.count, 1)
            ctx.set(counters.cause, cause)
            ctx.set(counters.amounts.useful, useful)
            snapshot = cycle in (20, 40)
            ctx.set(counters.snapshot, snapshot)
            if snapshot:
                snapshots.append(list(model))
            model[0] += 1
            model[place_of_cause[cause]] += 1
            model[9] += useful
            await ctx.tick()
        for counted in (counters.count, counters.snapshot, counters.amounts.useful):
            ctx.set(counted, 0)
        await ctx.tick().repeat(2)
        assert [ctx.get(counters.values[place]) for place in range(places)] == model
        assert sum(model[place] for place in place_of_cause) == model[0]
        for entry, snapshot in enumerate(snapshots):
            for place, expected in enumerate(snapshot):
                ctx.set(counters.profile_index, entry * 16 + place)
                await ctx.tick().repeat(2)
                assert ctx.get(counters.profile_data) == expected

    simulate(counters, testbenches=[bench])


def test_counters_stop_at_their_end() -> None:
    counters = PerformanceCounters(ENTRIES, 8, LARGEST - 1)

    async def bench(ctx: Any) -> None:
        ctx.set(counters.clear, 1)
        await ctx.tick()
        ctx.set(counters.clear, 0)
        ctx.set(counters.count, 1)
        ctx.set(counters.cause, Cause.DMA)
        await ctx.tick().repeat(4)
        assert await values(ctx, counters) == [LARGEST, 0, 0, 0, 0, LARGEST, 0, 0]

    simulate(counters, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(PerformanceCounters(16, 8))
    assert "module" in convert(PerformanceCounters(16, 8, own=OWN))


def test_refuses_entries_that_are_no_power_of_two() -> None:
    with pytest.raises(ValueError, match="profile_entries must be a power of two, not 12"):
        PerformanceCounters(12, 8)
