"""`WeightFifo`: rows come out as they went in, and its model tells when."""

import random
from dataclasses import replace
from typing import Any

import pytest

from celosia.generators.systolic.config import PRESETS, SystolicConfig
from celosia.generators.systolic.timing_constants import ROW_LATENCY
from celosia.generators.systolic.weight_fifo import READ_DELAY, WeightFifo
from celosia.generators.systolic.weight_fifo_timing import WeightFifoTiming
from tests.gateware import convert, simulate

SMALL = replace(PRESETS["tpu-8x8"], weight_tiles=2)
WIDE = replace(SMALL, columns=16)


@pytest.mark.parametrize("config", [SMALL, WIDE], ids=["a beat a row", "two beats a row"])
@pytest.mark.parametrize("gap", [0.0, 0.4])
def test_rows_come_out_in_order(config: SystolicConfig, gap: float) -> None:
    draw = random.Random(1)
    tiles = 5
    commands = [config.tile_beats] * tiles
    beats = [draw.getrandbits(64) for _ in range(sum(commands))]
    fifo = WeightFifo(config)
    model = WeightFifoTiming(config)
    rows: list[int] = []
    finished: list[int] = []
    predicted: list[int] = []

    async def bench(ctx: Any) -> None:
        waiting = list(beats)
        room, cycle, left = config.fifo_beats, 0, 0
        command, opened = 0, False
        while len(rows) < tiles * config.rows or len(finished) < tiles:
            comes = bool(waiting) and room > 0 and draw.random() >= gap
            starts = command < tiles and not opened
            ctx.set(fifo.port.start, starts)
            ctx.set(fifo.port.command.beats, commands[min(command, tiles - 1)])
            ctx.set(fifo.port.beats.valid, comes)
            if starts:
                model.start(cycle, {"beats": commands[command]})
                opened = True
            if comes:
                ctx.set(fifo.port.beats.payload, waiting.pop(0))
                model.beat(cycle)
                room -= 1
            if left == 0 and ctx.get(fifo.available) and draw.random() >= gap:
                assert model.rows[config.rows - 1] <= cycle
                left = config.rows
            ctx.set(fifo.take, left > 0)
            if left:
                model.rows.popleft()
                left -= 1
            room += config.row_beats * ctx.get(fifo.port.freed)
            if ctx.get(fifo.row_valid):
                rows.append(ctx.get(fifo.row))
            model.cycle(cycle)
            if model.finished == cycle:
                predicted.append(cycle)
            if ctx.get(fifo.port.finished):
                finished.append(cycle)
                command, opened = command + 1, False
            await ctx.tick()
            cycle += 1

    simulate(fifo, testbenches=[bench])
    joined = [
        sum(beat << 64 * place for place, beat in enumerate(beats[first : first + config.row_beats]))
        for first in range(0, len(beats), config.row_beats)
    ]
    assert rows == joined
    assert finished == predicted


def test_a_row_comes_when_its_activations_would() -> None:
    fifo = WeightFifo(SMALL)
    seen = []

    async def bench(ctx: Any) -> None:
        for cycle in range(SMALL.rows + 2 + ROW_LATENCY + 1):
            ctx.set(fifo.port.beats.valid, cycle < SMALL.rows)
            ctx.set(fifo.port.beats.payload, cycle + 1)
            ctx.set(fifo.take, cycle == SMALL.rows + 1)
            seen.append((ctx.get(fifo.available), ctx.get(fifo.port.freed), ctx.get(fifo.row_valid)))
            if seen[-1][2]:
                assert ctx.get(fifo.row) == 1
            await ctx.tick()

    simulate(fifo, testbenches=[bench])
    assert [index for index, (available, _, _) in enumerate(seen) if available] == [
        SMALL.rows,
        SMALL.rows + 1,
    ]
    taken = SMALL.rows + 1
    assert [index for index, (_, freed, _) in enumerate(seen) if freed] == [taken + READ_DELAY]
    assert [index for index, (_, _, valid) in enumerate(seen) if valid] == [taken + ROW_LATENCY]


def test_converts() -> None:
    assert "endmodule" in convert(WeightFifo(SMALL))
