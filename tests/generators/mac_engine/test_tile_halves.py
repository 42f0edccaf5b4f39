"""`TileHalves`: two halves, filled and drained in turn."""

from typing import Any

from celosia.generators.chassis.tiles.tile_halves import TileHalves
from tests.gateware import convert, simulate


def test_two_tiles_may_be_under_way() -> None:
    halves = TileHalves()
    seen = []

    async def cycle(ctx: Any, *events: str) -> None:
        seen.append(
            (
                ctx.get(halves.free),
                ctx.get(halves.fill_half),
                ctx.get(halves.filled),
                ctx.get(halves.drain_half),
            )
        )
        for event in ("take", "leave", "hand_over", "freeing", "drained"):
            ctx.set(getattr(halves, event), event in events)
        await ctx.tick()

    async def bench(ctx: Any) -> None:
        await cycle(ctx, "take")
        await cycle(ctx, "leave")
        await cycle(ctx, "take", "leave")
        await cycle(ctx, "hand_over")
        await cycle(ctx, "freeing", "hand_over")
        await cycle(ctx, "drained")
        await cycle(ctx, "take", "freeing", "drained")
        await cycle(ctx)

    simulate(halves, testbenches=[bench])
    free_fill_filled_drain = [
        (1, 0, 0, 0),
        (1, 0, 0, 0),
        (1, 1, 0, 0),
        (0, 0, 0, 0),
        (0, 0, 1, 0),
        (1, 0, 1, 0),
        (1, 0, 1, 1),
        (1, 0, 0, 0),
    ]
    assert seen == free_fill_filled_drain


def test_converts() -> None:
    assert "endmodule" in convert(TileHalves())
