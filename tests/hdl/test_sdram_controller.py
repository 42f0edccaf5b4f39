"""SdramController: commands at exact cycles, rows opened behind the beats of the request before."""

from dataclasses import replace
from typing import Any

import pytest

from celosia.hdl.sdram_controller import SdramController
from celosia.hdl.sdram_pins import SdramCommand
from celosia.hdl.sdram_rows import SdramRows
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry
from tests.gateware import convert, put, simulate
from tests.sdram_bench import SdramChip
from tests.sdram_model import SdramModel

FREQUENCY = 133_000_000
GEOMETRY = SdramGeometry()
TIMING = replace(AS4C16M16SA_7, power_up=1000)
CYCLES = TIMING.cycles(FREQUENCY)
ACTIVE, PRECHARGE, READ, WRITE = (
    SdramCommand.ACTIVE,
    SdramCommand.PRECHARGE,
    SdramCommand.READ,
    SdramCommand.WRITE,
)
PAGE = GEOMETRY.page_bytes
ROW = 4 * PAGE
"""Bytes from a row to the next one of the same bank."""


class Bench:
    """Requests one after the other, from an initialised chip on.

    Attributes:
        taken: cycles in which requests were taken.
        beats: (cycle, data, last) of what was read.
    """

    def __init__(self, requests: list[tuple[str, int, int]], *, spaced: int = 0, cycles: int = 250) -> None:
        self.controller = controller = SdramController(GEOMETRY, CYCLES)
        self.chip = SdramChip(SdramModel(GEOMETRY, TIMING, FREQUENCY))
        self.taken: list[int] = []
        self.beats: list[tuple[int, int, int]] = []

        async def chip(ctx: Any) -> None:
            ctx.set(controller.refresh_interval, TIMING.refresh_interval(FREQUENCY))
            await self.chip.attach(ctx, controller.pins)

        async def watch(ctx: Any) -> None:
            """Cycles are the chip's log's."""
            read, write, beats = controller.read.request, controller.write.request, controller.read.beats
            cycle = 0
            while True:
                _, _, asked, announced, valid, payload = await ctx.tick().sample(
                    read.valid & read.ready, write.valid & write.ready, beats.valid, beats.payload
                )
                if asked or announced:
                    self.taken.append(cycle)
                if valid:
                    self.beats.append((cycle, payload.data, payload.last))
                cycle += 1

        async def ask(ctx: Any) -> None:
            ctx.set(controller.write.beats.valid, 1)
            ctx.set(controller.write.beats.payload, {"data": 0x4444333322221111, "strobe": 0xFF})
            await ctx.tick().until(controller.initialized)
            await ctx.tick().repeat(5)
            for kind, address, beats in requests:
                request = controller.read.request if kind == "read" else controller.write.request
                await put(ctx, request, {"address": address, "length": beats - 1})
                for _ in range(spaced):
                    await ctx.tick()
            for _ in range(cycles):
                await ctx.tick()

        simulate(controller, chip, watch, testbenches=[ask])
        self.commands = [entry for entry in self.chip.log if entry[0] > self.taken[0]]

    def after(self, number: int) -> list[tuple[int, SdramCommand]]:
        """Commands from the taking of request `number` to that of the next, in cycles after it."""
        begin = self.taken[number]
        end = self.taken[number + 1] if number + 1 < len(self.taken) else begin + 1000
        return [(cycle - begin, command) for cycle, command, _ in self.commands if begin < cycle <= end]


def test_commands_of_requests_alone() -> None:
    bench = Bench(
        [("read", 0, 2), ("read", 16, 2), ("read", ROW, 1), ("write", ROW + 8, 2)], spaced=40, cycles=30
    )
    assert bench.after(0) == [(3, ACTIVE), (6, READ), (10, READ)]
    assert bench.after(1) == [(4, READ), (8, READ)]
    assert bench.after(2) == [(3, PRECHARGE), (6, ACTIVE), (9, READ)]
    assert bench.after(3) == [(4, WRITE), (8, WRITE)]


def test_beats_come_8_and_cas_latency_after_a_request_for_an_open_row() -> None:
    bench = Bench([("write", 0, 3), ("read", 0, 3)], spaced=40, cycles=40)
    first = bench.taken[1] + CYCLES.cas_latency + 8
    word = 0x4444333322221111
    assert bench.beats == [(first, word, 0), (first + 4, word, 0), (first + 8, word, 1)]


@pytest.mark.parametrize("kind", ["read", "write"])
def test_the_next_row_opens_behind_the_beats_of_another_bank(kind: str) -> None:
    bench = Bench([(kind, bank * PAGE + row * ROW, 8) for row in range(2) for bank in range(4)], cycles=80)
    accesses = [cycle for cycle, command, _ in bench.commands if command in (READ, WRITE)]
    assert accesses == list(range(accesses[0], accesses[0] + 4 * 64, 4))


@pytest.mark.parametrize("kind", ["read", "write"])
def test_another_row_of_the_same_bank_waits_for_the_beats_before(kind: str) -> None:
    """tWR counts from the last data; a READ waits as long."""
    bench = Bench([(kind, 0, 8), (kind, ROW, 8)], cycles=80)
    accesses = [cycle for cycle, command, _ in bench.commands if command in (READ, WRITE)]
    assert accesses[8] - accesses[7] == CYCLES.access_to_precharge + CYCLES.precharge + CYCLES.row_to_column


def test_a_write_after_a_read_leaves_the_pins_free_for_2_cycles() -> None:
    bench = Bench([("read", 0, 1), ("write", 8, 1), ("read", 0, 1)], cycles=40)
    accesses = [cycle for cycle, command, _ in bench.commands if command in (READ, WRITE)]
    assert accesses[1] - accesses[0] == CYCLES.cas_latency + 4 + 2
    assert accesses[2] - accesses[1] == 4


def test_rows_refuse_a_chip_whose_row_to_row_they_would_not_keep() -> None:
    with pytest.raises(
        ValueError, match=r"row_to_row must be at most 2 cycles above row_to_column \(3\), not 6"
    ):
        SdramRows(GEOMETRY, replace(CYCLES, row_to_row=6))


def test_converts() -> None:
    assert "module" in convert(SdramController(GEOMETRY, CYCLES))
