"""CsrBlock: an AXI4-Lite slave that takes address and data in any order and refuses what is not there."""

from typing import Any

import pytest

from celosia.generators.chassis.csr import CsrBlock
from celosia.generators.chassis.register_map import (
    CONTROL,
    MAGIC,
    MAGIC_VALUE,
    QUEUE_COUNT,
    REGISTERS,
    WATCHDOG_CYCLES,
    Access,
)
from celosia.hdl.axi import Response
from tests.gateware import Gaps, convert, get, put, simulate

OKAY = Response.OKAY.value
REFUSED = Response.SLAVE_ERROR.value


async def write(ctx: Any, csr: CsrBlock, offset: int, value: int, strobe: int = 0xF) -> int:
    ctx.set(csr.bus.aw.payload.address, offset)
    ctx.set(csr.bus.aw.valid, 1)
    ctx.set(csr.bus.w.payload, {"data": value, "strobe": strobe})
    ctx.set(csr.bus.w.valid, 1)
    await ctx.tick()
    ctx.set(csr.bus.aw.valid, 0)
    ctx.set(csr.bus.w.valid, 0)
    return (await get(ctx, csr.bus.b)).response


async def read(ctx: Any, csr: CsrBlock, offset: int) -> tuple[int, int]:
    await put(ctx, csr.bus.ar, {"address": offset})
    payload = await get(ctx, csr.bus.r)
    return payload.data, payload.response


def test_read_write_registers_keep_what_was_written() -> None:
    csr = CsrBlock(REGISTERS)
    written = [register for register in REGISTERS if register.access is Access.READ_WRITE]

    async def bench(ctx: Any) -> None:
        assert await read(ctx, csr, WATCHDOG_CYCLES.offset) == (WATCHDOG_CYCLES.reset, OKAY)
        for place, register in enumerate(written):
            assert await write(ctx, csr, register.offset, 0xA5000000 + place) == OKAY
        for place, register in enumerate(written):
            assert await read(ctx, csr, register.offset) == (0xA5000000 + place, OKAY)
            assert ctx.get(csr.port(register)) == 0xA5000000 + place

    simulate(csr, testbenches=[bench])


def test_strobes_select_bytes() -> None:
    csr = CsrBlock(REGISTERS)

    async def bench(ctx: Any) -> None:
        await write(ctx, csr, QUEUE_COUNT.offset, 0x11223344)
        await write(ctx, csr, QUEUE_COUNT.offset, 0xAABBCCDD, strobe=0b0101)
        assert await read(ctx, csr, QUEUE_COUNT.offset) == (0x11BB33DD, OKAY)

    simulate(csr, testbenches=[bench])


def test_commands_pulse_for_one_cycle_two_cycles_after_the_data() -> None:
    csr = CsrBlock(REGISTERS)
    seen = []

    async def watch(ctx: Any) -> None:
        while True:
            *_, value = await ctx.tick().sample(csr.port(CONTROL))
            seen.append(value)

    async def bench(ctx: Any) -> None:
        await write(ctx, csr, CONTROL.offset, 0b101)
        assert await read(ctx, csr, CONTROL.offset) == (0, OKAY)

    simulate(csr, watch, testbenches=[bench])
    assert seen[:5] == [0, 0, 0b101, 0, 0]


def test_refuses_writes_to_read_only_and_accesses_to_nothing() -> None:
    csr = CsrBlock(REGISTERS)

    async def bench(ctx: Any) -> None:
        ctx.set(csr.port(MAGIC), MAGIC_VALUE)
        assert await write(ctx, csr, MAGIC.offset, 1) == REFUSED
        assert await write(ctx, csr, 0xFFC, 1) == REFUSED
        assert await read(ctx, csr, 0xFFC) == (0, REFUSED)
        assert await read(ctx, csr, MAGIC.offset) == (MAGIC_VALUE, OKAY)

    simulate(csr, testbenches=[bench])


@pytest.mark.parametrize("seed", range(4))
def test_address_and_data_come_in_any_order_with_pauses(seed: int) -> None:
    csr = CsrBlock(REGISTERS)
    values = list(range(20))
    answers = []

    async def addresses(ctx: Any) -> None:
        gaps = Gaps(seed, 0.5)
        for _ in values:
            await gaps(ctx)
            await put(ctx, csr.bus.aw, {"address": QUEUE_COUNT.offset})

    async def data(ctx: Any) -> None:
        gaps = Gaps(seed + 100, 0.5)
        for value in values:
            await gaps(ctx)
            await put(ctx, csr.bus.w, {"data": value, "strobe": 0xF})

    async def responses(ctx: Any) -> None:
        gaps = Gaps(seed + 200, 0.5)
        for _ in values:
            await gaps(ctx)
            assert (await get(ctx, csr.bus.b)).response == OKAY
            answers.append(ctx.get(csr.port(QUEUE_COUNT)))

    simulate(csr, testbenches=[addresses, data, responses])
    assert answers == values, f"seed {seed}"


def test_converts() -> None:
    assert "module" in convert(CsrBlock(REGISTERS))


def test_refuses_a_register_that_is_there_twice() -> None:
    with pytest.raises(ValueError, match="register MAGIC is there twice"):
        CsrBlock([MAGIC, MAGIC])
