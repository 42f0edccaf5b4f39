"""MemoryWriter: bytes land where they belong, and nothing beside them changes."""

import random
from typing import Any

import pytest

from celosia.hdl.axi import Response
from celosia.hdl.link.memory_writer import MemoryWriter
from celosia.hdl.link.protocol import Outcome
from tests.axi_memory import AxiMemory
from tests.gateware import Gaps, convert, simulate
from tests.link_bench.frames import put_frames

BEFORE = bytes(range(256)) * 2


def write(
    transfers: list[tuple[int, bytes]], pause: float = 0.0, **answers: Any
) -> tuple[AxiMemory, list[int]]:
    """The memory after `transfers`, and their outcomes."""
    component: Any = MemoryWriter(32)
    memory = AxiMemory(bytearray(BEFORE), latency=3, pause=pause, seed=1, **answers)
    outcomes = []

    async def serve(ctx: Any) -> None:
        await memory.serve_writes(ctx, component.bus)

    async def drive(ctx: Any) -> None:
        for address, content in transfers:
            ctx.set(component.address, address)
            ctx.set(component.start, 1)
            await ctx.tick()
            ctx.set(component.start, 0)
            await put_frames(ctx, component.i, [content], Gaps(2, pause))
            if not ctx.get(component.done):
                await ctx.tick().until(component.done)
            outcomes.append(ctx.get(component.outcome))
            await ctx.tick()

    simulate(component, serve, testbenches=[drive])
    return memory, outcomes


@pytest.mark.parametrize("pause", [0.0, 0.4])
def test_every_alignment_and_size(pause: float) -> None:
    generator = random.Random(3)
    sizes = (1, 2, 7, 8, 9, 17)
    transfers = [(16 + offset, generator.randbytes(size)) for offset in range(8) for size in sizes]
    expected = bytearray(BEFORE)
    for address, content in transfers:
        expected[address : address + len(content)] = content
    memory, outcomes = write(transfers, pause)
    assert memory.data == expected
    assert outcomes == [Outcome.DONE] * len(transfers)
    assert memory.strobes == sum(len(content) for _, content in transfers)


@pytest.mark.parametrize(
    ("response", "outcome"),
    [(Response.SLAVE_ERROR, Outcome.SLAVE_ERROR), (Response.DECODE_ERROR, Outcome.DECODE_ERROR)],
)
def test_the_first_error_is_the_outcome_and_the_next_write_starts_afresh(
    response: Response, outcome: Outcome
) -> None:
    _, outcomes = write([(0, bytes(24)), (32, bytes(8))], responses={8: response})
    assert outcomes == [outcome, Outcome.DONE]


def test_converts() -> None:
    assert "module" in convert(MemoryWriter(32))
