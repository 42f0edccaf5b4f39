"""AxiReadArbiter: every client gets its own beats, in order, whatever the bus does."""

import random
from typing import Any

import pytest

from celosia.hdl.axi import Response
from celosia.hdl.axi_read_arbiter import AxiReadArbiter
from tests.axi_memory import AxiMemory
from tests.gateware import Gaps, convert, put, simulate

CLIENTS = 3


def arbiter(outstanding: int = 4) -> AxiReadArbiter:
    return AxiReadArbiter(clients=CLIENTS, address_bits=32, data_bits=64, outstanding=outstanding)


def memory(**settings: Any) -> AxiMemory:
    return AxiMemory(bytearray(random.Random(9).randbytes(1 << 14)), **settings)


@pytest.mark.parametrize("outstanding", [1, 2, 4])
@pytest.mark.parametrize("pause", [0.0, 0.5])
def test_every_client_gets_its_own_beats(outstanding: int, pause: float) -> None:
    component = arbiter(outstanding)
    bus = memory(latency=5, pause=pause, seed=outstanding)
    generator = random.Random(outstanding)
    work = [
        [(8 * generator.randrange(0, 500), generator.randrange(1, 12)) for _ in range(25)]
        for _ in range(CLIENTS)
    ]
    received: list[list[int]] = [[] for _ in range(CLIENTS)]

    def bench(index: int) -> Any:
        client = component.clients[index]

        async def ask(ctx: Any) -> None:
            gaps = Gaps(index, 0.3)
            for address, beats in work[index]:
                await gaps(ctx)
                await put(ctx, client.request, {"address": address, "length": beats - 1})

        async def collect(ctx: Any) -> None:
            for _, beats in work[index]:
                for beat in range(beats):
                    (payload,) = await ctx.tick().sample(client.beats.payload).until(client.beats.valid)
                    assert payload.last == (beat == beats - 1)
                    received[index].append(payload.data)

        return ask, collect

    async def serve(ctx: Any) -> None:
        await bus.serve_reads(ctx, component.bus)

    work = [[(a & ~0xFFF | min(a & 0xFFF, 4096 - 8 * n), n) for a, n in client] for client in work]
    simulate(component, serve, testbenches=[process for index in range(CLIENTS) for process in bench(index)])
    for index in range(CLIENTS):
        bytes_read = b"".join(bus.data[address : address + 8 * beats] for address, beats in work[index])
        assert b"".join(word.to_bytes(8, "little") for word in received[index]) == bytes_read


def test_the_first_client_has_priority() -> None:
    component = arbiter()
    bus = memory()

    async def serve(ctx: Any) -> None:
        await bus.serve_reads(ctx, component.bus)

    async def bench(ctx: Any) -> None:
        for index in range(CLIENTS):
            client = component.clients[index]
            ctx.set(client.request.payload, {"address": 64 * index, "length": 0})
            ctx.set(client.request.valid, 1)
        for index in range(CLIENTS):
            request = component.clients[index].request
            await ctx.tick().until(request.ready)
            ctx.set(request.valid, 0)
        await ctx.tick().repeat(20)
        assert ctx.get(component.idle)

    simulate(component, serve, testbenches=[bench])
    assert bus.reads == [(0, 1), (64, 1), (128, 1)]
    assert [cycle - bus.read_cycles[0] for cycle in bus.read_cycles] == [0, 2, 4]


def test_latencies() -> None:
    component = arbiter()

    async def bench(ctx: Any) -> None:
        client = component.clients[1]
        ctx.set(component.bus.ar.ready, 1)
        ctx.set(client.request.payload, {"address": 8, "length": 0})
        ctx.set(client.request.valid, 1)
        assert ctx.get(client.request.ready)
        assert ctx.get(component.idle)
        await ctx.tick()
        ctx.set(client.request.valid, 0)
        assert ctx.get(component.bus.ar.valid)
        assert not ctx.get(component.idle)
        await ctx.tick()
        ctx.set(component.bus.r.valid, 1)
        ctx.set(component.bus.r.payload, {"data": 77, "response": Response.SLAVE_ERROR.value, "last": 1})
        await ctx.tick()
        ctx.set(component.bus.r.valid, 0)
        assert ctx.get(client.beats.valid)
        assert ctx.get(client.beats.payload.data) == 77
        assert ctx.get(client.beats.payload.response) == Response.SLAVE_ERROR.value
        await ctx.tick()
        assert ctx.get(component.idle)

    simulate(component, testbenches=[bench])


def test_never_more_bursts_than_outstanding() -> None:
    component = arbiter(outstanding=2)
    bus = memory(latency=30)

    async def serve(ctx: Any) -> None:
        await bus.serve_reads(ctx, component.bus)

    async def bench(ctx: Any) -> None:
        request = component.clients[0].request
        ctx.set(request.valid, 1)
        ctx.set(request.payload, {"address": 0, "length": 3})
        await ctx.tick().repeat(20)
        assert len(bus.reads) == 2
        await ctx.tick().repeat(30)
        assert len(bus.reads) == 4

    simulate(component, serve, testbenches=[bench])


def test_converts() -> None:
    assert "module" in convert(arbiter())


def test_refuses_bad_parameters() -> None:
    with pytest.raises(ValueError, match="outstanding must be at least 1, not 0"):
        arbiter(outstanding=0)
