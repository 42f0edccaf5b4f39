"""`WideBrickBuffer`: against a dictionary of pieces, all ports at once."""

import random
from typing import Any

import pytest

from celosia.hdl.wide_brick_buffer import BRICK_READ_LATENCY, WideBrickBuffer
from tests.gateware import convert, simulate

BRICKS = 64


@pytest.mark.parametrize(("pieces", "together"), [(1, 1), (4, 1), (4, 2), (4, 4)])
def test_every_port_sees_what_was_written(pieces: int, together: int) -> None:
    """One half is written by ACTIVATE and LOAD, the other read by COMPUTE and STORE; then the halves change."""
    buffer = WideBrickBuffer(BRICKS, pieces, together)
    draw = random.Random(pieces)
    content: dict[int, int] = {}
    stored: list[tuple[int, int]] = []
    read: list[tuple[int, int]] = []

    async def bench(ctx: Any) -> None:
        reads: list[tuple[int, int]] = []
        asked: list[int] = []
        load: tuple[int, int] | None = None
        for cycle in range(600):
            half = cycle // 100 % 2
            quiet = cycle % 100 < 8  # what was written two cycles ago may be read
            writes = range(half * BRICKS // 2 * pieces, (half + 1) * BRICKS // 2 * pieces)
            other = [place for place in content if place not in writes]
            by_activate = draw.random() < 0.5 and cycle < 500
            ctx.set(buffer.activate_enable, by_activate)
            if by_activate:
                group = draw.choice(writes) // together
                values = {group * together + n: draw.getrandbits(64) for n in range(together)}
                if load is not None and load[0] in values:
                    values[load[0]] = load[1]
                ctx.set(buffer.activate_write.address, group)
                packed = sum(value << 64 * n for n, value in enumerate(values.values()))
                ctx.set(buffer.activate_write.data, packed)
                content.update(values)
            if load is None and draw.random() < 0.7 and cycle < 500 and cycle % 100 < 80:
                load = draw.choice(writes), draw.getrandbits(64)
                if load[0] in content:
                    load = None
            ctx.set(buffer.load_write.valid, load is not None)
            if load is not None:
                ctx.set(buffer.load_write.payload.address, load[0])
                ctx.set(buffer.load_write.payload.data, load[1])
            whole = [
                place // pieces
                for place in other
                if all(place // pieces * pieces + n in content for n in range(pieces))
            ]
            reading = bool(whole) and not quiet and draw.random() < 0.5
            ctx.set(buffer.read_enable, reading)
            if reading:
                brick = draw.choice(whole)
                ctx.set(buffer.read_address, brick)
                value = sum(content[brick * pieces + n] << 64 * n for n in range(pieces))
                reads.append((cycle + BRICK_READ_LATENCY, value))
            if reads and reads[0][0] == cycle:
                read.append((ctx.get(buffer.read_data), reads.pop(0)[1]))
            asks = bool(other) and not quiet and draw.random() < 0.6
            ctx.set(buffer.store_request.valid, asks)
            wanted = draw.choice(other) if asks else 0
            ctx.set(buffer.store_request.payload, wanted)
            ctx.set(buffer.store_response.ready, draw.random() < 0.7)
            if asks and ctx.get(buffer.store_request.ready):
                asked.append(content[wanted])
            if ctx.get(buffer.store_response.valid) and ctx.get(buffer.store_response.ready):
                stored.append((ctx.get(buffer.store_response.payload), asked.pop(0)))
            if load is not None and ctx.get(buffer.load_write.ready):
                content[load[0]] = load[1]
                load = None
            await ctx.tick()

    simulate(buffer, testbenches=[bench])
    assert len(read) > 100
    assert len(stored) > 100
    assert [value for value, _ in read] == [value for _, value in read]
    assert [value for value, _ in stored] == [value for _, value in stored]


@pytest.mark.parametrize(
    ("bricks", "pieces", "together", "message"),
    [
        (64, 3, 1, "pieces must be a power of two, not 3"),
        (60, 2, 1, r"bricks must be a multiple of 8 in 16..65536, not 60"),
        (64, 2, 4, r"together must be a power of two of at most 2 pieces, not 4"),
    ],
)
def test_refuses_by_name(bricks: int, pieces: int, together: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WideBrickBuffer(bricks, pieces, together)


def test_converts() -> None:
    assert "endmodule" in convert(WideBrickBuffer(BRICKS, 2))


@pytest.mark.parametrize("window", [2, 4])
def test_a_window_shows_the_lowest_bits_of_neighbours(window: int) -> None:
    """Of bricks that LOAD wrote two pieces at a time, and STORE reads likewise."""
    pieces, moved, bits = 4, 2, 48
    buffer = WideBrickBuffer(BRICKS, pieces, moved=moved, window=window, neighbour_bits=bits)
    draw = random.Random(window)
    bricks = [draw.getrandbits(64 * pieces) for _ in range(BRICKS)]

    async def bench(ctx: Any) -> None:
        for place in range(BRICKS * pieces // moved):
            brick, part = divmod(place, pieces // moved)
            ctx.set(buffer.load_write.payload.address, place)
            ctx.set(buffer.load_write.payload.data, bricks[brick] >> 128 * part & (1 << 128) - 1)
            ctx.set(buffer.load_write.valid, 1)
            assert ctx.get(buffer.load_write.ready)
            await ctx.tick()
        ctx.set(buffer.load_write.valid, 0)
        for _ in range(40):
            first, count = draw.randrange(BRICKS - window), draw.randrange(window)
            ctx.set(buffer.read_address, first)
            ctx.set(buffer.read_count, count)
            ctx.set(buffer.read_enable, 1)
            await ctx.tick()
            ctx.set(buffer.read_enable, 0)
            await ctx.tick().repeat(BRICK_READ_LATENCY - 1)
            assert ctx.get(buffer.read_data) == bricks[first]
            for tap in range(count):
                seen = ctx.get(buffer.neighbours) >> bits * tap & (1 << bits) - 1
                assert seen == bricks[first + 1 + tap] & (1 << bits) - 1
        place = draw.randrange(BRICKS * pieces // moved)
        ctx.set(buffer.store_request.payload, place)
        ctx.set(buffer.store_request.valid, 1)
        await ctx.tick()
        ctx.set(buffer.store_request.valid, 0)
        await ctx.tick().repeat(4)
        assert ctx.get(buffer.store_response.valid)
        brick, part = divmod(place, pieces // moved)
        assert ctx.get(buffer.store_response.payload) == bricks[brick] >> 128 * part & (1 << 128) - 1

    simulate(buffer, testbenches=[bench])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"moved": 3}, "moved must be a power of two of at most 4 pieces, not 3"),
        ({"window": 9}, "window must be 1..8 bricks, not 9"),
    ],
)
def test_impossible_moves_and_windows_are_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        WideBrickBuffer(BRICKS, 4, **change)
