"""`BitWindow`: two cuts of a stream of bits, wherever it is moved to."""

import random
from typing import Any

import pytest

from celosia.generators.mac_engine.bit_window import LARGEST_ADVANCE, BitWindow
from tests.gateware import simulate

NEAR, FAR, BEATS = 32, 145, 40


@pytest.mark.parametrize("seed", [1, 2])
def test_cuts_are_the_bits_from_the_place_moved_to(seed: int) -> None:
    """Beats come when they like; every move takes what is there, and tells how far off the other cut is."""
    draw = random.Random(seed)
    stream = [draw.getrandbits(64) for _ in range(BEATS)]
    bits = sum(beat << 64 * place for place, beat in enumerate(stream))
    window = BitWindow(NEAR, FAR)

    async def feed(ctx: Any) -> None:
        for beat in stream:
            while draw.random() < 0.3:
                await ctx.tick()
            ctx.set(window.beats.payload, beat)
            ctx.set(window.beats.valid, 1)
            taken = False
            while not taken:
                _, _, taken = await ctx.tick().sample(window.beats.ready)
            ctx.set(window.beats.valid, 0)

    async def check(ctx: Any) -> None:
        place = distance = length = 0
        moves = 0
        while place + NEAR + FAR < 64 * BEATS:
            next_length, following = draw.choice([0, 1, 5, 16, 100, 146, 193]), draw.randrange(NEAR + 1)
            level = ctx.get(window.level)
            assert ctx.get(window.enough) == (level >= length)
            if level >= NEAR:
                near = ctx.get(window.near) >> ctx.get(window.near_rest)
                assert near % (1 << NEAR) == (bits >> place) % (1 << NEAR)
            if level >= distance + FAR:
                far = ctx.get(window.far) >> ctx.get(window.far_rest)
                assert far % (1 << FAR) == (bits >> place + distance) % (1 << FAR)
            take = level >= length and draw.random() < 0.8
            ctx.set(window.take, take)
            part = draw.randrange(next_length + 1)
            ctx.set(window.next_length, part)
            ctx.set(window.next_length_rest, next_length - part)
            ctx.set(window.distance, following)
            await ctx.tick()
            if take:
                place, distance, moves = place + length, following, moves + 1
                length = next_length
        assert moves > 10

    simulate(window, feed, testbenches=[check])


@pytest.mark.parametrize(("near", "far", "name"), [(0, 1, "near_bits"), (1, LARGEST_ADVANCE + 1, "far_bits")])
def test_a_cut_that_does_not_fit_is_refused(near: int, far: int, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be in 1..{LARGEST_ADVANCE}"):
        BitWindow(near, far)
