"""OldestCommand: the smallest index at the head of any queue."""

import random
from typing import Any

import pytest

from celosia.generators.chassis.oldest_command import OldestCommand
from tests.gateware import convert, simulate

QUEUES = 5


@pytest.mark.parametrize("seed", range(3))
def test_finds_the_smallest_index_within_two_rounds(seed: int) -> None:
    oldest = OldestCommand(QUEUES)
    rng = random.Random(seed)

    async def bench(ctx: Any) -> None:
        for _ in range(20):
            next_index = rng.randrange(1000, 2000)
            heads = [(rng.random() < 0.5, rng.randrange(1000)) for _ in range(QUEUES)]
            for port, (valid, index) in zip(oldest.heads, heads, strict=True):
                ctx.set(port, {"valid": valid, "index": index})
            ctx.set(oldest.next_index, next_index)
            await ctx.tick().repeat(2 * QUEUES + 2)
            expected = min([index for valid, index in heads if valid], default=next_index)
            assert ctx.get(oldest.index) == expected, f"seed {seed}"
            await ctx.tick().repeat(rng.randint(1, QUEUES))
            assert ctx.get(oldest.index) == expected, f"seed {seed}"

    simulate(oldest, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(OldestCommand(QUEUES))


def test_refuses_a_single_queue() -> None:
    with pytest.raises(ValueError, match="queues must be at least 2, not 1"):
        OldestCommand(1)
