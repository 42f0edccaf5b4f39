"""ByteUnpacker: the pieces, put together again, are the bytes of the beats."""

import random
from typing import Any

import pytest

from celosia.hdl.byte_unpacker import ByteUnpacker
from tests.gateware import Gaps, convert, get, put, simulate
from tests.hdl.byte_transfers import random_transfers


def run(
    transfers: list[tuple[int, list[int]]],
    beat_gap: float,
    piece_gap: float,
    seed: int,
    beat_bytes: int = 8,
) -> None:
    component = ByteUnpacker(8, beat_bytes)
    generator = random.Random(seed)
    streams = [
        generator.randbytes(beat_bytes * -(-(offset + sum(sizes)) // beat_bytes))
        for offset, sizes in transfers
    ]
    received: list[list[bytes]] = []
    started: list[int] = []

    async def feed(ctx: Any) -> None:
        gaps = Gaps(seed, beat_gap)
        for index, content in enumerate(streams):
            while len(started) <= index:
                await ctx.tick()
            for first in range(0, len(content), beat_bytes):
                await gaps(ctx)
                await put(ctx, component.i, int.from_bytes(content[first : first + beat_bytes], "little"))

    async def cut(ctx: Any) -> None:
        for offset, sizes in transfers:
            ctx.set(component.offset, offset)
            ctx.set(component.start, 1)
            await ctx.tick()
            ctx.set(component.start, 0)
            started.append(offset)
            for tag, size in enumerate(sizes):
                await put(ctx, component.request, {"bytes": size, "tag": tag % 256})
            while len(received) < len(started):  # a start drops what waits
                await ctx.tick()

    async def collect(ctx: Any) -> None:
        gaps = Gaps(seed + 1, piece_gap)
        for _, sizes in transfers:
            pieces = []
            for tag, size in enumerate(sizes):
                await gaps(ctx)
                piece = await get(ctx, component.o)
                assert piece.tag == tag % 256
                assert piece.data >> 8 * size == 0, "lanes above the piece are zero"
                pieces.append(piece.data.to_bytes(beat_bytes, "little")[:size])
            received.append(pieces)

    simulate(component, testbenches=[feed, cut, collect])
    for (offset, sizes), content, pieces in zip(transfers, streams, received, strict=True):
        assert b"".join(pieces) == content[offset : offset + sum(sizes)]


@pytest.mark.parametrize("offset", range(8))
@pytest.mark.parametrize("size", range(1, 9))
def test_every_alignment_and_size(offset: int, size: int) -> None:
    run([(offset, [size] * 20)], 0.0, 0.0, seed=offset)


@pytest.mark.parametrize(("beat_gap", "piece_gap"), [(0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.4, 0.4)])
def test_random_sizes_and_gaps_over_several_transfers(beat_gap: float, piece_gap: float) -> None:
    generator = random.Random(11)
    run(random_transfers(generator, 12, 39), beat_gap, piece_gap, seed=12)


@pytest.mark.parametrize("beat_bytes", [2, 16, 64])
def test_beats_of_other_widths(beat_bytes: int) -> None:
    generator = random.Random(beat_bytes)
    run(random_transfers(generator, 6, 11, beat_bytes), 0.2, 0.2, seed=13, beat_bytes=beat_bytes)


def test_a_beat_that_is_no_power_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^beat_bytes must be a power of two of at least 2, not 12$"):
        ByteUnpacker(8, 12)


@pytest.mark.parametrize("offset", [0, 5])
def test_one_full_piece_a_cycle(offset: int) -> None:
    component = ByteUnpacker(1)
    cycles = []

    async def bench(ctx: Any) -> None:
        ctx.set(component.offset, offset)
        ctx.set(component.start, 1)
        await ctx.tick()
        ctx.set(component.start, 0)
        for stream in (component.i, component.request):
            ctx.set(stream.valid, 1)
        ctx.set(component.request.payload.bytes, 8)
        ctx.set(component.o.ready, 1)
        for cycle in range(30):
            if ctx.get(component.o.valid):
                cycles.append(cycle)
            await ctx.tick()

    simulate(component, testbenches=[bench])
    assert cycles == list(range(3, 30))


def test_converts() -> None:
    assert "module" in convert(ByteUnpacker(17))
