"""`BrickBuffer`: eight neighbours a cycle, and who waits for whom."""

import random
from typing import Any

import pytest

from celosia.hdl.brick_buffer import BANKS, GATHER_LATENCY, BrickBuffer
from tests.gateware import Gaps, convert, get, put, simulate

BRICKS = 64


async def fill(ctx: Any, buffer: BrickBuffer, words: list[int]) -> None:
    for address, word in enumerate(words):
        await put(ctx, buffer.load_write, {"address": address, "data": word})
    await ctx.tick()


def random_words(generator: random.Random) -> list[int]:
    return [generator.getrandbits(64) for _ in range(BRICKS)]


@pytest.mark.parametrize("seed", [1])
def test_gathers_neighbours_every_cycle_after_a_fixed_latency(seed: int) -> None:
    generator = random.Random(seed)
    words = random_words(generator)
    buffer = BrickBuffer(BRICKS)
    reads = [(address, generator.randint(1, 8)) for address in (*range(BRICKS - 8), 3, 62, 63)]
    answers = []

    async def bench(ctx: Any) -> None:
        await fill(ctx, buffer, words)
        for cycle in range(len(reads) + GATHER_LATENCY):
            if cycle >= GATHER_LATENCY:
                answers.append([ctx.get(buffer.gather.bricks[n]) for n in range(BANKS)])
            if cycle < len(reads):
                ctx.set(buffer.gather.enable, 1)
                ctx.set(buffer.gather.address, reads[cycle][0])
                ctx.set(buffer.gather.count, reads[cycle][1])
            else:
                ctx.set(buffer.gather.enable, 0)
            await ctx.tick()

    simulate(buffer, testbenches=[bench])
    for (address, count), bricks in zip(reads, answers, strict=True):
        inside = min(count, BRICKS - address)
        assert bricks[:inside] == words[address : address + inside]


@pytest.mark.parametrize(("first", "count"), [(0, 8), (5, 3), (7, 2), (6, 1)])
def test_store_waits_only_while_its_own_bank_is_gathered(first: int, count: int) -> None:
    buffer = BrickBuffer(BRICKS)
    ready = []

    async def bench(ctx: Any) -> None:
        ctx.set(buffer.gather.enable, 1)
        ctx.set(buffer.gather.address, first)
        ctx.set(buffer.gather.count, count)
        await ctx.tick()
        for bank in range(BANKS):
            ctx.set(buffer.store_request.payload, 16 + bank)
            ready.append(ctx.get(buffer.store_request.ready))

    simulate(buffer, testbenches=[bench])
    taken = {(first + n) % BANKS for n in range(count)}
    assert ready == [bank not in taken for bank in range(BANKS)]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("ask", "take", "gather"), [(0, 0, 0), (0.3, 0.3, 0.5), (0, 0.8, 0), (0.8, 0, 0.9)])
def test_store_is_answered_in_order_whatever_the_gaps(
    seed: int, ask: float, take: float, gather: float
) -> None:
    generator = random.Random(seed)
    words = random_words(generator)
    addresses = [generator.randrange(BRICKS) for _ in range(60)]
    buffer = BrickBuffer(BRICKS)
    answers = []
    filled = []

    async def ask_store(ctx: Any) -> None:
        await fill(ctx, buffer, words)
        filled.append(True)
        gaps = Gaps(seed, ask)
        for address in addresses:
            await gaps(ctx)
            await put(ctx, buffer.store_request, address)

    async def take_answers(ctx: Any) -> None:
        gaps = Gaps(seed + 1, take)
        for _ in addresses:
            await gaps(ctx)
            answers.append(await get(ctx, buffer.store_response))

    async def disturb(ctx: Any) -> None:
        other = random.Random(seed + 2)
        while True:
            ctx.set(buffer.gather.enable, other.random() < gather)
            ctx.set(buffer.gather.address, other.randrange(BRICKS))
            ctx.set(buffer.gather.count, other.randint(1, 8))
            await ctx.tick()

    simulate(buffer, disturb, testbenches=[ask_store, take_answers])
    assert answers == [words[address] for address in addresses]


def test_store_reads_one_brick_a_cycle() -> None:
    buffer = BrickBuffer(BRICKS)
    cycles = []

    async def ask(ctx: Any) -> None:
        for address in range(40):
            await put(ctx, buffer.store_request, address)

    async def take(ctx: Any) -> None:
        start = 0
        for number in range(40):
            ctx.set(buffer.store_response.ready, 1)
            while not ctx.get(buffer.store_response.valid):
                await ctx.tick()
                start += 1
            cycles.append(start - number)
            await ctx.tick()
            start += 1

    simulate(buffer, testbenches=[ask, take])
    assert set(cycles) == {4}


@pytest.mark.parametrize("seed", [1])
def test_activate_never_waits_and_load_waits_for_it_in_the_same_bank_only(seed: int) -> None:
    generator = random.Random(seed)
    words = random_words(generator)
    expected = list(words)
    buffer = BrickBuffer(BRICKS)
    loads = [(32 + generator.randrange(32), generator.getrandbits(64)) for _ in range(60)]
    waits = []

    async def activate(ctx: Any) -> None:
        await fill(ctx, buffer, words)
        for _ in range(80):
            address, word, halves = (
                generator.randrange(32),
                generator.getrandbits(64),
                generator.choice([0, 1, 2, 3]),
            )
            port = buffer.activate_write
            ctx.set(port.enable, 1)
            ctx.set(port.address, address)
            ctx.set(port.data, word)
            ctx.set(port.halves, halves)
            mask = (0xFFFFFFFF if halves & 1 else 0) | (0xFFFFFFFF << 32 if halves & 2 else 0)
            expected[address] = (expected[address] & ~mask) | (word & mask)
            await ctx.tick()
            if loads:  # the write of the cycle before now meets the loads
                load, data = loads[-1]
                ctx.set(buffer.load_write.payload, {"address": load, "data": data})
                ctx.set(buffer.load_write.valid, 1)
                ready = ctx.get(buffer.load_write.ready)
                waits.append((ready, load % BANKS == address % BANKS))
                if ready:
                    expected[load] = data
                    loads.pop()
            else:
                ctx.set(buffer.load_write.valid, 0)
        ctx.set(buffer.activate_write.enable, 0)
        ctx.set(buffer.load_write.valid, 0)
        await ctx.tick().repeat(2)
        for address in range(BRICKS):
            await put(ctx, buffer.store_request, address)
            assert await get(ctx, buffer.store_response) == expected[address]

    simulate(buffer, testbenches=[activate])
    assert all(ready != same_bank for ready, same_bank in waits)
    assert any(same_bank for _, same_bank in waits)


@pytest.mark.parametrize(
    ("bricks", "error", "message"),
    [
        (60, ValueError, "bricks must be a multiple of 8 in 16..65536, not 60"),
        (8, ValueError, "not 8"),
        (1 << 17, ValueError, "not 131072"),
        (64.0, TypeError, "bricks must be an int, not 64.0"),
    ],
)
def test_refuses_impossible_capacities(bricks: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        BrickBuffer(bricks)


def test_converts_to_eight_memories() -> None:
    text = convert(BrickBuffer(BRICKS))
    assert all(f"reg [63:0] bank_{bank} [{BRICKS // BANKS - 1}:0];" in text for bank in range(BANKS))
