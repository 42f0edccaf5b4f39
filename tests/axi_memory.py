"""An AXI4 memory for pysim that checks the rules of the bus while it serves it."""

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from celosia.hdl.axi import BOUNDARY_BYTES, Response


@dataclass
class AxiMemory:
    """Answers in order, the first beat `latency` cycles after its address, with seeded random pauses.

    Attributes:
        data: what it holds; grows by nothing, an access beyond it is an assertion failure.
        latency: cycles from address handshake to the first beat, from last write beat to response.
        pause: probability of a pause of each channel in each cycle.
        responses: what to answer (`Response`) to a burst that covers a given address.
        reads, writes: the bursts seen, (address, beats).
        read_cycles, write_cycles: the cycles of their address handshakes.
    """

    data: bytearray
    latency: int = 4
    pause: float = 0.0
    seed: int = 0
    responses: dict[int, Response] = field(default_factory=dict)
    reads: list[tuple[int, int]] = field(default_factory=list)
    writes: list[tuple[int, int]] = field(default_factory=list)
    read_cycles: list[int] = field(default_factory=list)
    write_cycles: list[int] = field(default_factory=list)
    strobes: int = 0
    cycle: int = 0

    def _check(self, address: int, beats: int) -> Response:
        assert address % 8 == 0
        end = address + 8 * beats
        assert address // BOUNDARY_BYTES == (end - 1) // BOUNDARY_BYTES, "burst crosses 4 KiB"
        for place, response in self.responses.items():
            if address <= place < end:
                return response
        assert end <= len(self.data), "access outside the memory"
        return Response.OKAY

    async def serve_reads(self, ctx: Any, bus: Any) -> None:
        """Endless process: AR and R of `bus`."""
        generator = random.Random(self.seed)
        beats: deque[tuple[int, int, int, int]] = deque()  # ready from cycle, data, response, last
        presented = False
        self.cycle = 0
        while True:
            accept = generator.random() >= self.pause
            presented = presented or (
                bool(beats) and beats[0][0] <= self.cycle and generator.random() >= self.pause
            )
            ctx.set(bus.ar.ready, accept)
            ctx.set(bus.r.valid, presented)
            if presented:
                _, word, response, last = beats[0]
                ctx.set(bus.r.payload, {"data": word, "response": response, "last": last})
            _, _, asked, request, taken = await ctx.tick().sample(bus.ar.valid, bus.ar.payload, bus.r.ready)
            if presented and taken:
                beats.popleft()
                presented = False
            if accept and asked:
                address, count = request.address, request.length + 1
                response = self._check(address, count)
                self.reads.append((address, count))
                self.read_cycles.append(self.cycle)
                for beat in range(count):
                    start = address + 8 * beat
                    word = int.from_bytes(self.data[start : start + 8], "little")
                    beats.append((self.cycle + self.latency, word, response.value, beat == count - 1))
            self.cycle += 1

    async def serve_writes(self, ctx: Any, bus: Any) -> None:
        """Endless process: AW, W and B of `bus`; W must not pause within a burst."""
        generator = random.Random(self.seed + 1)
        bursts: deque[tuple[int, int, Response]] = deque()
        responses: deque[tuple[int, Response]] = deque()
        beat = 0
        presented = False
        cycle = 0
        while True:
            accept = generator.random() >= self.pause
            take = bool(bursts) and generator.random() >= self.pause
            presented = presented or (
                bool(responses) and responses[0][0] <= cycle and generator.random() >= self.pause
            )
            ctx.set(bus.aw.ready, accept)
            ctx.set(bus.w.ready, take)
            ctx.set(bus.b.valid, presented)
            if presented:
                ctx.set(bus.b.payload.response, responses[0][1].value)
            _, _, announced, request, offered, word, answered = await ctx.tick().sample(
                bus.aw.valid, bus.aw.payload, bus.w.valid, bus.w.payload, bus.b.ready
            )
            assert offered or beat == 0, "W pauses within a burst"
            if presented and answered:
                responses.popleft()
                presented = False
            if take and offered:
                address, count, response = bursts[0]
                assert word.last == (beat == count - 1)
                for lane in range(8):
                    if word.strobe >> lane & 1 and response == Response.OKAY:
                        self.data[address + 8 * beat + lane] = word.data >> 8 * lane & 0xFF
                        self.strobes += 1
                beat += 1
                if word.last:
                    bursts.popleft()
                    responses.append((cycle + self.latency, response))
                    beat = 0
            if accept and announced:
                address, count = request.address, request.length + 1
                bursts.append((address, count, self._check(address, count)))
                self.writes.append((address, count))
                self.write_cycles.append(cycle)
            cycle += 1
