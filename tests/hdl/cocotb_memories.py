"""The cocotb benches of the AXI memories of `blocks_top`, with cocotbext-axi as manager and a model of the SDRAM chip.

Run by `test_cocotb_blocks.py`, replayed like `cocotb_blocks.py`.
"""

import random
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import AxiBus, AxiMaster, AxiRam, AxiResp

from celosia.hdl.sdram_pins import SdramCommand
from tests.hdl.blocks_top import BLOCK_RAM_BYTES, MANAGERS, SDRAM, SDRAM_CLOCK, SDRAM_TIMING
from tests.hdl.cocotb_blocks import RAM_BYTES
from tests.hdl.cocotb_lockstep import pauses, start
from tests.sdram_model import PinState, SdramModel

ACCESSES = 60
LARGEST_ACCESS = 2500
"""Bytes: more than the longest burst."""
WORD_BYTES = 8


def pause(peer: Any) -> None:
    """Random pauses on all channels of a peer."""
    writes, reads = peer.write_if, peer.read_if
    for channel in (writes.aw_channel, writes.w_channel, writes.b_channel, reads.ar_channel, reads.r_channel):
        channel.set_pause_generator(pauses())


def manager(dut: Any, prefix: str) -> Any:
    """A manager that pauses at random on all channels. The memories have no IDs: it must use 0 alone."""
    result = AxiMaster(AxiBus.from_prefix(dut, prefix), dut.clk, dut.rst)
    pause(result)
    return result


async def access(manager: Any, place: Callable[[], tuple[int, int]], accesses: int = ACCESSES) -> None:
    """Writes and reads of whole words at `place()` (address, bytes), compared with what was written before."""
    content: dict[int, int] = {}
    for _ in range(accesses):
        address, size = place()
        if random.random() < 0.5:
            data = random.randbytes(size)
            response = await manager.write(address, data, awid=0)
            content |= dict(enumerate(data, address))
        else:
            response = await manager.read(address, size, arid=0)
            got = dict(enumerate(response.data, address))
            wrong = [at for at, byte in got.items() if content.get(at, byte) != byte]
            assert not wrong, f"byte {wrong[0]:#x} is {got[wrong[0]]:#x}, not {content[wrong[0]]:#x}"
        assert response.resp == AxiResp.OKAY


def words(first: int, beyond: int) -> Callable[[], tuple[int, int]]:
    """Random places of whole words in first..beyond-1."""

    def place() -> tuple[int, int]:
        size = WORD_BYTES * random.randint(1, min(LARGEST_ACCESS, beyond - first) // WORD_BYTES)
        return first + WORD_BYTES * random.randint(0, (beyond - first - size) // WORD_BYTES), size

    return place


@cocotb.test()
async def axi_block_ram(dut: Any) -> None:
    """AxiBlockRam: what was written is read; what lies beyond is refused."""
    await start(dut)
    ram = manager(dut, "block_ram_axi")
    await access(ram, words(0, BLOCK_RAM_BYTES))
    assert (await ram.read(BLOCK_RAM_BYTES, WORD_BYTES, arid=0)).resp == AxiResp.DECERR
    assert (await ram.write(BLOCK_RAM_BYTES, bytes(WORD_BYTES), awid=0)).resp == AxiResp.DECERR


@cocotb.test()
async def axi_shared_bus(dut: Any) -> None:
    """AxiSharedBus: each manager has a part of cocotbext-axi's memory, and gets what it wrote there."""
    await start(dut)
    ram = AxiRam(AxiBus.from_prefix(dut, "shared_axi"), dut.clk, dut.rst, size=RAM_BYTES)
    pause(ram)
    part = RAM_BYTES // MANAGERS
    tasks = [
        cocotb.start_soon(
            access(manager(dut, f"shared_{index}_axi"), words(index * part, (index + 1) * part))
        )
        for index in range(MANAGERS)
    ]
    for task in tasks:
        await task


async def sdram_chip(dut: Any, model: SdramModel) -> None:
    """Endless: the chip at the pins, which sees them at every rising edge and answers until the next."""
    names = ("ras", "cas", "we", "ba", "a", "dqm", "dq_oe", "dq_o", "clk_en", "cs")
    pins = {name: dut[f"sdram__pins__{name}"] for name in names}
    data = dut.sdram__pins__dq_i
    while True:
        await FallingEdge(dut.clk)
        seen = {name: int(pin.value) for name, pin in pins.items()}
        state = PinState(
            SdramCommand(seen["ras"] << 2 | seen["cas"] << 1 | seen["we"]),
            seen["ba"],
            seen["a"],
            seen["dqm"],
            seen["dq_o"] if seen["dq_oe"] else None,
            bool(seen["clk_en"]),
            bool(seen["cs"]),
        )
        await RisingEdge(dut.clk)
        word = model.edge(state)
        data.value = random.getrandbits(16) if word is None else word


@cocotb.test()
async def axi_sdram(dut: Any) -> None:
    """AxiSdram and a chip that refuses whatever its datasheet forbids; refreshed all the while."""
    await start(dut)
    dut.sdram__refresh_interval.value = SDRAM_TIMING.refresh_interval(SDRAM_CLOCK)
    chip = SdramModel(SDRAM, SDRAM_TIMING, SDRAM_CLOCK, seed=random.getrandbits(32))
    cocotb.start_soon(sdram_chip(dut, chip))
    memory = manager(dut, "sdram_axi")
    rows = 1 << SDRAM.address_bits
    base = random.randrange(rows // RAM_BYTES) * RAM_BYTES
    await access(memory, words(base, base + RAM_BYTES), ACCESSES // 2)
    assert (await memory.read(rows, WORD_BYTES, arid=0)).resp == AxiResp.DECERR
    assert chip.refreshes > 10
