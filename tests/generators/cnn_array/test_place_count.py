"""`PlaceCount`: quotient and remainder of a number that stays, grows by one or is 0 again."""

import random
from typing import Any

import pytest

from celosia.generators.cnn_array.place_count import PlaceCount
from tests.gateware import convert, simulate


@pytest.mark.parametrize(("length", "numbers"), [(5, 40), (13, 65), (61, 976)])
def test_it_divides(length: int, numbers: int) -> None:
    count, draw = PlaceCount(length, numbers), random.Random(length)

    async def bench(ctx: Any) -> None:
        number = 0
        for _ in range(3 * numbers):
            ctx.set(count.number, number)
            assert (ctx.get(count.line), ctx.get(count.place)) == divmod(number, length)
            await ctx.tick()
            step = draw.random()
            if step < 0.9:
                number = number + 1 if number + 1 < numbers else 0
            elif step < 0.91:
                number = 0

    simulate(count, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(PlaceCount(61, 976))
