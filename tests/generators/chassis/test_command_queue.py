"""CommandQueue: commands come out whole and in order, each once its tokens are there, at the stated cycles."""

from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from celosia.generators.chassis.command import LOAD, Verb
from celosia.generators.chassis.command_queue import CommandQueue
from celosia.generators.chassis.tokens import TokenCounters
from tests.gateware import Gaps, convert, get, put, simulate

DEPTH = 2


class Bench:
    """A LOAD queue with its counters, whose other ports the tests drive."""

    def __init__(self) -> None:
        self.queue = CommandQueue(LOAD, DEPTH)
        self.counters = TokenCounters()
        self.module = Module()
        self.module.submodules.queue = self.queue
        self.module.submodules.counters = self.counters
        wiring.connect(self.module, self.queue.tokens, self.counters.verbs[Verb.LOAD])
        self.cycle = 0

    async def count_cycles(self, ctx: Any) -> None:
        while True:
            await ctx.tick()
            self.cycle += 1

    async def send(self, ctx: Any, **values: int) -> None:
        command = LOAD.encode(values)
        for beat in range(LOAD.beats):
            await put(ctx, self.queue.beats, int.from_bytes(command[8 * beat : 8 * beat + 8], "little"))

    async def give(self, ctx: Any, giver: Verb) -> None:
        ctx.set(self.counters.given[giver], 1 << Verb.LOAD)
        await ctx.tick()
        ctx.set(self.counters.given[giver], 0)


@pytest.mark.parametrize(("fill", "drain"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.9)])
def test_commands_come_out_whole_and_in_order(fill: float, drain: float) -> None:
    bench = Bench()
    received = []

    async def source(ctx: Any) -> None:
        gaps = Gaps(3, fill)
        for number in range(12):
            await gaps(ctx)
            await bench.send(ctx, offset=number * 0x01010101, ring_size=number, rows=number + 1)

    async def sink(ctx: Any) -> None:
        gaps = Gaps(4, drain)
        for _ in range(12):
            await gaps(ctx)
            command = await get(ctx, bench.queue.command)
            received.append((command.offset, command.ring_size, command.rows))
        await ctx.tick().repeat(3)
        assert ctx.get(bench.queue.idle)

    simulate(bench.module, testbenches=[source, sink])
    assert received == [(number * 0x01010101, number, number + 1) for number in range(12)]


def test_presents_a_command_four_cycles_after_its_last_beat() -> None:
    bench = Bench()

    async def run(ctx: Any) -> None:
        await bench.send(ctx, rows=1)
        last_beat = bench.cycle - 1
        await ctx.tick().until(bench.queue.command.valid)
        assert bench.cycle - 1 == last_beat + 4

    simulate(bench.module, bench.count_cycles, testbenches=[run])


def test_presents_a_command_three_cycles_after_its_last_token() -> None:
    bench = Bench()

    async def run(ctx: Any) -> None:
        await bench.send(ctx, wait_store=2, wait_compute=1)
        await bench.give(ctx, Verb.STORE)
        await bench.give(ctx, Verb.COMPUTE)
        await ctx.tick().repeat(20)
        assert not ctx.get(bench.queue.command.valid)
        assert ctx.get(bench.queue.missing) == 1 << Verb.STORE
        await bench.give(ctx, Verb.STORE)
        given = bench.cycle - 1
        await ctx.tick().until(bench.queue.command.valid)
        assert bench.cycle - 1 == given + 3
        assert ctx.get(bench.queue.missing) == 0

    simulate(bench.module, bench.count_cycles, testbenches=[run])


def test_costs_one_cycle_between_commands() -> None:
    bench = Bench()

    async def source(ctx: Any) -> None:
        for number in range(3):
            await bench.send(ctx, rows=number)

    async def run(ctx: Any) -> None:
        await ctx.tick().repeat(30)
        await get(ctx, bench.queue.command)
        assert not ctx.get(bench.queue.command.valid)
        await ctx.tick()
        assert ctx.get(bench.queue.command.valid)
        assert ctx.get(bench.queue.command.payload.rows) == 1

    simulate(bench.module, testbenches=[source, run])


def test_gives_its_tokens_in_the_cycle_in_which_it_is_taken() -> None:
    bench = Bench()

    async def run(ctx: Any) -> None:
        await bench.send(ctx, signal=0b10110)
        await ctx.tick().until(bench.queue.command.valid)
        assert ctx.get(bench.queue.given) == 0
        ctx.set(bench.queue.command.ready, 1)
        assert ctx.get(bench.queue.given) == 0b10110
        await ctx.tick()
        assert ctx.get(bench.queue.given) == 0

    simulate(bench.module, testbenches=[run])


def test_holds_depth_commands_beside_the_next_and_the_current() -> None:
    bench = Bench()
    sent = []

    async def source(ctx: Any) -> None:
        for number in range(DEPTH + 3):
            await bench.send(ctx, rows=number)
            sent.append(number)

    async def run(ctx: Any) -> None:
        await ctx.tick().repeat(60)
        assert len(sent) == DEPTH + 2
        assert not ctx.get(bench.queue.idle)
        await get(ctx, bench.queue.command)
        await ctx.tick().repeat(20)
        assert len(sent) == DEPTH + 3

    simulate(bench.module, testbenches=[source, run])


def test_converts() -> None:
    assert "module" in convert(CommandQueue(LOAD, 4))


def test_refuses_an_empty_queue() -> None:
    with pytest.raises(ValueError, match="depth must be at least 1 command, not 0"):
        CommandQueue(LOAD, 0)
