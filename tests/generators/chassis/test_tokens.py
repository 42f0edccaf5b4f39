"""TokenCounters: what is given is there from the next cycle on, once, for the named receiver only."""

import random
from typing import Any

import pytest

from celosia.generators.chassis.command import Verb
from celosia.generators.chassis.tokens import TokenCounters
from tests.gateware import convert, simulate


@pytest.mark.parametrize("seed", range(3))
def test_counts_like_a_table_of_pairs(seed: int) -> None:
    counters = TokenCounters()
    model = {(giver, receiver): 0 for giver in Verb for receiver in Verb if giver is not receiver}
    rng = random.Random(seed)

    async def bench(ctx: Any) -> None:
        for cycle in range(300):
            signals = {giver: rng.randrange(32) if rng.random() < 0.3 else 0 for giver in Verb}
            for receiver in Verb:
                port = counters.verbs[receiver]
                wait = [rng.randrange(4) for _ in Verb]
                ctx.set(counters.given[receiver], signals[receiver])
                ctx.set(port.wait, wait)
                missing = ctx.get(port.missing)
                expected = sum(
                    1 << giver
                    for giver in Verb
                    if giver is not receiver and model[giver, receiver] < wait[giver]
                )
                assert missing == expected, f"seed {seed}, cycle {cycle}, {receiver.name}"
                take = missing == 0 and rng.random() < 0.5
                ctx.set(port.take, take)
                for giver in Verb:
                    if take and giver is not receiver:
                        model[giver, receiver] -= wait[giver]
            for giver, receiver in model:
                model[giver, receiver] += signals[giver] >> receiver & 1
            await ctx.tick()

    simulate(counters, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(TokenCounters())
