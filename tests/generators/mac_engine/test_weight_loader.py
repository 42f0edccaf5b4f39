"""`WeightLoader`: which words it reads, and when."""

from typing import Any

import pytest
from amaranth.hdl import Module

from celosia.generators.chassis.tiles.compute_constants import ComputeConstants
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import Mode
from celosia.generators.mac_engine.weight_loader import WeightLoader
from tests.gateware import convert, simulate

CONFIG = PRESETS["u55-256"]
WORDS = CONFIG.weight_words
BLOCK = CONFIG.block_words


class Loader:
    """The loader with its constants, and what it read: (cycle, address, block, part)."""

    def __init__(self, mode: Mode, blocks_log2: int, address: int) -> None:
        self.unit = WeightLoader(CONFIG)
        self.reads: list[tuple[int, int, int, int]] = []
        self.ready: list[bool] = []
        self.reads_weights = mode in (Mode.DENSE, Mode.DEPTHWISE)
        self.coming = self.interrupted = False  # by a start or a step, in the cycle before
        self.ones: list[bool] = []
        self.module = m = Module()
        m.submodules.loader = self.unit
        m.submodules.constants = constants = ComputeConstants(CONFIG)
        for port in (constants.command, self.unit.command):
            m.d.comb += [
                port.mode.eq(mode),
                port.block_cores_log2.eq(blocks_log2),
                port.weight_address.eq(address),
            ]
        m.d.comb += self.unit.constants.eq(constants.constants)

    async def cycle(self, ctx: Any, start: int = 0, taken: int = 0, **ends: int) -> None:
        """Let one cycle pass, with these inputs."""
        ctx.set(self.unit.start, start)
        ctx.set(self.unit.step_taken, taken)
        for name in ("tile", "blocks"):
            ctx.set(getattr(self.unit, f"step_ends_{name}"), ends.get(name, 0))
        ctx.set(self.unit.step_is_last, ends.get("last", 0))
        read = ctx.get(self.unit.read)
        if read.reading:
            self.reads.append((len(self.ready), read.address, read.block, read.part))
        ready = bool(ctx.get(self.unit.ready))
        assert ready == (self.coming and not self.interrupted)
        self.coming, self.interrupted = (
            bool(ctx.get(self.unit.coming)),
            bool(start or (taken and self.reads_weights)),
        )
        self.ready.append(ready)
        self.ones.append(bool(read.ones))
        await ctx.tick()


def test_steps_taken_at_once_are_read_without_a_pause_and_wrap_at_the_end_of_the_store() -> None:
    loader = Loader(Mode.DENSE, 1, WORDS - 3)

    async def bench(ctx: Any) -> None:
        await loader.cycle(ctx, start=1)
        for step in range(3):
            for _ in range(2 * BLOCK - 1):
                await loader.cycle(ctx)
            await loader.cycle(ctx, taken=1, last=int(step == 2))
        for _ in range(5):
            await loader.cycle(ctx)

    simulate(loader.module, testbenches=[bench])
    assert loader.reads == [
        (1 + n, (WORDS - 3 + n) % WORDS, n // BLOCK % 2, n % BLOCK) for n in range(3 * 2 * BLOCK)
    ]
    assert [cycle for cycle, ready in enumerate(loader.ready) if ready] == [8, 16, 24]


@pytest.mark.parametrize("late", [0, 5])
def test_a_tile_begins_where_its_block_group_does(late: int) -> None:
    loader = Loader(Mode.DEPTHWISE, 0, 100)
    ends = [{}, {"tile": 1}, {}, {"tile": 1, "blocks": 1}, {}, {"tile": 1}, {"tile": 1}, {"last": 1}]

    async def bench(ctx: Any) -> None:
        await loader.cycle(ctx, start=1)
        for end in ends:
            for _ in range(BLOCK - 1 + late):
                await loader.cycle(ctx)
            await loader.cycle(ctx, taken=1, **end)
        await loader.cycle(ctx)

    simulate(loader.module, testbenches=[bench])
    firsts = [address for _, address, _, part in loader.reads if part == 0]
    assert firsts == [100, 104, 100, 104, 108, 112, 108, 108]


def test_modes_without_weights_load_ones_once() -> None:
    loader = Loader(Mode.MAXIMUM, 0, 0)

    async def bench(ctx: Any) -> None:
        await loader.cycle(ctx, start=1)
        for _ in range(4):
            await loader.cycle(ctx, taken=1)

    simulate(loader.module, testbenches=[bench])
    assert loader.reads == []
    assert loader.ones == [False, True, False, False, False]
    assert loader.ready == [False, False, True, True, True]


def test_converts() -> None:
    assert "endmodule" in convert(WeightLoader(CONFIG))
