"""`WindowReader`: bricks of the buffer, padding outside of the ifm, at a fixed latency."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.window_reader import WINDOW_LATENCY, WindowReader
from celosia.hdl.brick_buffer import BrickBuffer
from tests.gateware import convert, put, simulate

WIDTH, HEIGHT = 11, 4
ROW_PITCH = 12
PAD = -3
CONFIG = PRESETS["u55-128"]


@pytest.mark.parametrize("seed", [1])
def test_a_window_a_cycle(seed: int) -> None:
    generator = random.Random(seed)
    words = [generator.getrandbits(64) for _ in range(64)]
    places = [(generator.randint(-9, 13), generator.randint(-1, HEIGHT)) for _ in range(60)]
    reader, buffer = WindowReader(CONFIG), BrickBuffer(64)
    m = Module()
    m.submodules += [reader, buffer]
    wiring.connect(m, reader.gather, buffer.gather)
    windows, addresses = [], []

    async def bench(ctx: Any) -> None:
        for address, word in enumerate(words):
            await put(ctx, buffer.load_write, {"address": address, "data": word})
        ctx.set(reader.command, {"ifm_width": WIDTH, "ifm_height": HEIGHT, "pad_value": PAD, "window": 8})
        for cycle in range(len(places) + WINDOW_LATENCY):
            if cycle < len(places):
                x, y = places[cycle]
                row = y * ROW_PITCH % (1 << 16)
                ctx.set(reader.reading, 1)
                ctx.set(reader.read, {"row": row, "column": x % (1 << 16), "x": x, "y": y})
                ctx.set(reader.slot, {"address": cycle % 16})
            if cycle >= WINDOW_LATENCY:
                windows.append(list(ctx.get(reader.window)))
                addresses.append(ctx.get(reader.window_slot).address)
            await ctx.tick()

    simulate(m, testbenches=[bench])
    pad_brick = int.from_bytes(bytes([PAD & 0xFF] * 8), "little")
    assert windows == [
        [
            words[y * ROW_PITCH + x + brick] if 0 <= y < HEIGHT and 0 <= x + brick < WIDTH else pad_brick
            for brick in range(8)
        ]
        for x, y in places
    ]
    assert addresses == [n % 16 for n in range(len(places))]


def test_a_second_operand_has_no_padding() -> None:
    reader = WindowReader(CONFIG)
    blanks = []

    async def bench(ctx: Any) -> None:
        ctx.set(reader.read.x, -1)
        for second_operand in (0, 1):
            ctx.set(reader.slot.second_operand, second_operand)
            await ctx.tick().repeat(WINDOW_LATENCY)
            blanks.append(ctx.get(reader.gather.blank[0]))

    simulate(reader, testbenches=[bench])
    assert blanks == [1, 0]


def test_converts() -> None:
    assert "endmodule" in convert(WindowReader(CONFIG))
