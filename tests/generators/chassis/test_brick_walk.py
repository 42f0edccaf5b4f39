"""BrickWalk: the bricks of a transfer in memory order, rows in a ring."""

import random
from typing import Any

import pytest

from celosia.generators.chassis.brick_walk import BrickWalk, walk
from tests.gateware import Gaps, convert, get, simulate
from tests.generators.chassis.transfers import random_transfer


@pytest.mark.parametrize("pieces", [1, 4])
@pytest.mark.parametrize("seed", range(12))
def test_walk_equals_the_model(seed: int, pieces: int) -> None:
    component = BrickWalk(pieces)
    generator = random.Random(seed)
    commands = [random_transfer(generator) for _ in range(4)]

    async def bench(ctx: Any) -> None:
        gaps = Gaps(seed, 0.3)
        for command in commands:
            for name, value in command.items():
                ctx.set(component.command[name], value)
            await ctx.tick().repeat(2)
            ctx.set(component.start, 1)
            await ctx.tick()
            ctx.set(component.start, 0)
            places = list(walk(command, pieces))
            of_pixel = -(-command["channels"] // 8)
            for index, (address, count) in enumerate(places):
                await gaps(ctx)
                place = await get(ctx, component.o)
                piece = index % of_pixel % pieces  # in the lowest bits of the address
                assert (place.address, place.bytes) == (address * pieces + piece, count)
                assert place.last == (index == len(places) - 1)
            assert not ctx.get(component.o.valid)

    simulate(component, testbenches=[bench])


def test_model_of_a_ring_that_never_wraps() -> None:
    command = {"rows": 2, "width": 2, "channels": 9, "row": 0xFFFE, "row_pitch": 4, "channel_pitch": 2}
    command |= {"ring_end": 0x1FFFF, "ring_size": 0}
    assert list(walk(command)) == [
        (0xFFFE, 8), (0x0000, 1), (0xFFFF, 8), (0x0001, 1), (0x0002, 8), (0x0004, 1), (0x0003, 8), (0x0005, 1),
    ]  # fmt: skip


def test_model_of_bricks_of_two_pieces() -> None:
    command = {"rows": 1, "width": 2, "channels": 21, "row": 10, "row_pitch": 4, "channel_pitch": 2}
    command |= {"ring_end": 0x1FFFF, "ring_size": 0}
    assert list(walk(command, 2)) == [(10, 8), (10, 8), (12, 5), (11, 8), (11, 8), (13, 5)]


def test_refuses_pieces_that_are_no_power_of_two() -> None:
    with pytest.raises(ValueError, match="pieces must be a power of two, not 3"):
        BrickWalk(3)


def test_one_brick_a_cycle_even_when_every_row_has_one() -> None:
    component = BrickWalk()
    addresses = []

    async def bench(ctx: Any) -> None:
        fields = {
            "rows": 9,
            "width": 1,
            "channels": 5,
            "row": 4,
            "row_pitch": 3,
            "ring_end": 16,
            "ring_size": 15,
        }
        for name, value in fields.items():
            ctx.set(component.command[name], value)
        ctx.set(component.o.ready, 1)
        await ctx.tick().repeat(2)
        ctx.set(component.start, 1)
        await ctx.tick()
        ctx.set(component.start, 0)
        for _ in range(9):
            assert ctx.get(component.o.valid)
            addresses.append(ctx.get(component.o.payload.address))
            await ctx.tick()
        assert not ctx.get(component.o.valid)

    simulate(component, testbenches=[bench])
    assert addresses == [4, 7, 10, 13, 1, 4, 7, 10, 13]


def test_converts() -> None:
    assert "module" in convert(BrickWalk())
