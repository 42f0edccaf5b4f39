"""`KernelBuffers`: an operand for each row from beats of eight bytes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from celosia.generators.chassis.tiles.commands import Destination
from celosia.generators.cnn_array.config import PRESETS
from celosia.generators.cnn_array.kernel_buffers import KERNEL_READ_LATENCY, KernelBuffers
from tests.gateware import convert, simulate

CONFIGS = {
    **PRESETS,
    "fixed18": replace(PRESETS["catapult-8x8"], operand_bits=18),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_rows_get_their_operands_and_other_destinations_none(name: str) -> None:
    config = CONFIGS[name]
    unit = KernelBuffers(config)
    beats = 8 * config.weight_word_bytes // config.data_bits
    pattern = int.from_bytes(bytes(range(1, config.data_bits // 8 + 1)))
    words = {3: 0, config.weight_words - 1: 0}

    async def bench(ctx: Any) -> None:
        beat = unit.writes.payload
        ctx.set(unit.writes.valid, 1)
        for number, word in enumerate(words):
            for part in range(beats):
                data = pattern * (2 * number + part + 1) & (1 << config.data_bits) - 1
                words[word] |= data << config.data_bits * part
                ctx.set(beat.destination, Destination.WEIGHT_STORE)
                ctx.set(beat.address, word * beats + part)
                ctx.set(beat.data, data)
                await ctx.tick()
                ctx.set(beat.destination, Destination.PARAMETER_STORE)
                ctx.set(beat.data, 1)
                await ctx.tick()
        ctx.set(unit.writes.valid, 0)
        for word, expected in words.items():
            ctx.set(unit.address, word)
            await ctx.tick().repeat(KERNEL_READ_LATENCY)
            operands = np.frombuffer(
                expected.to_bytes(config.weight_word_bytes, "little"), f"u{config.element_bytes}"
            )
            bits = config.element_bits
            kept = [int(operand) & (1 << bits) - 1 for operand in operands]
            assert ctx.get(unit.word) == sum(operand << bits * row for row, operand in enumerate(kept))

    simulate(unit, testbenches=[bench])


def test_converts() -> None:
    assert "endmodule" in convert(KernelBuffers(PRESETS["catapult-16x16"]))
