"""MemoryReader: the bytes asked for, in order."""

from typing import Any

import pytest

from celosia.hdl.axi import Response
from celosia.hdl.link.memory_reader import MemoryReader
from celosia.hdl.link.protocol import Outcome
from tests.axi_memory import AxiMemory
from tests.gateware import Gaps, convert, simulate
from tests.link_bench.frames import get_frame

CONTENT = bytes(range(256))


def read(transfers: list[tuple[int, int]], pause: float = 0.0, **answers: Any) -> list[tuple[bytes, int]]:
    """Bytes and outcomes of `transfers`."""
    component: Any = MemoryReader(32)
    memory = AxiMemory(bytearray(CONTENT), latency=3, pause=pause, seed=1, **answers)
    got = []

    async def serve(ctx: Any) -> None:
        await memory.serve_reads(ctx, component.bus)

    async def drive(ctx: Any) -> None:
        gaps = Gaps(2, pause)
        for address, length in transfers:
            ctx.set(component.address, address)
            ctx.set(component.length, length)
            ctx.set(component.start, 1)
            await ctx.tick()
            ctx.set(component.start, 0)
            content = await get_frame(ctx, component.o, gaps)
            got.append((content, ctx.get(component.outcome)))

    simulate(component, serve, testbenches=[drive])
    return got


@pytest.mark.parametrize("pause", [0.0, 0.4])
def test_every_alignment_and_size(pause: float) -> None:
    transfers = [(16 + offset, size) for offset in range(8) for size in (1, 2, 7, 8, 9, 17)]
    expected = [(CONTENT[address : address + size], Outcome.DONE) for address, size in transfers]
    assert read(transfers, pause) == expected


@pytest.mark.parametrize(
    ("response", "outcome"),
    [(Response.SLAVE_ERROR, Outcome.SLAVE_ERROR), (Response.DECODE_ERROR, Outcome.DECODE_ERROR)],
)
def test_a_failed_read_has_its_bytes_and_the_first_error(response: Response, outcome: Outcome) -> None:
    (failed, error), (content, after) = read([(0, 24), (32, 8)], responses={8: response})
    assert (len(failed), error) == (24, outcome)
    assert (content, after) == (CONTENT[32:40], Outcome.DONE)


def test_converts() -> None:
    assert "module" in convert(MemoryReader(32))
