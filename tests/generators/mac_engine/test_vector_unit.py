"""`VectorUnit`: table entries of two bricks, added or multiplied."""

import random
from typing import Any

import numpy as np
import pytest

from celosia.generators.chassis.tiles.vector_unit import VECTOR_LATENCY, VectorUnit
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import Destination
from tests.gateware import convert, simulate

from .compute_model import wrap


@pytest.mark.parametrize("broadcast", [0, 1])
@pytest.mark.parametrize("multiply", [0, 1])
@pytest.mark.parametrize("preset", ["u55-32", "u55-64"])
def test_combines_a_pair_of_bricks_every_two_cycles(preset: str, multiply: int, broadcast: int) -> None:
    config = PRESETS[preset]
    unit = VectorUnit(config)
    values = np.random.default_rng(1)
    limit = 256 if multiply else 1 << 31
    tables = values.integers(-limit, limit, (2, 256)).astype(np.int32)
    pairs = values.integers(-128, 128, (20, 2, 8)).astype(np.int8)
    odd = [random.Random(n).randint(0, 1) for n in range(len(pairs))]
    results = []

    async def bench(ctx: Any) -> None:
        ctx.set(unit.multiply, multiply)
        ctx.set(unit.broadcast, broadcast)
        ctx.set(unit.writes.valid, 1)
        for beat, word in enumerate(tables.view("<u8").reshape(-1)):
            ctx.set(
                unit.writes.payload,
                {"destination": Destination.OPERAND_TABLE, "address": beat, "data": int(word)},
            )
            await ctx.tick()
        ctx.set(unit.writes.payload.destination, Destination.WEIGHT_STORE)
        ctx.set(unit.writes.payload.address, 0)
        for cycle in range(2 * len(pairs) + VECTOR_LATENCY):
            if cycle < 2 * len(pairs):
                pair, operand = divmod(cycle, 2)
                ctx.set(unit.brick, int.from_bytes(pairs[pair, operand].tobytes(), "little"))
                ctx.set(unit.second_operand, operand)
                ctx.set(unit.odd_block, odd[pair])
            if cycle > VECTOR_LATENCY and (cycle - VECTOR_LATENCY) % 2:
                results.append(list(ctx.get(unit.result)))
            await ctx.tick()

    simulate(unit, testbenches=[bench])
    outputs = config.core_outputs
    for (first, second), half, result in zip(pairs, odd, results, strict=True):
        offset = half * outputs if outputs < 8 else 0
        own = slice(offset, offset + outputs)
        other = np.repeat(second[:1], outputs) if broadcast else second[own]
        a = tables[0][first[own].astype(int) + 128].tolist()
        b = tables[1][other.astype(int) + 128].tolist()
        assert result == [x * y if multiply else wrap(x + y) for x, y in zip(a, b, strict=True)]


def test_converts() -> None:
    assert convert(VectorUnit(PRESETS["u55-64"])).count(" * ") == 8
