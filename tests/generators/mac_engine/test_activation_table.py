"""`ActivationTable`: every int8 value through one table, on every lane."""

import numpy as np
import pytest
from amaranth.hdl import unsigned
from amaranth.sim import Simulator

from celosia.generators.chassis.tiles.activation_table import TABLE_LATENCY, ActivationTable
from celosia.generators.mac_engine.isa import Destination
from tests.gateware import convert


@pytest.mark.parametrize("enable", [0, 1], ids=["passed on", "looked up"])
@pytest.mark.parametrize("lanes", [4, 8])
def test_all_values_on_all_lanes_with_their_metadata(lanes: int, enable: int) -> None:
    entries = np.random.default_rng(1).integers(-128, 128, 256)
    values = np.array([[(index + 37 * lane) % 256 - 128 for lane in range(lanes)] for index in range(256)])
    table = ActivationTable(lanes, unsigned(8))
    results = []

    async def write(ctx) -> None:
        for address, beat in enumerate(entries.astype("i1").view("<u8").tolist()):
            ctx.set(
                table.writes.payload,
                {"destination": Destination.ACTIVATION_TABLE, "address": address, "data": beat},
            )
            ctx.set(table.writes.valid, 1)
            await ctx.tick()
        # A beat for another memory leaves the table alone.
        ctx.set(table.writes.payload, {"destination": Destination.OPERAND_TABLE, "address": 3, "data": 0})
        await ctx.tick()
        ctx.set(table.writes.valid, 0)

    async def bench(ctx) -> None:
        await write(ctx)
        ctx.set(table.enable, enable)
        for cycle in range(len(values) + TABLE_LATENCY):
            ctx.set(table.values.valid, cycle < len(values))
            if cycle < len(values):
                row = {"values": values[cycle].tolist(), "metadata": cycle}
                ctx.set(table.values.payload, row)
            assert ctx.get(table.results.valid) == (cycle >= TABLE_LATENCY)
            if cycle >= TABLE_LATENCY:
                result = ctx.get(table.results.payload)
                results.append((result.metadata, [result["values"][lane] for lane in range(lanes)]))
            await ctx.tick()
        assert not ctx.get(table.results.valid)

    simulator = Simulator(table)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    expected = entries[values + 128] if enable else values
    assert results == list(enumerate(expected.tolist()))


def test_refuses_no_lanes() -> None:
    with pytest.raises(ValueError, match="lanes must be at least 1, not 0"):
        ActivationTable(0, unsigned(1))


def test_converts() -> None:
    convert(ActivationTable(4, unsigned(18)))
