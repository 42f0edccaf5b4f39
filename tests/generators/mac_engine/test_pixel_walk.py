"""`PixelWalk`: windows of a step in consecutive cycles, and what holds a step back."""

from collections.abc import Mapping
from typing import Any

import pytest
from amaranth.hdl import Module, Signal

from celosia.generators.chassis.tiles.compute_constants import CONSTANTS_LATENCY, ComputeConstants
from celosia.generators.chassis.tiles.pixel_walk import PixelWalk
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import COMPUTE, Mode
from tests.gateware import convert, simulate

COMMAND = {
    "pixel_cores_log2": 1, "stride_y": 2, "stride_x": 3, "ifm_row_pitch": 10, "ifm_ring_end": 0x1FFFF,
    "ifm2_row_pitch": 7, "ifm2_ring_end": 0x1FFFF,
}  # fmt: skip
STEP = {
    "row": 100, "column": 4, "y": -1, "x": -2, "ifm2_row": 50, "ifm2_column": 1, "last_row": 1, "last_group": 2,
    "first_of_tile": 1, "last_of_tile": 1, "last_of_blocks": 1, "last": 1,
}  # fmt: skip


class Walk:
    """The walk with its constants; `seen` are the windows, by cycle."""

    def __init__(self, **command: int) -> None:
        self.command = Signal(COMPUTE.struct(), init={**COMMAND, **command})
        self.unit = PixelWalk(PRESETS["u55-256"])
        self.module = m = Module()
        m.submodules.walk = self.unit
        m.submodules.constants = constants = ComputeConstants(PRESETS["u55-256"])
        m.d.comb += [
            constants.command.eq(self.command),
            self.unit.command.eq(self.command),
            self.unit.constants.eq(constants.constants),
        ]
        self.seen: dict[int, tuple[dict[str, int], dict[str, int]]] = {}
        self._cycle = 0

    async def settle(self, ctx: Any) -> None:
        """Let the constants settle; everything that holds a step back is out of the way then."""
        ctx.set(self.unit.weights_coming, 1)
        ctx.set(self.unit.half_coming, 1)
        await ctx.tick().repeat(CONSTANTS_LATENCY)

    async def cycle(self, ctx: Any, step: Mapping[str, int] | None = None) -> bool:
        """Let one cycle pass; whether `step`, if there is one, was taken in it."""
        ctx.set(self.unit.i.valid, step is not None)
        ctx.set(self.unit.i.payload, step or {})
        taken = step is not None and bool(ctx.get(self.unit.i.ready))
        if ctx.get(self.unit.reading):
            read, slot = ctx.get(self.unit.read), ctx.get(self.unit.slot)
            self.seen[self._cycle] = (
                {name: read[name] for name in ("row", "column", "x", "y")},
                {name: slot[name] for name in slot.shape().members},
            )
        await ctx.tick()
        self._cycle += 1
        return taken


def run(walk: Walk, *steps: Mapping[str, int]) -> list[tuple[dict[str, int], dict[str, int]]]:
    """Offer steps one after the other; their windows, which must come without a gap from the third cycle on."""

    async def bench(ctx: Any) -> None:
        await walk.settle(ctx)
        for step in steps:
            while not await walk.cycle(ctx, step):
                pass
        for _ in range(20):
            await walk.cycle(ctx)

    simulate(walk.module, testbenches=[bench])
    assert list(walk.seen) == list(range(2, 2 + len(walk.seen)))
    return list(walk.seen.values())


def test_walks_rows_and_groups_and_starts_the_next_step_in_the_last_cycle() -> None:
    second = {**STEP, "row": 200, "first_of_tile": 0}
    windows = run(Walk(), STEP, second)
    places = [
        {"row": first + 20 * row, "column": 4 + 6 * group, "x": -2 + 6 * group, "y": -1 + 2 * row}
        for first in (100, 200)
        for row in range(2)
        for group in range(3)
    ]
    assert [place for place, _ in windows] == places
    slots = [slot for _, slot in windows]
    assert [slot["address"] for slot in slots] == [*range(6)] * 2
    assert [slot["new_weights"] for slot in slots] == [1, 0, 0, 0, 0, 0] * 2
    assert [slot["first"] for slot in slots] == [1] * 6 + [0] * 6
    assert [slot["hand_over"] for slot in slots] == [0, 0, 0, 0, 0, 1] * 2
    assert [slot["complete"] for slot in slots] == [0, 0, 0, 0, 0, 1] * 2
    assert all(slot["accumulate"] for slot in slots)


@pytest.mark.parametrize("broadcast", [0, 1])
def test_elementwise_modes_alternate_between_the_operands(broadcast: int) -> None:
    walk = Walk(mode=Mode.ADD, pixel_cores_log2=0, stride_x=1, stride_y=1, ifm2_broadcast_x=broadcast)
    windows = run(walk, STEP)
    assert [slot["second_operand"] for _, slot in windows] == [0, 1] * 6
    assert [slot["accumulate"] for _, slot in windows] == [0, 1] * 6
    assert [slot["address"] for _, slot in windows[1::2]] == list(range(6))
    assert [(place["row"], place["column"]) for place, _ in windows[1::2]] == [
        (50 + 7 * row, 1 + (0 if broadcast else group)) for row in range(2) for group in range(3)
    ]
    assert [place["column"] for place, _ in windows[::2]] == [4, 5, 6] * 2


def test_partial_tiles_are_kept_and_continued() -> None:
    slots = [slot for _, slot in run(Walk(partial=1, accumulate=1), STEP)]
    assert not any(slot["hand_over"] or slot["first"] for slot in slots)
    assert slots[-1]["complete"]


@pytest.mark.parametrize(
    ("blocked", "step", "command", "waits"),
    [
        ("weights_coming", {}, {}, True),
        ("half_coming", {}, {}, True),
        ("half_coming", {"first_of_tile": 0}, {}, False),
        ("half_coming", {}, {"accumulate": 1}, False),
    ],
)
def test_a_step_waits_for_its_weights_and_a_tile_for_a_half(
    blocked: str, step: dict[str, int], command: dict[str, int], waits: bool
) -> None:
    walk = Walk(**command)
    starts = []

    async def bench(ctx: Any) -> None:
        await walk.settle(ctx)
        ctx.set(getattr(walk.unit, blocked), 0)
        await walk.cycle(ctx, {**STEP, **step})
        for unblocked in range(3):
            starts.append(bool(ctx.get(walk.unit.starts)))
            assert ctx.get(walk.unit.held) == (waits or not unblocked)
            ctx.set(getattr(walk.unit, blocked), unblocked)
            await walk.cycle(ctx)

    simulate(walk.module, testbenches=[bench])
    assert starts == ([False, False, True] if waits else [True, False, False])


def test_steps_of_one_window_start_in_every_second_cycle() -> None:
    walk = Walk()
    step = {**STEP, "last_row": 0, "last_group": 0}

    async def bench(ctx: Any) -> None:
        await walk.settle(ctx)
        for _ in range(8):
            await walk.cycle(ctx, step)

    simulate(walk.module, testbenches=[bench])
    assert list(walk.seen) == [2, 4, 6]


def test_converts() -> None:
    assert "endmodule" in convert(PixelWalk(PRESETS["u55-256"]))
