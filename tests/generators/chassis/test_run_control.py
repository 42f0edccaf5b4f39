"""RunControl: one run at a time, the first error wins, nothing waits for ever."""

from typing import Any

import pytest

from celosia.generators.chassis.register_map import STATUS, ErrorCode
from celosia.generators.chassis.run_control import RunControl
from tests.gateware import convert, simulate

WATCHDOG = 40


def status(ctx: Any, control: RunControl) -> set[str]:
    value = ctx.get(control.status)
    return {entry.name for entry in STATUS.fields if value & entry.mask}


async def pulse(ctx: Any, signal: Any) -> None:
    ctx.set(signal, 1)
    await ctx.tick()
    ctx.set(signal, 0)


async def begin(ctx: Any, control: RunControl) -> None:
    """A run in its first cycle of work, with the bus idle."""
    ctx.set(control.bus_idle, 1)
    ctx.set(control.watchdog_cycles, WATCHDOG)
    await pulse(ctx, control.start)
    assert ctx.get(control.clear)
    await ctx.tick()
    assert ctx.get(control.fetch_start)
    assert ctx.get(control.counting)
    await ctx.tick()
    assert status(ctx, control) == {"running"}


async def cycles_until(ctx: Any, condition: Any, limit: int = 500) -> int:
    for cycles in range(limit):
        if ctx.get(condition):
            return cycles
        await ctx.tick()
    raise AssertionError(f"not within {limit} cycles")


def bench_of(scenario: Any) -> None:
    control = RunControl(32, 2)

    async def bench(ctx: Any) -> None:
        await scenario(ctx, control)

    simulate(control, testbenches=[bench])


def test_a_run_ends_with_the_interrupt_once_all_is_idle() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        assert status(ctx, control) == {"idle"}
        await begin(ctx, control)
        for last in (control.halted, control.queues_idle):
            assert not ctx.get(control.interrupt)
            ctx.set(last, 1)
        await ctx.tick()
        assert status(ctx, control) == {"done", "interrupt"}
        assert not ctx.get(control.counting)
        await pulse(ctx, control.interrupt_clear)
        assert status(ctx, control) == {"done"}
        await begin(ctx, control)

    bench_of(scenario)


def test_the_first_error_wins_and_the_bus_drains_before_the_interrupt() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        await begin(ctx, control)
        ctx.set(control.bus_idle, 0)
        first = {"valid": 1, "code": ErrorCode.BUS_DECODE_ERROR, "index": 7, "address": 0x1234}
        ctx.set(control.errors[1], first)
        await ctx.tick()
        ctx.set(control.errors[0], {**first, "code": ErrorCode.ILLEGAL_COMMAND, "index": 3})
        ctx.set(control.progress, 1)
        await ctx.tick().repeat(2 * WATCHDOG)
        assert ctx.get(control.stop)
        assert status(ctx, control) == {"running"}
        ctx.set(control.bus_idle, 1)
        assert await cycles_until(ctx, control.interrupt) < 16
        assert status(ctx, control) == {"error", "interrupt"}
        assert ctx.get(control.error.code) == ErrorCode.BUS_DECODE_ERROR
        assert ctx.get(control.error.index) == 7
        assert ctx.get(control.error.address) == 0x1234
        ctx.set(control.errors[0].valid, 0)
        ctx.set(control.errors[1].valid, 0)
        await begin(ctx, control)
        assert ctx.get(control.error.code) == ErrorCode.NONE

    bench_of(scenario)


def test_of_errors_in_one_cycle_the_first_source_counts() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        await begin(ctx, control)
        for source in range(2):
            ctx.set(control.errors[source], {"valid": 1, "code": source + 1, "index": source, "address": 0})
        await ctx.tick()
        assert ctx.get(control.error.code) == ErrorCode.OUT_OF_REGION

    bench_of(scenario)


def test_the_watchdog_ends_a_run_on_a_silent_bus_and_says_that_it_is_lost() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        await begin(ctx, control)
        ctx.set(control.bus_idle, 0)
        assert await cycles_until(ctx, control.interrupt) <= 2 * WATCHDOG + 8
        assert status(ctx, control) == {"error", "interrupt", "bus_lost"}
        assert ctx.get(control.error.code) == ErrorCode.WATCHDOG

    bench_of(scenario)


def test_progress_feeds_the_watchdog() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        await begin(ctx, control)
        for _ in range(10):
            await ctx.tick().repeat(WATCHDOG - 5)
            await pulse(ctx, control.progress)
        assert status(ctx, control) == {"running"}

    bench_of(scenario)


def test_zero_turns_the_watchdog_off() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        await begin(ctx, control)
        ctx.set(control.watchdog_cycles, 0)
        await ctx.tick().repeat(10 * WATCHDOG)
        assert status(ctx, control) == {"running"}

    bench_of(scenario)


def test_reset_drains_clears_and_returns_to_idle() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        await begin(ctx, control)
        ctx.set(control.bus_idle, 0)
        await pulse(ctx, control.reset)
        assert status(ctx, control) == {"resetting"}
        await pulse(ctx, control.start)  # ignored
        ctx.set(control.bus_idle, 1)
        assert await cycles_until(ctx, control.clear) < 16
        await ctx.tick()
        assert status(ctx, control) == {"idle"}
        await begin(ctx, control)

    bench_of(scenario)


def test_reset_gives_up_a_silent_bus() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        await begin(ctx, control)
        ctx.set(control.bus_idle, 0)
        await pulse(ctx, control.reset)
        assert await cycles_until(ctx, control.clear) <= WATCHDOG + 2
        await ctx.tick()
        assert status(ctx, control) == {"idle", "bus_lost"}

    bench_of(scenario)


def test_an_idle_bus_is_never_lost_however_short_the_watchdog() -> None:
    async def scenario(ctx: Any, control: RunControl) -> None:
        ctx.set(control.bus_idle, 1)
        ctx.set(control.watchdog_cycles, 3)
        await pulse(ctx, control.reset)
        assert await cycles_until(ctx, control.clear) < 16
        await ctx.tick()
        assert status(ctx, control) == {"idle"}

    bench_of(scenario)


def test_converts() -> None:
    assert "module" in convert(RunControl(32, 4))


def test_refuses_no_error_sources() -> None:
    with pytest.raises(ValueError, match="error_sources must be at least 1, not 0"):
        RunControl(32, 0)
