"""RegisterAccess: one access on the bus for each request, and its answer."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from celosia.generators.chassis.csr import CsrBlock
from celosia.generators.chassis.register_map import CONFIG_HASH_LO, QUEUE_COUNT, REGISTERS
from celosia.hdl.axi import Response
from celosia.hdl.link.protocol import Outcome
from celosia.hdl.link.register_access import RegisterAccess
from tests.gateware import Gaps, convert, get, put, simulate


def access(requests: list[tuple[int, int, int]], pause: float) -> list[tuple[int, int]]:
    """(value, outcome) of each (write, address, value) on a slave that refuses address 4 and has nothing at 8."""
    component: Any = RegisterAccess(12)
    bus = component.bus
    held = {0: 0}
    refusals = {4: Response.SLAVE_ERROR, 8: Response.DECODE_ERROR}
    got = []

    async def serve(ctx: Any) -> None:
        gaps = Gaps(1, pause)
        for is_write, *_ in requests:
            await gaps(ctx)
            if is_write:
                # Address and data in an order of the slave's choosing.
                channels = [bus.aw, bus.w]
                random.Random(len(got)).shuffle(channels)
                taken = {}
                for channel in channels:
                    taken[channel is bus.aw] = await get(ctx, channel)
                    await gaps(ctx)
                address = taken[True].address
                held[address] = taken[False].data
                await put(ctx, bus.b, {"response": refusals.get(address, Response.OKAY).value})
            else:
                address = (await get(ctx, bus.ar)).address
                await gaps(ctx)
                answer = {
                    "data": held.get(address, 0),
                    "response": refusals.get(address, Response.OKAY).value,
                }
                await put(ctx, bus.r, answer)

    async def drive(ctx: Any) -> None:
        for is_write, address, value in requests:
            await put(ctx, component.request, {"write": is_write, "address": address, "value": value})
            reply = await get(ctx, component.reply)
            got.append((reply.value, reply.outcome))

    simulate(component, testbenches=[serve, drive])
    return got


@pytest.mark.parametrize("pause", [0.0, 0.5])
def test_what_is_written_is_read(pause: float) -> None:
    requests = [(1, 0, 0xDEADBEEF), (0, 0, 0), (1, 12, 1), (0, 12, 0), (0, 0, 0)]
    assert access(requests, pause) == [(0, 0), (0xDEADBEEF, 0), (0, 0), (1, 0), (0xDEADBEEF, 0)]


@pytest.mark.parametrize("is_write", [0, 1])
def test_errors_are_told(is_write: int) -> None:
    replies = access([(is_write, 4, 1), (is_write, 8, 1), (0, 0, 0)], 0.0)
    outcomes = [outcome for _, outcome in replies]
    assert outcomes == [Outcome.SLAVE_ERROR, Outcome.DECODE_ERROR, Outcome.DONE]


def test_it_reaches_the_registers_of_an_engine() -> None:

    component: Any = RegisterAccess(12)
    block: Any = CsrBlock(REGISTERS)
    m = Module()
    m.submodules.component = component
    m.submodules.block = block
    wiring.connect(m, component.bus, block.bus)
    replies = []

    async def drive(ctx: Any) -> None:
        ctx.set(block.port(CONFIG_HASH_LO), 0x12345678)
        for is_write, register in (
            (0, CONFIG_HASH_LO),
            (1, QUEUE_COUNT),
            (0, QUEUE_COUNT),
            (1, CONFIG_HASH_LO),
        ):
            request = {"write": is_write, "address": register.offset, "value": 77}
            await put(ctx, component.request, request)
            reply = await get(ctx, component.reply)
            replies.append((reply.value, reply.outcome))

    simulate(m, testbenches=[drive])
    assert replies == [(0x12345678, 0), (0, 0), (77, 0), (0, Outcome.SLAVE_ERROR)]


def test_converts() -> None:
    assert "module" in convert(RegisterAccess(12))
