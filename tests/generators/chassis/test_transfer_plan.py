"""TransferPlan and RegionCheck: the right size, place and verdict, in the stated number of cycles."""

import random
from typing import Any

import pytest

from celosia.generators.chassis.region_check import RegionCheck
from celosia.generators.chassis.transfer_plan import TransferPlan, plan_cycles
from tests.gateware import convert, simulate

BASES = [0x1000, 0x20003, 0x8000_0000, 0x7]
LIMITS = [64, 0xFFFF_FFFF, 4096, 0]


def set_regions(ctx: Any, regions: Any) -> None:
    for index, (base, limit) in enumerate(zip(BASES, LIMITS, strict=True)):
        ctx.set(regions[index].base, base)
        ctx.set(regions[index].limit, limit)


def cases() -> list[dict[str, int]]:
    generator = random.Random(31)
    shapes = [
        (0, 5, 3),
        (5, 0, 3),
        (5, 3, 0),
        (1, 1, 1),
        (65535, 65535, 65535),
        (65535, 65535, 1),
        (1, 65535, 65535),
    ]
    shapes += [
        (2, 32768, 65535),
        (1, 1, 64),
        (1, 1, 65),
        (8, 8, 1),
        (4096, 1, 1),
        (32768, 32768, 4),
        (2, 4, 8),
    ]
    shapes += [
        tuple(generator.randrange(1 << generator.randrange(1, 17)) for _ in range(3)) for _ in range(80)
    ]
    return [
        {
            "rows": rows,
            "width": width,
            "channels": channels,
            "region": generator.randrange(4),
            "offset": generator.choice([0, 1, 5, 63, 4095, 0xFFFF_FFFF, generator.randrange(1 << 32)]),
        }
        for rows, width, channels in shapes
    ]


def test_plan_equals_arithmetic() -> None:
    component = TransferPlan(32)

    async def bench(ctx: Any) -> None:
        set_regions(ctx, component.regions)
        for case in cases():
            for name, value in case.items():
                ctx.set(component.command[name], value)
            ctx.set(component.start, 1)
            await ctx.tick()
            ctx.set(component.start, 0)
            cycles = 1
            while not ctx.get(component.done):
                await ctx.tick()
                cycles += 1
            size = case["rows"] * case["width"] * case["channels"]
            address = (BASES[case["region"]] + case["offset"]) % (1 << 32)
            assert cycles == plan_cycles(case["rows"], case["channels"]), case
            assert ctx.get(component.out_of_range) == (case["offset"] + size > LIMITS[case["region"]]), case
            assert ctx.get(component.empty) == (size == 0), case
            assert ctx.get(component.address) == address
            if size < 1 << 32:
                assert ctx.get(component.beats) == (size + address % 8 + 7) // 8, case
            await ctx.tick()

    simulate(component, testbenches=[bench])


@pytest.mark.parametrize(
    ("region", "offset", "size", "refused"),
    [(0, 0, 64, 0), (0, 1, 64, 1), (0, 64, 0, 0), (1, 0xFFFF_FFFF, 1, 1), (2, 4095, 1, 0), (3, 0, 1, 1)],
)
def test_check_allows_up_to_the_limit(region: int, offset: int, size: int, refused: int) -> None:
    component = RegionCheck(32)

    async def bench(ctx: Any) -> None:
        set_regions(ctx, component.regions)
        ctx.set(component.region, region)
        ctx.set(component.offset, offset)
        ctx.set(component.size, size)
        await ctx.tick().repeat(2)
        assert ctx.get(component.out_of_range) == refused

    simulate(component, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(TransferPlan(40))
    assert "module" in convert(RegionCheck(32))
