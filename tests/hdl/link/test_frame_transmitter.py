"""FrameTransmitter: what goes in is on the line as the model encodes it."""

import random
from typing import Any

import pytest

from celosia.hdl.link.frame_transmitter import FrameTransmitter
from celosia.host.transports.framing import encode_frame
from tests.gateware import Gaps, convert, get, simulate
from tests.link_bench.frames import put_frames


@pytest.mark.parametrize(("gap", "pause"), [(0.0, 0.0), (0.5, 0.0), (0.3, 0.5)])
def test_frames_are_encoded(gap: float, pause: float) -> None:
    component: Any = FrameTransmitter()
    generator = random.Random(1)
    frames = [b"\x7e", b"\x7d\x7e\x7d", *(generator.randbytes(generator.randrange(1, 40)) for _ in range(10))]
    line = b"".join(encode_frame(frame) for frame in frames)

    async def feed(ctx: Any) -> None:
        await put_frames(ctx, component.i, frames, Gaps(2, gap))

    async def collect(ctx: Any) -> None:
        gaps = Gaps(3, pause)
        for expected in line:
            await gaps(ctx)
            assert await get(ctx, component.o) == expected

    simulate(component, testbenches=[feed, collect])


def test_a_byte_a_cycle() -> None:
    component: Any = FrameTransmitter()
    line = encode_frame(b"abcde")
    cycles = []

    async def feed(ctx: Any) -> None:
        await put_frames(ctx, component.i, [b"abcde"], Gaps(0, 0.0))

    async def collect(ctx: Any) -> None:
        ctx.set(component.o.ready, 1)
        for cycle in range(len(line) + 4):
            _, _, valid = await ctx.tick().sample(component.o.valid)
            if valid:
                cycles.append(cycle)

    simulate(component, testbenches=[feed, collect])
    assert cycles == list(range(len(line)))


def test_converts() -> None:
    assert "module" in convert(FrameTransmitter())
