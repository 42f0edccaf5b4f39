"""The AXI side of a memory: requests only for what can be served at once, answers in order, own refusals."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from celosia.hdl.axi import AxiBus, AxiSignature
from celosia.hdl.axi_subordinate import AxiReadSubordinate, AxiWriteSubordinate
from tests.axi_master import AxiMaster, Burst, random_write
from tests.gateware import Gaps, convert, get, simulate

MEMORY_BITS = 14
SIZE = 1 << MEMORY_BITS
REQUEST_BEATS = 8
QUEUE_BEATS = 16
WIDTHS = {
    "address_bits": 20,
    "memory_bits": MEMORY_BITS,
    "data_bits": 64,
    "request_beats": REQUEST_BEATS,
    "queue_beats": QUEUE_BEATS,
    "outstanding": 4,
}


class BothSides(wiring.Component):
    """Reads and writes, as one port."""

    bus: AxiBus

    def __init__(self) -> None:
        self.read = AxiReadSubordinate(**WIDTHS)
        self.write = AxiWriteSubordinate(**WIDTHS)
        super().__init__({"bus": In(AxiSignature(WIDTHS["address_bits"], WIDTHS["data_bits"]))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.read = self.read
        m.submodules.write = self.write
        bus = wiring.flipped(self.bus)
        for side, channels in ((self.read, ("ar", "r")), (self.write, ("aw", "w", "b"))):
            for channel in channels:
                wiring.connect(m, getattr(bus, channel), getattr(side.bus, channel))
        return m


class Memory:
    """A memory that serves one request after the other, a beat every `pace` cycles, and checks what it is asked."""

    def __init__(self, sides: BothSides, *, pace: int, seed: int) -> None:
        self._sides = sides
        self._pace = pace
        self._seed = seed
        self.content = bytearray(SIZE)
        self.requests: list[tuple[str, int, int]] = []

    def _check(self, kind: str, request: Any) -> tuple[int, int]:
        address, beats = request.address, request.length + 1
        assert address % 8 == 0
        assert address + 8 * beats <= SIZE
        assert address // (8 * REQUEST_BEATS) == (address + 8 * beats - 1) // (8 * REQUEST_BEATS)
        self.requests.append((kind, address, beats))
        return address, beats

    async def serve_reads(self, ctx: Any) -> None:
        client = self._sides.read.client
        gaps = Gaps(self._seed, 0.6)
        while True:
            await gaps(ctx)
            request = await get(ctx, client.request)
            address, beats = self._check("read", request)
            for beat in range(beats):
                start = address + 8 * beat
                ctx.set(client.beats.payload.data, int.from_bytes(self.content[start : start + 8], "little"))
                ctx.set(client.beats.valid, 1)
                # Whoever asks has room: the queue behind must take the beat.
                assert ctx.get(self._sides.read._queue.i.ready)
                await ctx.tick()
                ctx.set(client.beats.valid, 0)
                for _ in range(self._pace - 1):
                    await ctx.tick()

    async def serve_writes(self, ctx: Any) -> None:
        client = self._sides.write.client
        gaps = Gaps(self._seed + 1, 0.6)
        while True:
            await gaps(ctx)
            request = await get(ctx, client.request)
            address, beats = self._check("write", request)
            for beat in range(beats):
                ctx.set(client.beats.ready, 1)
                ctx.set(client.written, 1)
                _, _, offered, word = await ctx.tick().sample(client.beats.valid, client.beats.payload)
                assert offered, "a beat of a request is not there"
                ctx.set(client.beats.ready, 0)
                ctx.set(client.written, 0)
                for lane in range(8):
                    if word.strobe >> lane & 1:
                        self.content[address + 8 * beat + lane] = word.data >> 8 * lane & 0xFF
                for _ in range(self._pace - 1):
                    await ctx.tick()


def run(sides: BothSides, memory: Memory, master: AxiMaster, testbenches: Sequence[Any]) -> None:
    simulate(sides, memory.serve_reads, memory.serve_writes, master.watch, testbenches=testbenches)


def random_bursts(generator: random.Random, count: int) -> list[tuple[int, int]]:
    """Address and beats; now and then beyond the end or across 4 KiB."""
    bursts = []
    for _ in range(count):
        beats = generator.choice([1, 2, 7, 8, 9, 30, 80])
        address = 4096 * generator.randrange(6) + 8 * generator.randrange(512 - beats + 1)
        bursts.append((address, beats))
    bursts.insert(count // 2, (4096 - 8, 2))
    return bursts


@pytest.mark.parametrize(("pace", "pause"), [(1, 0.0), (2, 0.5), (4, 0.2)])
def test_random_traffic_keeps_every_byte(pace: int, pause: float) -> None:
    sides = BothSides()
    memory = Memory(sides, pace=pace, seed=pace)
    master = AxiMaster(sides.bus, SIZE, pause=pause, seed=20 + pace)
    generator = random.Random(pace)
    writes = [random_write(generator, *burst) for burst in random_bursts(generator, 20)]
    reads = [Burst(*burst) for burst in random_bursts(generator, 20)]
    reads += [Burst(write.address, write.beats) for write in writes]
    run(sides, memory, master, [*master.read(reads), *master.write(writes)])
    assert all(memory.content[place] == value for place, value in master.memory.items())


def test_refused_bursts_never_reach_the_memory() -> None:
    sides = BothSides()
    memory = Memory(sides, pace=1, seed=1)
    master = AxiMaster(sides.bus, SIZE)
    refused = [Burst(SIZE, 1), Burst(4096 - 16, 3), Burst(1 << 19, 256)]
    writes = [random_write(random.Random(2), burst.address, burst.beats) for burst in refused]
    run(sides, memory, master, [*master.read(refused), *master.write(writes)])
    assert memory.requests == []


def test_a_request_comes_4_cycles_after_its_burst() -> None:
    sides = BothSides()
    offered: dict[str, list[int]] = {"read": [], "write": []}

    async def look(ctx: Any) -> None:
        """Data before the address of the write would wait: so they come with it."""
        ctx.set(sides.bus.ar.valid, 1)
        ctx.set(sides.bus.aw.valid, 1)
        ctx.set(sides.bus.w.valid, 1)
        for cycle in range(8):
            for name, side in (("read", sides.read), ("write", sides.write)):
                if ctx.get(side.client.request.valid):
                    offered[name].append(cycle)
            await ctx.tick()
            ctx.set(sides.bus.ar.valid, 0)
            ctx.set(sides.bus.aw.valid, 0)

    simulate(sides, testbenches=[look])
    assert (offered["read"][0], offered["write"][0]) == (4, 4)


@pytest.mark.parametrize("side", [AxiReadSubordinate, AxiWriteSubordinate])
def test_converts(side: Any) -> None:
    assert "module" in convert(side(**WIDTHS))


@pytest.mark.parametrize("side", [AxiReadSubordinate, AxiWriteSubordinate])
def test_refuses_a_queue_that_cannot_hold_two_requests(side: Any) -> None:
    with pytest.raises(ValueError, match="queue_beats must be at least 2 requests of 16 beats, not 16"):
        side(**{**WIDTHS, "request_beats": 16})
