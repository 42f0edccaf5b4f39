"""A `ComputeUnit` with its memories, run in Amaranth's simulator: tiles, reads and cycles as they were seen."""

import random
from dataclasses import dataclass, field
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator

from celosia.generators.chassis.counters import Cause
from celosia.generators.chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY, FREEING_CYCLES
from celosia.generators.mac_engine.compute import ComputeUnit
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.isa import Destination
from celosia.generators.mac_engine.weight_store import WeightStore
from celosia.hdl.brick_buffer import BrickBuffer

from .compute_model import Fields, Memories, Tile

CYCLE_LIMIT = 20_000


@dataclass
class Observed:
    """Cycle numbers start with the first command's first cycle."""

    starts: list[int] = field(default_factory=list)
    """Of every command: first cycle in which it was presented."""
    completions: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    """Cycles with cause ACTIVE."""
    filled: list[int] = field(default_factory=list)
    """Of every tile: first cycle in which it was seen `filled`."""
    drained: list[int] = field(default_factory=list)
    freeing: list[int] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)


class ComputeBench:
    """Loads `memories`, then runs `commands` back to back, draining tiles of the `expected` shape.

    Args:
        drain_gaps: longest random pause before a tile is drained.
    """

    def __init__(
        self, config: MacEngineConfig, memories: Memories, seed: int = 0, drain_gaps: int = 0
    ) -> None:
        self._memories = memories
        self._random = random.Random(seed)
        self._drain_gaps = drain_gaps
        self.unit = ComputeUnit(config)
        self.buffer = BrickBuffer(config.buffer_bricks)
        self.store = WeightStore(config)
        self.observed = Observed()
        self._cycle = Signal(32)
        self._running = Signal()

    def run(self, commands: list[Fields], expected: list[Tile]) -> Observed:
        """Raises TimeoutError if it takes more than `CYCLE_LIMIT` cycles."""
        m = Module()
        m.submodules += [self.unit, self.buffer, self.store]
        wiring.connect(m, self.unit.gather, self.buffer.gather)
        wiring.connect(m, self.unit.weights, self.store.reads)
        with m.If(self._running):
            m.d.sync += self._cycle.eq(self._cycle + 1)
        simulator = Simulator(m)
        simulator.add_clock(1e-6)

        async def issue(ctx: Any) -> None:
            await self._load(ctx)
            ctx.set(self._running, 1)
            for fields in commands:
                ctx.set(self.unit.command.payload, fields)
                ctx.set(self.unit.command.valid, 1)
                self.observed.starts.append(ctx.get(self._cycle))
                while not ctx.get(self.unit.command.ready):
                    await ctx.tick()
                self.observed.completions.append(ctx.get(self._cycle))
                await ctx.tick()
                ctx.set(self.unit.command.valid, 0)
                for _ in range(self._random.randint(0, self._drain_gaps)):
                    await ctx.tick()

        async def drain(ctx: Any) -> None:
            for tile in expected:
                await self._drain(ctx, tile)

        async def watch(ctx: Any) -> None:
            async for *_, running, valid, cause, cycle in ctx.tick().sample(
                self._running, self.unit.command.valid, self.unit.cause, self._cycle
            ):
                if running and valid:
                    self.observed.causes.append(Cause(cause))
                    if cause == Cause.ACTIVE:
                        self.observed.reads.append(cycle)

        simulator.add_testbench(issue)
        simulator.add_testbench(drain)
        simulator.add_testbench(watch, background=True)
        for _ in range(2 * CYCLE_LIMIT):
            if not simulator.advance():
                return self.observed
        raise TimeoutError(f"not finished after {CYCLE_LIMIT} cycles: {self.observed.filled}")

    async def _load(self, ctx: Any) -> None:
        memories = self._memories
        ctx.set(self.buffer.load_write.valid, 1)
        for address, brick in enumerate(memories.bricks):
            word = int.from_bytes(brick.tobytes(), "little")
            ctx.set(self.buffer.load_write.payload, {"address": address, "data": word})
            await ctx.tick()
        ctx.set(self.buffer.load_write.valid, 0)
        for port, destination, content in [
            (self.store.writes, Destination.WEIGHT_STORE, memories.weights.tobytes()),
            (self.unit.table_writes, Destination.OPERAND_TABLE, memories.tables.tobytes()),
        ]:
            ctx.set(port.valid, 1)
            for beat in range(len(content) // 8):
                word = int.from_bytes(content[beat * 8 : beat * 8 + 8], "little")
                ctx.set(port.payload, {"destination": destination, "address": beat, "data": word})
                await ctx.tick()
            ctx.set(port.valid, 0)

    async def _drain(self, ctx: Any, tile: Tile) -> None:
        port = self.unit.accumulators
        while not ctx.get(port.filled):
            await ctx.tick()
        self.observed.filled.append(ctx.get(self._cycle))
        for _ in range(self._random.randint(0, self._drain_gaps)):
            await ctx.tick()
        places = list(tile)
        freeing = len(places) - 1 - self._random.randint(0, min(FREEING_CYCLES, len(places) - 1))
        values: Tile = {}
        for n in range(len(places) + ACCUMULATOR_READ_LATENCY):
            if n >= ACCUMULATOR_READ_LATENCY:
                values[places[n - ACCUMULATOR_READ_LATENCY]] = list(ctx.get(port.values))
            if n < len(places):
                ctx.set(port.core, places[n][0])
                ctx.set(port.address, places[n][1])
            ctx.set(port.freeing, n == freeing)
            if n == freeing:
                self.observed.freeing.append(ctx.get(self._cycle))
            if n == len(places) - 1:
                ctx.set(port.drained, 1)
                self.observed.drained.append(ctx.get(self._cycle))
            await ctx.tick()
            ctx.set(port.drained, 0)
        self.observed.tiles.append(values)
