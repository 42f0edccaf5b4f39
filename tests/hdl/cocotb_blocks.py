"""The cocotb benches of the stream and AXI blocks of `blocks_top`: in lockstep with their models under random traffic.

Run by `test_cocotb_blocks.py`. The seed is cocotb's, so a run is replayed with `COCOTB_RANDOM_SEED`.
"""

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import AxiRamRead, AxiRamWrite
from cocotbext.axi import AxiReadBus as PeerReadBus
from cocotbext.axi import AxiWriteBus as PeerWriteBus

from celosia.hdl.burst_splitter import split
from tests.hdl.block_models import (
    ArbiterModel,
    BlockModel,
    PackerModel,
    QueueModel,
    SkidModel,
    SplitterModel,
    UnpackerModel,
    WriterModel,
)
from tests.hdl.blocks_top import (
    BURST_BEATS,
    CLIENTS,
    LARGE_DEPTH,
    OUTSTANDING,
    QUEUE_BEATS,
    SMALL_DEPTH,
)
from tests.hdl.cocotb_lockstep import accept, lockstep, offer, pauses, start

RAM_BYTES = 1 << 16
WRITES_OUTSTANDING = 4
REST_CYCLES = 150
"""A client of the arbiter rests up to so long after a burst, or the first would starve the others."""


STREAM_INPUTS = ("i__valid", "i__payload", "o__ready")


async def check_stream_block(dut: Any, block: str, model: BlockModel) -> None:
    """A block with streams `i` and `o` of 8 bits."""
    await start(dut)
    cocotb.start_soon(offer(dut, f"{block}__i", lambda: random.randrange(256)))
    cocotb.start_soon(accept(dut, f"{block}__o"))
    await lockstep(dut, block, model, STREAM_INPUTS)


@cocotb.test()
async def small_stream_queue(dut: Any) -> None:
    """StreamQueue in LUT RAM."""
    await check_stream_block(dut, "small", QueueModel(SMALL_DEPTH, has_output_register=False))


@cocotb.test()
async def large_stream_queue(dut: Any) -> None:
    """StreamQueue in block RAM."""
    await check_stream_block(dut, "large", QueueModel(LARGE_DEPTH, has_output_register=True))


@cocotb.test()
async def skid_buffer(dut: Any) -> None:
    """SkidBuffer."""
    await check_stream_block(dut, "skid", SkidModel())


def random_transfer() -> int:
    """Address in the lower 32 bits, 0..100 beats above."""
    return random.randrange(1 << 32) | random.randrange(100) << 32


@cocotb.test()
async def burst_splitter(dut: Any) -> None:
    """BurstSplitter."""
    await start(dut)
    cocotb.start_soon(offer(dut, "splitter__transfer", random_transfer))
    cocotb.start_soon(accept(dut, "splitter__burst"))
    inputs = ("transfer__valid", "transfer__payload", "burst__ready")
    await lockstep(dut, "splitter", SplitterModel(BURST_BEATS), inputs)


async def restart(dut: Any, block: str) -> None:
    """Endless: a start at a random offset now and then."""
    while True:
        dut[f"{block}__start"].value = 1
        dut[f"{block}__offset"].value = random.randrange(8)
        await RisingEdge(dut.clk)
        dut[f"{block}__start"].value = 0
        for _ in range(random.randrange(50, 300)):
            await RisingEdge(dut.clk)


@cocotb.test()
async def byte_unpacker(dut: Any) -> None:
    """ByteUnpacker."""
    await start(dut)
    cocotb.start_soon(restart(dut, "unpacker"))
    cocotb.start_soon(offer(dut, "unpacker__i", lambda: random.getrandbits(64)))
    cocotb.start_soon(
        offer(dut, "unpacker__request", lambda: random.randrange(1, 9) | random.getrandbits(8) << 4)
    )
    cocotb.start_soon(accept(dut, "unpacker__o"))
    inputs = (*STREAM_INPUTS, "request__valid", "request__payload", "start", "offset")
    await lockstep(dut, "unpacker", UnpackerModel(), inputs)


async def pack(dut: Any) -> None:
    """Endless: runs of pieces, the last of each marked, a start between them when nothing is on its way."""
    pause = pauses()
    valid, ready, data, idle = (
        dut[f"packer__{part}"] for part in ("i__valid", "i__ready", "i__payload", "idle")
    )
    while True:
        dut.packer__start.value = 1
        dut.packer__offset.value = random.randrange(8)
        await RisingEdge(dut.clk)
        dut.packer__start.value = 0
        count = random.randrange(1, 60)
        for piece in range(count):
            while next(pause):
                await RisingEdge(dut.clk)
            data.value = random.getrandbits(64) | random.randrange(1, 9) << 64 | (piece == count - 1) << 68
            valid.value = 1
            taken = False
            while not taken:
                await FallingEdge(dut.clk)
                taken = bool(ready.value)
                await RisingEdge(dut.clk)
            valid.value = 0
        is_idle = False
        while not is_idle:
            await FallingEdge(dut.clk)
            is_idle = bool(idle.value)
            await RisingEdge(dut.clk)


@cocotb.test()
async def byte_packer(dut: Any) -> None:
    """BytePacker."""
    await start(dut)
    cocotb.start_soon(pack(dut))
    cocotb.start_soon(accept(dut, "packer__o"))
    await lockstep(dut, "packer", PackerModel(), (*STREAM_INPUTS, "start", "offset"))


async def read_client(dut: Any, index: int, content: bytes, done: list[int]) -> None:
    """Endless: asks for random bursts and compares the beats that come back."""
    name = f"arbiter__clients__{index}"
    expected: list[int] = []

    def burst() -> int:
        beats = random.randrange(1, BURST_BEATS + 1)
        place = random.randrange(RAM_BYTES // 8 - beats)
        place = min(place, place // 512 * 512 + 512 - beats)
        words = [content[8 * beat : 8 * beat + 8] for beat in range(place, place + beats)]
        expected.extend(int.from_bytes(word, "little") for word in words)
        return 8 * place | beats - 1 << 32

    cocotb.start_soon(offer(dut, f"{name}__request", burst, longest_rest=REST_CYCLES))
    while True:
        await FallingEdge(dut.clk)
        if dut[f"{name}__beats__valid"].value:
            word = int(dut[f"{name}__beats__payload"].value) & (1 << 64) - 1
            assert word == expected.pop(0), f"client {index} got a beat that is not its own"
            done[index] += 1


@cocotb.test()
async def axi_read_arbiter(dut: Any) -> None:
    """AxiReadArbiter between three clients and cocotbext-axi's memory."""
    await start(dut)
    ram = AxiRamRead(PeerReadBus.from_prefix(dut, "arbiter_axi"), dut.clk, dut.rst, size=RAM_BYTES)
    content = random.randbytes(RAM_BYTES)
    ram.write(0, content)
    ram.ar_channel.set_pause_generator(pauses())
    ram.r_channel.set_pause_generator(pauses())
    done = [0] * CLIENTS
    for index in range(CLIENTS):
        cocotb.start_soon(read_client(dut, index, content, done))
    asked = [
        f"clients__{index}__request__{part}" for index in range(CLIENTS) for part in ("valid", "payload")
    ]
    answered = ("axi_arready", "axi_rvalid", "axi_rdata", "axi_rresp", "axi_rlast")
    await lockstep(dut, "arbiter", ArbiterModel(CLIENTS, OUTSTANDING), (*asked, *answered))
    assert all(done), f"every client must get beats, not {done}"


@cocotb.test()
async def axi_writer(dut: Any) -> None:
    """AxiWriter in front of cocotbext-axi's memory."""
    await start(dut)
    ram = AxiRamWrite(PeerWriteBus.from_prefix(dut, "writer_axi"), dut.clk, dut.rst, size=RAM_BYTES)
    for channel in (ram.aw_channel, ram.w_channel, ram.b_channel):
        channel.set_pause_generator(pauses())
    bursts: list[tuple[int, int]] = []
    words: list[int] = []
    answered = 0

    def transfer() -> int:
        beats = random.randrange(1, 80)
        address = 8 * random.randrange(RAM_BYTES // 8 - beats)
        bursts.extend(split(address, beats, BURST_BEATS))
        return address | beats << 32

    def beat() -> int:
        words.append(random.getrandbits(64) | random.getrandbits(8) << 64)
        return words[-1]

    async def count_responses() -> None:
        nonlocal answered
        while True:
            await FallingEdge(dut.clk)
            answered += bool(dut.writer_axi_bvalid.value)

    cocotb.start_soon(offer(dut, "writer__transfer", transfer))
    cocotb.start_soon(offer(dut, "writer__beats", beat))
    cocotb.start_soon(count_responses())
    inputs = ("transfer__valid", "transfer__payload", "beats__valid", "beats__payload")
    answers = ("axi_awready", "axi_wready", "axi_bvalid", "axi_bresp")
    model = WriterModel(BURST_BEATS, QUEUE_BEATS, WRITES_OUTSTANDING)
    await lockstep(dut, "writer", model, (*inputs, *answers))

    expected: dict[int, int] = {}
    unknown: set[int] = set()  # bytes of bursts that are still on their way
    remaining = iter(words)
    for index, (address, beats) in enumerate(bursts):
        for place in range(address, address + 8 * beats, 8):
            word = next(remaining, 0)
            for lane in range(8):
                if index >= answered:
                    unknown.add(place + lane)
                elif word >> 64 + lane & 1:
                    expected[place + lane] = word >> 8 * lane & 0xFF
    assert answered > 20
    content: Any = ram.read(0, RAM_BYTES)
    assert all(content[place] == byte for place, byte in expected.items() if place not in unknown)
