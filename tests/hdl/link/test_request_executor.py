"""RequestExecutor: how long each request takes in it. What it does is tested with the endpoint."""

from typing import Any

import pytest

from celosia.hdl.link.protocol import Kind
from celosia.hdl.link.request_executor import RequestExecutor
from tests.gateware import convert, simulate

BUS_CYCLES = 5
WRITER_CYCLES = 9


def reply_cycles(requests: list[tuple[Kind, int]]) -> list[int]:
    """Cycles from the offer of each (kind, sequence) to its reply, in a session that begins with the first.

    A register answers `BUS_CYCLES` after it was asked, the writer is done `WRITER_CYCLES` after its start, all data is
    there.
    """
    component: Any = RequestExecutor(12, 32)
    cycles = []

    async def registers(ctx: Any) -> None:
        ctx.set(component.register.ready, 1)
        while True:
            _, _, asked = await ctx.tick().sample(component.register.valid)
            if asked:
                await ctx.tick().repeat(BUS_CYCLES - 1)
                ctx.set(component.register_reply.valid, 1)
                await ctx.tick()
                ctx.set(component.register_reply.valid, 0)

    async def writer(ctx: Any) -> None:
        while True:
            _, _, start = await ctx.tick().sample(component.write_start)
            if start:
                await ctx.tick().repeat(WRITER_CYCLES - 1)
                ctx.set(component.write_done, 1)
                await ctx.tick()
                ctx.set(component.write_done, 0)

    async def data(ctx: Any) -> None:
        ctx.set(component.data.valid, 1)
        taken = 0
        while True:
            ctx.set(component.data.payload.last, taken % 4 == 3)
            _, _, ready = await ctx.tick().sample(component.data.ready)
            taken += ready

    async def ask(ctx: Any) -> None:
        ctx.set(component.reply.ready, 1)
        for kind, sequence in requests:
            header = {"kind": kind, "session": 1, "sequence": sequence, "address": 8, "length": 4}
            ctx.set(component.request.payload, {"header": header, "has_data": 1})
            ctx.set(component.request.valid, 1)
            count = 0
            replied = False
            while not replied:
                _, _, replied = await ctx.tick().sample(component.reply.valid)
                count += 1
            cycles.append(count - 1)
            ctx.set(component.request.valid, 0)
            await ctx.tick()

    simulate(component, registers, writer, data, testbenches=[ask])
    return cycles


@pytest.mark.parametrize(
    ("kind", "cycles"),
    [
        (Kind.READ_CYCLES, 4),
        (Kind.READ_MEMORY, 4),
        (Kind.READ_REGISTER, 5 + BUS_CYCLES),
        (Kind.WRITE_REGISTER, 9 + BUS_CYCLES),
        (Kind.WRITE_MEMORY, 4 + WRITER_CYCLES),
    ],
)
def test_a_request_is_executed_in_so_many_cycles_and_repeated_in_two(kind: Kind, cycles: int) -> None:
    assert reply_cycles([(Kind.CONNECT, 0), (kind, 0), (kind, 0)]) == [2, cycles, 2]


def test_a_notice_takes_two_cycles() -> None:
    assert reply_cycles([(Kind.CONNECT, 0), (Kind.READ_CYCLES, 7)]) == [2, 2]


def test_a_kind_that_does_not_exist_takes_as_long_as_the_shortest() -> None:
    assert reply_cycles([(Kind.CONNECT, 0), (Kind.NOTICE, 0)]) == [2, 4]


def test_converts() -> None:
    assert "module" in convert(RequestExecutor(12, 32))
