"""AxiSharedBus: every manager gets its own answers, and the first one as if it were alone."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module, Signal

from celosia.hdl.axi import AxiSignature
from celosia.hdl.axi_shared_bus import AxiSharedBus
from tests.axi_memory import AxiMemory
from tests.gateware import Gaps, convert, get, put, simulate

SIZE = 1 << 13


def shared(managers: int = 2) -> Any:
    return AxiSharedBus(managers=managers, address_bits=32, data_bits=64, outstanding=4)


async def write_bursts(ctx: Any, manager: Any, bursts: list[tuple[int, list[int]]], gaps: Gaps) -> None:
    """Address first, then the beats without a gap, then the response."""
    for address, words in bursts:
        await gaps(ctx)
        await put(ctx, manager.aw, {"address": address, "length": len(words) - 1})
        for place, word in enumerate(words):
            await put(ctx, manager.w, {"data": word, "strobe": 255, "last": place == len(words) - 1})
        await get(ctx, manager.b)


@pytest.mark.parametrize("pause", [0.0, 0.5])
@pytest.mark.parametrize("managers", [1, 2, 3])
def test_each_manager_writes_and_reads_its_own(managers: int, pause: float) -> None:
    component = shared(managers)
    memory = AxiMemory(bytearray(SIZE), latency=5, pause=pause, seed=1)
    generator = random.Random(2)
    work = [
        [
            (
                8 * (managers * 16 * number + 16 * index),
                [generator.getrandbits(64) for _ in range(1 + number % 4)],
            )
            for number in range(8)
        ]
        for index in range(managers)
    ]

    async def serve_reads(ctx: Any) -> None:
        await memory.serve_reads(ctx, component.bus)

    async def serve_writes(ctx: Any) -> None:
        await memory.serve_writes(ctx, component.bus)

    def client(index: int) -> Any:
        async def run(ctx: Any) -> None:
            manager, gaps = component.managers[index], Gaps(index, pause)
            await write_bursts(ctx, manager, work[index], gaps)
            for address, words in work[index]:
                await gaps(ctx)
                await put(ctx, manager.ar, {"address": address, "length": len(words) - 1})
                for place, word in enumerate(words):
                    beat = await get(ctx, manager.r)
                    assert (beat.data, beat.last) == (word, place == len(words) - 1)

        return run

    simulate(component, serve_reads, serve_writes, testbenches=[client(index) for index in range(managers)])
    assert len(memory.writes) == len(memory.reads) == 8 * managers


def test_reads_sent_ahead_come_back_to_who_asked() -> None:
    component = shared()
    memory = AxiMemory(bytearray(random.Random(3).randbytes(SIZE)), latency=20)

    async def serve(ctx: Any) -> None:
        await memory.serve_reads(ctx, component.bus)

    def client(index: int) -> list[Any]:
        manager = component.managers[index]
        addresses = [1024 * index + 64 * number for number in range(12)]

        async def ask(ctx: Any) -> None:
            for address in addresses:
                await put(ctx, manager.ar, {"address": address, "length": 1})

        async def take(ctx: Any) -> None:
            for address in addresses:
                for place in range(2):
                    start = address + 8 * place
                    expected = int.from_bytes(memory.data[start : start + 8], "little")
                    assert (await get(ctx, manager.r)).data == expected

        return [ask, take]

    simulate(component, serve, testbenches=[*client(0), *client(1)])


def test_an_offered_address_stays_though_the_first_manager_comes() -> None:
    component = shared()
    seen = []

    async def bench(ctx: Any) -> None:
        first, second = component.managers
        ctx.set(second.ar.payload, {"address": 64, "length": 0})
        ctx.set(second.ar.valid, 1)
        await ctx.tick()
        ctx.set(first.ar.payload, {"address": 8, "length": 0})
        ctx.set(first.ar.valid, 1)
        for ready in (0, 0, 1, 1):
            ctx.set(component.bus.ar.ready, ready)
            _, _, valid, request, mine, others = await ctx.tick().sample(
                component.bus.ar.valid, component.bus.ar.payload, first.ar.ready, second.ar.ready
            )
            seen.append((valid, request.address, mine, others))
            if others:
                ctx.set(second.ar.valid, 0)

    simulate(component, testbenches=[bench])
    assert seen == [(1, 64, 0, 0), (1, 64, 0, 0), (1, 64, 0, 1), (1, 8, 1, 0)]


def event_cycles(design: Any, manager: Any, bus: Any) -> list[int]:
    """When a burst of three beats was written, and when each of three was read."""
    memory = AxiMemory(bytearray(SIZE), latency=4)
    cycles = []

    async def serve_reads(ctx: Any) -> None:
        await memory.serve_reads(ctx, bus)

    async def serve_writes(ctx: Any) -> None:
        await memory.serve_writes(ctx, bus)

    async def bench(ctx: Any) -> None:
        await write_bursts(ctx, manager, [(0, [1, 2, 3])], Gaps(0, 0.0))
        cycles.append(memory.cycle)
        await put(ctx, manager.ar, {"address": 0, "length": 2})
        for _ in range(3):
            await get(ctx, manager.r)
            cycles.append(memory.cycle)

    simulate(design, serve_reads, serve_writes, testbenches=[bench])
    return cycles


def test_the_first_manager_alone_sees_no_delay() -> None:
    component = shared()
    alone = AxiSignature(32, 64).create()
    clocked = Module()
    clocked.d.sync += Signal().eq(1)
    assert event_cycles(component, component.managers[0], component.bus) == event_cycles(
        clocked, alone, alone
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"managers": 0}, ValueError, "managers must be at least 1, not 0"),
        ({"outstanding": 1}, ValueError, "outstanding must be at least 2, not 1"),
        ({"managers": True}, TypeError, "managers must be an int, not True"),
    ],
)
def test_impossible_sizes_are_refused(change: dict[str, int], error: type[Exception], message: str) -> None:
    arguments = {"managers": 2, "address_bits": 32, "data_bits": 64, "outstanding": 4}
    with pytest.raises(error, match=message):
        AxiSharedBus(**{**arguments, **change})


def test_converts() -> None:
    assert "module" in convert(shared())
