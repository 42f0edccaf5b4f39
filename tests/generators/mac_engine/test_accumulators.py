"""`Accumulators`: sums and maxima in two halves, one visit a cycle, the same address every other cycle."""

import random
from typing import Any

import pytest

from celosia.generators.mac_engine.accumulators import Accumulators
from tests.gateware import convert, simulate

from .compute_model import wrap

OUTPUTS = 2


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("maximum", [0, 1])
def test_accumulates_while_the_other_half_is_read(seed: int, maximum: int) -> None:
    generator = random.Random(seed)
    unit = Accumulators(OUTPUTS)
    kept: dict[tuple[int, int], list[int]] = {}
    visits = []
    for n in range(160):
        half = n // 40 % 2
        address = generator.choice([a for a in range(16) if not visits or a != visits[-1][1]])
        limit = 128 if maximum else 1 << 31
        visits.append((half, address, [generator.randint(-limit, limit - 1) for _ in range(OUTPUTS)]))
    observed, expected = [], []

    async def bench(ctx: Any) -> None:
        ctx.set(unit.maximum, maximum)
        totals: list[int] = [0] * OUTPUTS
        asked: list[list[int] | None] = [None, None]
        for n, (half, address, values) in enumerate(visits):
            if n % 40 == 0:  # a new tile
                for place in [place for place in kept if place[0] == half]:
                    del kept[place]
            first = (half, address) not in kept
            old = [0] * OUTPUTS if first else kept[half, address]
            pairs = list(zip(old, values, strict=True))
            kept[half, address] = [
                wrap(a + b) if not maximum else b if first else max(a, b) for a, b in pairs
            ]
            ctx.set(unit.visit, {"valid": 1, "first": first, "half": half, "address": address})
            ctx.set(unit.totals, totals)
            totals = values
            other = [place for place in kept if place[0] != half]
            if other and n % 40 >= 3:  # the last visits there have arrived
                place = generator.choice(other)
                ctx.set(unit.drain_half, place[0])
                ctx.set(unit.drain_address, place[1])
                asked.append(kept[place])
            else:
                asked.append(None)
            if (values_asked := asked.pop(0)) is not None:
                expected.append(values_asked)
                observed.append(list(ctx.get(unit.values)))
            await ctx.tick()

    simulate(unit, testbenches=[bench])
    assert len(observed) > 100
    assert observed == expected


def test_converts() -> None:
    assert "endmodule" in convert(Accumulators(8))
