"""`DualPortMemory`: two ports on the same rows, and its one module in Verilog."""

import random
from typing import Any

from amaranth.back import verilog
from amaranth.hdl import Module, Value

from celosia.hdl.dual_port_memory import DualPortMemory
from celosia.hdl.verilog_memory import VerilogMemories
from tests.gateware import simulate

DEPTH, WIDTH = 32, 16
SEED = 7


def test_each_port_reads_what_either_wrote() -> None:
    """Random accesses of both ports, never of one row at once when one writes it."""
    memory = DualPortMemory(DEPTH, WIDTH)
    draw = random.Random(SEED)
    rows: dict[int, int] = {}

    async def bench(ctx: Any) -> None:
        for _ in range(500):
            expected: list[int | None] = []
            addresses = draw.sample(range(DEPTH), 2)
            for port, address in zip(memory.ports, addresses, strict=True):
                is_write = draw.random() < 0.5
                value = draw.randrange(1 << WIDTH)
                ctx.set(port.address, address)
                ctx.set(port.write_enable, is_write)
                ctx.set(port.write_data, value)
                expected.append(None if is_write else rows.get(address))
                if is_write:
                    rows[address] = value
            await ctx.tick()
            for port, wanted in zip(memory.ports, expected, strict=True):
                assert wanted is None or ctx.get(port.read_data) == wanted

    simulate(memory, testbenches=[bench])
    assert len(rows) == DEPTH


def test_memories_of_one_shape_share_one_module_without_a_line_for_every_row() -> None:
    m = Module()
    m.submodules.first, m.submodules.second = memories = DualPortMemory(512, 32), DualPortMemory(512, 32)
    platform = VerilogMemories()
    ports = [
        Value.cast(getattr(port, name))
        for memory in memories
        for port in memory.ports
        for name in ("address", "write_enable", "write_data", "read_data")
    ]
    text = verilog.convert(m, platform=platform, ports=ports)
    assert list(platform) == ["block_ram_512x32_dual"]
    assert text.count("block_ram_512x32_dual ") == 2
    assert len(text) < 10_000
