"""BytePacker: the pieces' bytes stand one after the other in the strobed lanes of the beats."""

import random
from typing import Any

import pytest

from celosia.hdl.byte_packer import BytePacker
from tests.gateware import Gaps, convert, get, put, simulate
from tests.hdl.byte_transfers import random_transfers


def run(
    transfers: list[tuple[int, list[int]]],
    piece_gap: float,
    beat_gap: float,
    seed: int,
    beat_bytes: int = 8,
) -> None:
    component = BytePacker(beat_bytes)
    generator = random.Random(seed)
    contents = [[generator.randbytes(beat_bytes) for _ in sizes] for _, sizes in transfers]

    async def feed(ctx: Any) -> None:
        gaps = Gaps(seed, piece_gap)
        for (offset, sizes), bricks in zip(transfers, contents, strict=True):
            await ctx.tick().until(component.idle)
            ctx.set(component.offset, offset)
            ctx.set(component.start, 1)
            await ctx.tick()
            ctx.set(component.start, 0)
            for place, (size, brick) in enumerate(zip(sizes, bricks, strict=True)):
                await gaps(ctx)
                word = int.from_bytes(brick, "little")
                await put(ctx, component.i, {"data": word, "bytes": size, "last": place == len(sizes) - 1})

    async def collect(ctx: Any) -> None:
        gaps = Gaps(seed + 1, beat_gap)
        for (offset, sizes), bricks in zip(transfers, contents, strict=True):
            expected = b"".join(brick[:size] for size, brick in zip(sizes, bricks, strict=True))
            for beat in range(-(-(offset + len(expected)) // beat_bytes)):
                await gaps(ctx)
                got = await get(ctx, component.o)
                for lane in range(beat_bytes):
                    place = beat_bytes * beat + lane - offset
                    used = 0 <= place < len(expected)
                    assert got.strobe >> lane & 1 == used
                    assert not used or got.data >> 8 * lane & 0xFF == expected[place]

    simulate(component, testbenches=[feed, collect])


@pytest.mark.parametrize("offset", range(8))
@pytest.mark.parametrize("size", range(1, 9))
def test_every_alignment_and_size(offset: int, size: int) -> None:
    run([(offset, [size] * count) for count in (1, 2, 13)], 0.0, 0.0, seed=offset)


@pytest.mark.parametrize(("piece_gap", "beat_gap"), [(0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.4, 0.4)])
def test_random_sizes_and_gaps_over_several_transfers(piece_gap: float, beat_gap: float) -> None:
    generator = random.Random(21)
    run(random_transfers(generator, 12, 39), piece_gap, beat_gap, seed=22)


@pytest.mark.parametrize("beat_bytes", [2, 16, 64])
def test_beats_of_other_widths(beat_bytes: int) -> None:
    generator = random.Random(beat_bytes)
    run(random_transfers(generator, 6, 11, beat_bytes), 0.2, 0.2, seed=23, beat_bytes=beat_bytes)


def test_a_beat_that_is_no_power_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^beat_bytes must be a power of two of at least 2, not 12$"):
        BytePacker(12)


@pytest.mark.parametrize("offset", [0, 3])
def test_one_full_piece_a_cycle(offset: int) -> None:
    component = BytePacker()
    cycles = []

    async def bench(ctx: Any) -> None:
        ctx.set(component.offset, offset)
        ctx.set(component.start, 1)
        await ctx.tick()
        ctx.set(component.start, 0)
        ctx.set(component.i.payload.bytes, 8)
        ctx.set(component.i.valid, 1)
        ctx.set(component.o.ready, 1)
        for cycle in range(20):
            if ctx.get(component.o.valid):
                cycles.append(cycle)
            await ctx.tick()

    simulate(component, testbenches=[bench])
    assert cycles == list(range(1, 20))


def test_converts() -> None:
    assert "module" in convert(BytePacker())
