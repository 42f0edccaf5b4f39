"""`ring_pointer`: a prepared step gives the pointer that docs/architecture.md defines."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module, Signal

from celosia.generators.chassis.tiles.ring_pointer import RING_STEP, advance, prepare_step
from tests.gateware import simulate


def reference(pointer: int, bricks: int, ring_end: int, ring_size: int) -> int:
    following = pointer + bricks
    return (following - ring_size if following >= ring_end else following) % (1 << 16)


def cases(generator: random.Random) -> list[tuple[int, int, int, int]]:
    rings = []
    for _ in range(60):
        size = generator.randint(1, 1 << 16)
        end = generator.randint(size, 1 << 16)
        step = generator.choice([0, 1, size, generator.randint(0, size)])
        rings.append((generator.randrange(end - size, end), step, end, size))
    lines = [(generator.getrandbits(16), generator.getrandbits(16), 0x1FFFF, 0) for _ in range(40)]
    return [*rings, *lines, (0xFFFF, 0xFFFF, 0x1FFFF, 0), (0, 1 << 16, 1 << 16, 1 << 16)]


@pytest.mark.parametrize("seed", [1])
def test_advances_as_the_architecture_says(seed: int) -> None:
    pointer, bricks = Signal(16), Signal(17)
    ring_end, ring_size = Signal(17), Signal(17)
    step, following = Signal(RING_STEP), Signal(16)
    m = Module()
    prepare_step(m, step, bricks, ring_end, ring_size)
    m.d.comb += following.eq(advance(pointer, step))

    async def bench(ctx: Any) -> None:
        for values in cases(random.Random(seed)):
            for signal, value in zip((pointer, bricks, ring_end, ring_size), values, strict=True):
                ctx.set(signal, value)
            await ctx.tick()
            assert ctx.get(following) == reference(*values), values

    simulate(m, testbenches=[bench])
