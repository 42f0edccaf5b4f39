"""An AXI4 master for pysim that knows what a memory has to answer, and when each handshake happened."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Value

from celosia.hdl.axi import BOUNDARY_BYTES, Response
from tests.gateware import Gaps, get, put

BEAT_BYTES = 8
CHANNELS = ("ar", "r", "aw", "w", "b")
VALID, READY = 1, 2


@dataclass(frozen=True, slots=True)
class Burst:
    """`beats` beats from byte `address` on; a write has its `data` and `strobes`, one of each a beat."""

    address: int
    beats: int
    data: tuple[int, ...] = ()
    strobes: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """Byte address of the first beat."""
        return self.address & -BEAT_BYTES

    @property
    def end(self) -> int:
        """One after the last byte."""
        return self.first + self.beats * BEAT_BYTES

    def overlaps(self, other: "Burst") -> bool:
        return self.first < other.end and other.first < self.end


def random_write(generator: Any, address: int, beats: int, *, whole: bool = False) -> Burst:
    """A write of random data; random strobes unless `whole`."""
    strobes = [255 if whole else generator.randrange(256) for _ in range(beats)]
    return Burst(address, beats, tuple(generator.getrandbits(64) for _ in range(beats)), tuple(strobes))


@dataclass
class AxiMaster:
    """Reads and writes at once, in any order that keeps the answers certain: overlapping bursts wait for each other.

    Attributes:
        bus: an AXI4 subordinate of 64 data bits.
        size: bytes it has; what lies beyond must be refused.
        pause: probability of a pause on each channel in each cycle.
        handshakes: cycles of the handshakes of each channel, in order.
    """

    bus: Any
    size: int
    pause: float = 0.0
    seed: int = 0
    handshakes: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in CHANNELS})
    memory: dict[int, int] = field(default_factory=dict)  # written bytes
    reads_in_flight: deque[tuple[Burst, np.ndarray]] = field(default_factory=deque)
    writes_in_flight: deque[Burst] = field(default_factory=deque)

    def expected(self, burst: Burst) -> Response:
        """The response to a burst."""
        if burst.address >= self.size:
            return Response.DECODE_ERROR
        if burst.first // BOUNDARY_BYTES != (burst.end - 1) // BOUNDARY_BYTES:
            return Response.SLAVE_ERROR
        return Response.OKAY

    async def watch(self, ctx: Any) -> None:
        """Endless process: notes the handshakes, and sees that what waits on R and B stays."""
        channels = [getattr(self.bus, name) for name in CHANNELS]
        answers = [Value.cast(self.bus.r.payload), Value.cast(self.bus.b.payload)]
        signals = [*(Cat(c.valid, c.ready) for c in channels), *answers]
        waiting: dict[str, int] = {}
        cycle = 0
        while True:
            sampled = (await ctx.tick().sample(*signals))[2:]
            states = dict(zip(CHANNELS, sampled[: len(CHANNELS)], strict=True))
            for name, payload in zip(("r", "b"), sampled[len(CHANNELS) :], strict=True):
                assert name not in waiting or (states[name] & 1 and waiting[name] == payload), (
                    f"{name} changed"
                )
                waiting.pop(name, None)
                if states[name] == VALID:
                    waiting[name] = payload
            for name, state in states.items():
                if state == VALID | READY:
                    self.handshakes[name].append(cycle)
            cycle += 1

    def read(self, bursts: Sequence[Burst]) -> list[Any]:
        """The testbenches that read `bursts` and check what comes back."""

        async def ask(ctx: Any) -> None:
            gaps = Gaps(self.seed, self.pause)
            for burst in bursts:
                await gaps(ctx)
                while any(burst.overlaps(write) for write in self.writes_in_flight):
                    await ctx.tick()
                # -1: never written, anything may come.
                known = [self.memory.get(place, -1) for place in range(burst.first, burst.end)]
                self.reads_in_flight.append((burst, np.array(known)))
                await put(ctx, self.bus.ar, {"address": burst.address, "length": burst.beats - 1})

        async def receive(ctx: Any) -> None:
            gaps = Gaps(self.seed + 1, self.pause)
            for burst in bursts:
                response = self.expected(burst)
                for beat in range(burst.beats):
                    await gaps(ctx)
                    answer = await get(ctx, self.bus.r)
                    assert answer.response == response.value, f"{burst.address:#x}"
                    assert answer.last == (beat == burst.beats - 1)
                    _, known = self.reads_in_flight[0]
                    wanted = known[beat * BEAT_BYTES : (beat + 1) * BEAT_BYTES]
                    got = np.frombuffer(int(answer.data).to_bytes(BEAT_BYTES, "little"), dtype=np.uint8)
                    if response is Response.OKAY:
                        assert np.all((wanted == got) | (wanted < 0)), f"{burst.address:#x} + beat {beat}"
                self.reads_in_flight.popleft()

        return [ask, receive]

    def write(self, bursts: Sequence[Burst]) -> list[Any]:
        """The testbenches that write `bursts` and check the responses."""
        sent: list[Burst] = []

        async def announce(ctx: Any) -> None:
            gaps = Gaps(self.seed + 2, self.pause)
            for burst in bursts:
                await gaps(ctx)
                while any(burst.overlaps(read) for read, _ in self.reads_in_flight):
                    await ctx.tick()
                self.writes_in_flight.append(burst)
                sent.append(burst)
                if self.expected(burst) is Response.OKAY:
                    self._remember(burst)
                await put(ctx, self.bus.aw, {"address": burst.address, "length": burst.beats - 1})

        async def send(ctx: Any) -> None:
            gaps = Gaps(self.seed + 3, self.pause)
            for number, burst in enumerate(bursts):
                while len(sent) <= number:
                    await ctx.tick()
                for beat in range(burst.beats):
                    await gaps(ctx)
                    word = {
                        "data": burst.data[beat],
                        "strobe": burst.strobes[beat],
                        "last": beat == burst.beats - 1,
                    }
                    await put(ctx, self.bus.w, word)

        async def confirm(ctx: Any) -> None:
            gaps = Gaps(self.seed + 4, self.pause)
            for burst in bursts:
                await gaps(ctx)
                answer = await get(ctx, self.bus.b)
                assert answer.response == self.expected(burst).value, f"{burst.address:#x}"
                self.writes_in_flight.popleft()

        return [announce, send, confirm]

    def _remember(self, burst: Burst) -> None:
        for beat in range(burst.beats):
            for lane in range(BEAT_BYTES):
                if burst.strobes[beat] >> lane & 1:
                    place = burst.first + beat * BEAT_BYTES + lane
                    self.memory[place] = burst.data[beat] >> 8 * lane & 0xFF
