"""The memory's module by its ports, as whoever puts a vendor's controller there sees it."""

import re
from typing import Any

import pytest
from amaranth.sim import Simulator

from celosia.boards.memory_module import BlockRamModule, block_ram_module

SIZE = 4096
BEATS = (0x0123456789ABCDEF, 0xFEDCBA9876543210)


def test_what_is_written_through_the_ports_is_read_through_them() -> None:
    module = BlockRamModule(32, SIZE)
    ports = module.ports

    async def use(ctx: Any) -> None:
        async def cycle_until(name: str) -> None:
            """Up to the edge at which both sides of a handshake agree."""
            for _ in range(50):
                if ctx.get(ports[name]):
                    await tick(ctx)
                    return
                await tick(ctx)
            raise AssertionError(f"{name} never came")

        ctx.set(ports["aresetn"], 0)
        await tick(ctx)
        assert not ctx.get(ports["ready"])
        ctx.set(ports["aresetn"], 1)
        await tick(ctx)
        assert ctx.get(ports["ready"])
        for channel in ("aw", "ar"):
            ctx.set(ports[f"s_axi_{channel}addr"], 0x40)
            ctx.set(ports[f"s_axi_{channel}len"], len(BEATS) - 1)
        ctx.set(ports["s_axi_awvalid"], 1)
        await cycle_until("s_axi_awready")
        ctx.set(ports["s_axi_awvalid"], 0)
        ctx.set(ports["s_axi_wvalid"], 1)
        for index, beat in enumerate(BEATS):
            ctx.set(ports["s_axi_wdata"], beat)
            ctx.set(ports["s_axi_wstrb"], 0xFF)
            ctx.set(ports["s_axi_wlast"], int(index == len(BEATS) - 1))
            await cycle_until("s_axi_wready")
        ctx.set(ports["s_axi_wvalid"], 0)
        ctx.set(ports["s_axi_bready"], 1)
        await cycle_until("s_axi_bvalid")
        assert ctx.get(ports["s_axi_bresp"]) == 0
        ctx.set(ports["s_axi_arvalid"], 1)
        await cycle_until("s_axi_arready")
        ctx.set(ports["s_axi_arvalid"], 0)
        read: list[tuple[int, int, int]] = []
        ctx.set(ports["s_axi_rready"], 1)
        for _ in range(50):
            if ctx.get(ports["s_axi_rvalid"]):
                read.append(tuple(ctx.get(ports[f"s_axi_r{name}"]) for name in ("data", "resp", "last")))
            await tick(ctx)
        assert read == [(BEATS[0], 0, 0), (BEATS[1], 0, 1)]

    async def tick(ctx: Any) -> None:
        ctx.set(ports["aclk"], 1)
        await ctx.delay(1e-8)
        ctx.set(ports["aclk"], 0)
        await ctx.delay(1e-8)

    simulator = Simulator(module)
    simulator.add_testbench(use)
    simulator.run()


def test_the_text_names_its_size_and_has_only_the_ports_of_the_seam() -> None:
    text = block_ram_module(32, SIZE)
    assert "4 KiB of block RAM" in text
    ((_, ports),) = re.findall(r"^module (board_memory)\((.*?)\);", text, re.DOTALL | re.MULTILINE)
    names = {port.strip() for port in ports.split(",")}
    assert names == set(BlockRamModule(32, SIZE).ports)


def test_a_size_that_no_block_ram_has_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be a power of two"):
        block_ram_module(32, 5000)
