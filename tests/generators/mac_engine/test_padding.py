"""`PaddingMask`: bricks outside of the ifm."""

import random
from typing import Any

import pytest

from celosia.generators.chassis.tiles.padding import PADDING_LATENCY, PaddingMask
from tests.gateware import convert, simulate


def reference(x: int, y: int, width: int, height: int) -> list[bool]:
    return [not (0 <= y < height and 0 <= x + brick < width) for brick in range(8)]


@pytest.mark.parametrize("seed", [1])
def test_marks_what_lies_outside(seed: int) -> None:
    generator = random.Random(seed)
    edge = [(x, y, width, 3) for width in (1, 2, 7, 8, 9, 20) for x in range(-12, 24) for y in (-1, 0, 2, 3)]
    far = [
        (generator.randint(-300, 70000), generator.randint(-70000, 70000), 65535, 65535) for _ in range(50)
    ]
    mask = PaddingMask()

    async def bench(ctx: Any) -> None:
        ctx.set(mask.enable, 1)
        for case in edge + far:
            for signal, value in zip((mask.x, mask.y, mask.width, mask.height), case, strict=True):
                ctx.set(signal, value)
            await ctx.tick().repeat(PADDING_LATENCY)
            assert [bool(ctx.get(mask.padding) >> brick & 1) for brick in range(8)] == reference(*case), case
        ctx.set(mask.enable, 0)
        await ctx.tick().repeat(PADDING_LATENCY)
        assert ctx.get(mask.padding) == 0

    simulate(mask, testbenches=[bench])


def test_converts() -> None:
    assert "endmodule" in convert(PaddingMask())
