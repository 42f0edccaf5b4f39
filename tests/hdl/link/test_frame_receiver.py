"""FrameReceiver: only whole, undamaged frames come out, and every one of them."""

import random
from typing import Any

import pytest

from celosia.hdl.link.frame_receiver import FrameReceiver
from celosia.host.transports.framing import FrameDecoder, encode_frame
from tests.gateware import Gaps, convert, simulate
from tests.link_bench.frames import get_frame
from tests.link_bench.line import Faults


def received(line: bytes, count: int, gap: float = 0.0, depth: int = 256, hold: int = 0) -> list[bytes]:
    """`count` frames out of `line`; the first is taken after `hold` cycles."""
    component: Any = FrameReceiver(depth)
    frames = []

    async def feed(ctx: Any) -> None:
        gaps = Gaps(1, gap)
        for byte in line:
            await gaps(ctx)
            ctx.set(component.i.payload, byte)
            ctx.set(component.i.valid, 1)
            await ctx.tick()
            ctx.set(component.i.valid, 0)
        await ctx.tick().repeat(20)

    async def collect(ctx: Any) -> None:
        gaps = Gaps(2, gap)
        await ctx.tick().repeat(hold + 1)
        for _ in range(count):
            frames.append(await get_frame(ctx, component.o, gaps))

    simulate(component, testbenches=[feed, collect])
    return frames


CONTENTS = [b"\x00", b"\x7e\x7d\x5e\x5d", bytes(range(100, 140)), b"\x7d" * 9, b"ab"]


@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_frames_arrive_whole(gap: float) -> None:
    line = b"".join(encode_frame(content) for content in CONTENTS)
    assert received(line, len(CONTENTS), gap) == CONTENTS


def test_one_flag_between_frames_is_enough() -> None:
    line = b"\x7e" + b"".join(encode_frame(content)[1:] for content in CONTENTS)
    assert received(line, len(CONTENTS)) == CONTENTS


@pytest.mark.parametrize("seed", range(3))
def test_of_a_noisy_line_the_same_frames_are_taken_as_by_the_model(seed: int) -> None:
    generator = random.Random(seed)
    contents = [generator.randbytes(generator.randrange(1, 40)) for _ in range(30)]
    line = Faults(0.01, seed)(b"".join(encode_frame(content) for content in contents))
    expected = FrameDecoder().feed(line)
    assert 10 < len(expected) < 30
    assert received(line, len(expected)) == expected


@pytest.mark.parametrize("junk", [b"abc", b"\x7d", encode_frame(b"abcdef")[1:-2], b"\x00" * 70])
def test_junk_before_a_frame_does_no_harm(junk: bytes) -> None:
    assert received(junk + encode_frame(b"good"), 1) == [b"good"]


def test_an_aborted_frame_is_dropped() -> None:
    assert received(encode_frame(b"abcdef")[:-1] + b"\x7d" + encode_frame(b"good"), 1) == [b"good"]


def test_a_frame_that_does_not_fit_is_dropped_whole() -> None:
    contents = [bytes([number]) * 30 for number in range(4)]
    line = b"".join(encode_frame(content) for content in contents)
    # The ring of 64 bytes takes two while nobody reads; what comes once there is room again is taken.
    late = encode_frame(b"late")
    assert received(line + b"\x7e" * 150 + late, 3, depth=64, hold=len(line) + 10) == [*contents[:2], b"late"]


def test_damage_is_reported_once_for_each_frame() -> None:
    component: Any = FrameReceiver(64)
    damaged = encode_frame(b"abc").replace(b"b", b"x")
    reports = []

    async def feed(ctx: Any) -> None:
        for byte in b"\x7e\x7e" + damaged + encode_frame(b"abc") + damaged + b"\x7e":
            ctx.set(component.i.payload, byte)
            ctx.set(component.i.valid, 1)
            _, _, report = await ctx.tick().sample(component.damaged)
            reports.append(report)

    simulate(component, testbenches=[feed])
    assert sum(reports) == 2


def test_a_frame_is_offered_three_cycles_after_its_flag() -> None:
    component: Any = FrameReceiver(64)
    line = encode_frame(b"abc")
    offered = []

    async def feed(ctx: Any) -> None:
        ctx.set(component.o.ready, 1)
        for cycle in range(len(line) + 8):
            ctx.set(component.i.valid, cycle < len(line))
            ctx.set(component.i.payload, line[min(cycle, len(line) - 1)])
            _, _, valid = await ctx.tick().sample(component.o.valid)
            offered.append(valid)

    simulate(component, testbenches=[feed])
    flag = len(line) - 1
    assert [cycle for cycle, valid in enumerate(offered) if valid] == [flag + 3, flag + 4, flag + 5]


@pytest.mark.parametrize("depth", [32, 100])
def test_refuses_a_depth_that_is_no_ring(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth must be a power of two of at least 64, not {depth}"):
        FrameReceiver(depth)


def test_converts() -> None:
    assert "module" in convert(FrameReceiver(64))
