"""`TileWalk` and `StepWalk`: the loop nest, in order, at their rates."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring

from celosia.generators.chassis.tiles.compute_constants import CONSTANTS_LATENCY, ComputeConstants
from celosia.generators.chassis.tiles.step_walk import STEP_WALK_CYCLES, StepWalk, step_layout
from celosia.generators.chassis.tiles.tile_walk import TILE_WALK_CYCLES, TileWalk, tile_layout
from celosia.generators.mac_engine.config import PRESETS, MacEngineConfig
from celosia.generators.mac_engine.isa import COMPUTE, Mode
from tests.gateware import Gaps, convert, get, simulate

from . import walk_model
from .compute_model import random_command


class Walkers:
    """The walkers behind each other, as in `ComputeUnit`."""

    def __init__(self, config: MacEngineConfig) -> None:
        self.module = m = Module()
        self.command = Signal(COMPUTE.struct())
        m.submodules.constants = constants = ComputeConstants(config)
        m.submodules.tile_walk = self.tile_walk = TileWalk(config)
        m.submodules.step_walk = self.step_walk = StepWalk(config)
        m.d.comb += constants.command.eq(self.command)
        for walk in (self.tile_walk, self.step_walk):
            m.d.comb += [walk.command.eq(self.command), walk.constants.eq(constants.constants)]
        wiring.connect(m, self.tile_walk.o, self.step_walk.i)

    async def start(self, ctx: Any, fields: dict[str, int]) -> None:
        ctx.set(self.command, fields)
        await ctx.tick().repeat(CONSTANTS_LATENCY - 1)
        ctx.set(self.tile_walk.start, 1)
        await ctx.tick()
        ctx.set(self.tile_walk.start, 0)


@pytest.mark.parametrize("gaps", [0, 0.7])
@pytest.mark.parametrize("seed", [1, 2])
def test_steps_come_in_the_order_of_the_loop_nest(seed: int, gaps: float) -> None:
    config = PRESETS["u55-256"]
    generator = random.Random(seed)
    walkers = Walkers(config)

    async def bench(ctx: Any) -> None:
        pause = Gaps(seed, gaps)
        for _ in range(8):
            fields = random_command(config, generator, generator.choice(list(Mode)))
            await walkers.start(ctx, fields)
            for expected in walk_model.steps(fields):
                await pause(ctx)
                step = await get(ctx, walkers.step_walk.o)
                assert {name: step[name] for name in expected} == expected, fields
            await ctx.tick().repeat(4)
            assert not ctx.get(walkers.step_walk.o.valid)
            assert not ctx.get(walkers.step_walk.busy)

    simulate(walkers.module, testbenches=[bench])


@pytest.mark.parametrize("seed", [1])
def test_a_step_is_ready_two_cycles_after_the_one_before_even_across_tiles(seed: int) -> None:
    config = PRESETS["u55-64"]
    generator = random.Random(seed)
    walkers = Walkers(config)
    fields = random_command(config, generator, Mode.DENSE, height=6, width=6, tile_rows=1, tile_groups=1)
    cycles = []

    async def bench(ctx: Any) -> None:
        await walkers.start(ctx, fields)
        ctx.set(walkers.step_walk.o.ready, 1)
        cycle = 1  # the one after `start`
        for _ in walk_model.steps(fields):
            while not ctx.get(walkers.step_walk.o.valid):
                await ctx.tick()
                cycle += 1
            cycles.append(cycle)
            await ctx.tick()
            cycle += 1

    simulate(walkers.module, testbenches=[bench])
    first = TILE_WALK_CYCLES + STEP_WALK_CYCLES
    assert cycles == [first + STEP_WALK_CYCLES * n for n in range(len(cycles))]


@pytest.mark.parametrize(("walk", "layout"), [(TileWalk, tile_layout), (StepWalk, step_layout)])
def test_converts(walk: type[TileWalk] | type[StepWalk], layout: Callable[[MacEngineConfig], object]) -> None:
    config = PRESETS["u55-128"]
    unit = walk(config)
    assert unit.o.payload.shape() == layout(config)
    assert "endmodule" in convert(unit)
