"""`LoopSequencer`: when the first window is read, and why there is none."""

import random
from typing import Any

import pytest

from celosia.generators.chassis.counters import Cause
from celosia.generators.chassis.tiles.loop_sequencer import SETUP_CYCLES, LoopSequencer
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import Mode
from celosia.generators.mac_engine.weight_loader import WeightLoader
from tests.gateware import convert, simulate

from .compute_model import Fields, random_command

CONFIG = PRESETS["u55-64"]


def one_pixel(mode: Mode, **fields: int) -> Fields:
    """A command of two tiles of one pixel, with as many steps as `kernel_width`."""
    extents = {"height": 1, "width": 2, "tile_rows": 1, "tile_groups": 1, "output_blocks": 1}
    kernel = {"kernel_height": 1, "kernel_width": 1, "channel_bricks": 1}
    return random_command(CONFIG, random.Random(1), mode, **extents, **(kernel | fields))


def run(fields: Fields, cycles: int, half_free: int = 1) -> list[tuple[Cause, bool, bool]]:
    """Of every cycle from `start` on: its cause, and whether a tile starts or ends in it."""
    sequencer = LoopSequencer(CONFIG, WeightLoader(CONFIG))
    seen = []

    async def bench(ctx: Any) -> None:
        ctx.set(sequencer.command, fields)
        ctx.set(sequencer.half_free, half_free)
        for cycle in range(cycles):
            ctx.set(sequencer.start, cycle == 0)
            seen.append(
                (
                    Cause(ctx.get(sequencer.cause)),
                    bool(ctx.get(sequencer.tile_starts)),
                    bool(ctx.get(sequencer.tile_ends)),
                )
            )
            await ctx.tick()

    simulate(sequencer, testbenches=[bench])
    return seen


def test_the_first_window_is_read_a_cycle_after_the_set_up() -> None:
    causes = [cause for cause, _, _ in run(one_pixel(Mode.MAXIMUM), SETUP_CYCLES + 6)]
    active = [cycle for cycle, cause in enumerate(causes) if cause is Cause.ACTIVE]
    assert active == [SETUP_CYCLES + 1, SETUP_CYCLES + 3]
    assert set(causes) == {Cause.ACTIVE, Cause.DMA}


def test_steps_shorter_than_their_weights_wait_for_them() -> None:
    fields = one_pixel(Mode.DENSE, kernel_width=3)
    fields |= {"channel_bricks": 1}
    causes = [cause for cause, _, _ in run(fields, SETUP_CYCLES + 12)]
    step = [Cause.ACTIVE] + [Cause.WEIGHTS] * (CONFIG.block_words - 1)
    assert causes[SETUP_CYCLES + 1 :] == (step * 3)[: len(causes) - SETUP_CYCLES - 1]


def test_a_tile_waits_for_a_half() -> None:
    causes = [cause for cause, _, _ in run(one_pixel(Mode.MAXIMUM), SETUP_CYCLES + 6, half_free=0)]
    assert causes[SETUP_CYCLES + 1 :] == [Cause.OFM] * 5


@pytest.mark.parametrize(
    ("flags", "starts", "ends"), [({}, 2, 2), ({"accumulate": 1}, 0, 2), ({"partial": 1}, 2, 0)]
)
def test_tells_when_tiles_take_and_leave_a_half(flags: dict[str, int], starts: int, ends: int) -> None:
    seen = run({**one_pixel(Mode.MAXIMUM), **flags}, SETUP_CYCLES + 6)
    assert (sum(start for _, start, _ in seen), sum(end for _, _, end in seen)) == (starts, ends)


def test_converts() -> None:
    assert "endmodule" in convert(LoopSequencer(CONFIG, WeightLoader(CONFIG)))
