"""What every test of gateware shares: conversion to Verilog, and streams driven with random gaps."""

import random
from collections.abc import Callable, Iterable
from typing import Any

from amaranth.back import verilog
from amaranth.hdl import Const, Elaboratable, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

CYCLE_LIMIT = 200_000


def convert(component: wiring.Component) -> str:
    """The Verilog of a component; fails on combinational loops, which the simulator would hang on."""
    members = [value for _, _, value in component.signature.flatten(component)]
    # An always-ready stream has a constant for `ready`, which cannot be a port of a top level.
    return verilog.convert(
        component, ports=[Value.cast(value) for value in members if not isinstance(value, Const)]
    )


def simulate(
    component: Elaboratable, *processes: Callable[..., Any], testbenches: Iterable[Callable[..., Any]] = ()
) -> None:
    """Run `testbenches` to their end, beside endless `processes` (which only ever wait in `await ctx.tick()`).

    Raises:
        TimeoutError: more than `CYCLE_LIMIT` cycles.
    """
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    for process in processes:
        simulator.add_testbench(process, background=True)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    for _ in range(2 * CYCLE_LIMIT):  # a step is one clock edge, rising or falling
        if not simulator.advance():
            return
    raise TimeoutError(f"not finished after {CYCLE_LIMIT} cycles")


async def put(ctx: Any, stream: Any, payload: Any) -> None:
    """Offer `payload` until it is taken; returns after that cycle."""
    ctx.set(stream.payload, payload)
    ctx.set(stream.valid, 1)
    taken = False
    while not taken:
        _, _, taken = await ctx.tick().sample(stream.ready)
    ctx.set(stream.valid, 0)


async def get(ctx: Any, stream: Any) -> Any:
    """Take one payload; returns after that cycle."""
    ctx.set(stream.ready, 1)
    valid = False
    payload = None
    while not valid:
        _, _, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
    ctx.set(stream.ready, 0)
    return payload


class Gaps:
    """Seeded random pauses: `await gaps(ctx)` lets 0 or more cycles pass; `probability` of each more."""

    def __init__(self, seed: int, probability: float) -> None:
        self._random = random.Random(seed)
        self._probability = probability

    async def __call__(self, ctx: Any) -> None:
        while self._random.random() < self._probability:
            await ctx.tick()
