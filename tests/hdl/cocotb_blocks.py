"""The cocotb benches of `blocks_top`: each block in lockstep with its model under random traffic.

Run by `test_cocotb_blocks.py`. The seed is cocotb's, so a run is replayed with `COCOTB_RANDOM_SEED`.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import AxiRamRead, AxiRamWrite
from cocotbext.axi import AxiReadBus as PeerReadBus
from cocotbext.axi import AxiWriteBus as PeerWriteBus

from celosia.hdl.brick_buffer import ADDRESS_BITS, BANKS, BRICK_BITS
from celosia.hdl.burst_splitter import split
from celosia.hdl.uart import LEAST_CYCLES_A_BIT, bit_step
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
    A_BITS,
    B_BITS,
    BRICKS,
    BURST_BEATS,
    CLIENTS,
    LARGE_DEPTH,
    METADATA_BITS,
    OUTSTANDING,
    PIECES,
    PIECES_TOGETHER,
    QUEUE_BEATS,
    RESULT_BITS,
    ROW_BITS,
    ROWS,
    SMALL_DEPTH,
    SUM_BITS,
    BlocksTop,
)
from tests.hdl.datapath_models import (
    ACCUMULATOR,
    SUM,
    BrickBufferModel,
    DualPortModel,
    FixedPointRoundModel,
    MultiplierModel,
    RequantizeModel,
    WideBrickBufferModel,
)
from tests.hdl.uart_models import ReceiverModel, TransmitterModel

CYCLES = 3000
LAYERS = 10
RAM_BYTES = 1 << 16
WRITES_OUTSTANDING = 4
REST_CYCLES = 150
"""A client of the arbiter rests up to so long after a burst, or the first would starve the others."""


async def start(dut: Any) -> None:
    """Clock and reset; every input that a bench leaves alone is 0."""
    for name in BlocksTop().inputs:
        dut[name].value = 0
    dut.rst.value = 1
    cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
    for _ in range(4):
        await RisingEdge(dut.clk)
    dut.rst.value = 0


def pauses() -> Iterator[bool]:
    """Endless random pauses whose density changes now and then, from none to nearly always."""
    while True:
        density = random.choice((0.0, 0.2, 0.5, 0.9))
        for _ in range(random.randrange(20, 200)):
            yield random.random() < density


async def offer(dut: Any, stream: str, payload: Callable[[], int], longest_rest: int = 0) -> None:
    """Endless: random payloads on a block's input stream, held until they are taken.

    After each, nothing is offered for up to `longest_rest` cycles and a random pause.
    """
    valid, ready, data = (dut[f"{stream}__{part}"] for part in ("valid", "ready", "payload"))
    pause = pauses()
    while True:
        while next(pause):
            await RisingEdge(dut.clk)
        data.value = payload()
        valid.value = 1
        taken = False
        while not taken:
            await FallingEdge(dut.clk)
            taken = bool(ready.value)
            await RisingEdge(dut.clk)
        valid.value = 0
        for _ in range(random.randint(0, longest_rest)):
            await RisingEdge(dut.clk)


async def accept(dut: Any, stream: str) -> None:
    """Endless: a random `ready`."""
    for is_paused in pauses():
        dut[f"{stream}__ready"].value = not is_paused
        await RisingEdge(dut.clk)


async def lockstep(
    dut: Any, block: str, model: BlockModel, inputs: Sequence[str], cycles: int = CYCLES
) -> None:
    """Compare every output that the model names in each of `cycles` cycles."""

    def handle(name: str) -> Any:
        return dut[f"{block}_{name}" if name.startswith("axi_") else f"{block}__{name}"]

    input_handles = {name: handle(name) for name in inputs}
    handles: dict[str, Any] = {}
    for cycle in range(cycles):
        await FallingEdge(dut.clk)
        values = {name: int(port.value) for name, port in input_handles.items()}
        for name, expected in model.outputs(values).items():
            if name not in handles:
                handles[name] = handle(name)
            got = int(handles[name].value)
            assert got == expected, f"cycle {cycle}: {block} {name} is {got:#x}, the model says {expected:#x}"
        model.step(values)


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


async def drive(
    dut: Any, block: str, values: Callable[[], dict[str, int]], strobe: str | None = None
) -> None:
    """Endless: random values on ports without back-pressure; `strobe` is high unless there is a pause."""
    pause = pauses()
    while True:
        for name, value in values().items():
            dut[f"{block}__{name}"].value = value
        if strobe is not None:
            dut[f"{block}__{strobe}"].value = not next(pause)
        await RisingEdge(dut.clk)


def random_gather() -> dict[str, int]:
    """One to eight neighbours, now and then some that lie beyond an end of the buffer."""
    first = random.randrange(-4, BRICKS) % (1 << ADDRESS_BITS)
    return {"gather__address": first, "gather__count": random.randint(1, BANKS)}


def random_half_brick() -> dict[str, int]:
    """A write of ACTIVATE: both halves of a brick, one, or none."""
    return {
        "activate_write__address": random.randrange(BRICKS),
        "activate_write__data": random.getrandbits(BRICK_BITS),
        "activate_write__halves": random.randrange(4),
    }


@cocotb.test()
async def brick_buffer(dut: Any) -> None:
    """BrickBuffer: reads and writes of everyone at once, STORE's answers under back-pressure."""
    await start(dut)
    cocotb.start_soon(drive(dut, "brick_buffer", random_gather, strobe="gather__enable"))
    cocotb.start_soon(drive(dut, "brick_buffer", random_half_brick, strobe="activate_write__enable"))
    cocotb.start_soon(offer(dut, "brick_buffer__store_request", lambda: random.randrange(BRICKS)))
    cocotb.start_soon(accept(dut, "brick_buffer__store_response"))
    cocotb.start_soon(
        offer(
            dut,
            "brick_buffer__load_write",
            lambda: random.randrange(BRICKS) | random.getrandbits(BRICK_BITS) << ADDRESS_BITS,
        )
    )
    inputs = (
        *(f"gather__{part}" for part in ("enable", "address", "count")),
        *("store_request__valid", "store_request__payload", "store_response__ready"),
        *(f"activate_write__{part}" for part in ("enable", "address", "data", "halves")),
        *("load_write__valid", "load_write__payload"),
    )
    await lockstep(dut, "brick_buffer", BrickBufferModel(BRICKS), inputs)


@cocotb.test()
async def wide_brick_buffer(dut: Any) -> None:
    """WideBrickBuffer: reads and writes of everyone at once, STORE's answers under back-pressure."""
    await start(dut)
    address_bits, groups = ADDRESS_BITS + (PIECES - 1).bit_length(), PIECES // PIECES_TOGETHER
    group_bits = ADDRESS_BITS + (groups - 1).bit_length()

    def group() -> dict[str, int]:
        data = random.getrandbits(BRICK_BITS * PIECES_TOGETHER)
        return {"activate_write": random.randrange(BRICKS * groups) | data << group_bits}

    def piece() -> int:
        return random.randrange(BRICKS * PIECES) | random.getrandbits(BRICK_BITS) << address_bits

    block = "wide_buffer"
    cocotb.start_soon(drive(dut, block, lambda: {"read_address": random.randrange(BRICKS)}, "read_enable"))
    cocotb.start_soon(drive(dut, block, group, "activate_enable"))
    cocotb.start_soon(offer(dut, f"{block}__store_request", lambda: random.randrange(BRICKS * PIECES)))
    cocotb.start_soon(accept(dut, f"{block}__store_response"))
    cocotb.start_soon(offer(dut, f"{block}__load_write", piece))
    inputs = (
        *("read_enable", "read_address", "activate_enable", "activate_write"),
        *("store_request__valid", "store_request__payload", "store_response__ready"),
        *("load_write__valid", "load_write__payload"),
    )
    await lockstep(dut, block, WideBrickBufferModel(BRICKS, PIECES, PIECES_TOGETHER), inputs)


@cocotb.test()
async def dual_port_memory(dut: Any) -> None:
    """DualPortMemory: both ports read and write anywhere."""
    await start(dut)
    names = [f"ports__{port}__{name}" for port in range(2) for name in ("address", "write_data")]

    def rows() -> dict[str, int]:
        return {
            name: random.randrange(ROWS) if "address" in name else random.getrandbits(ROW_BITS)
            for name in names
        }

    enables = [f"ports__{port}__write_enable" for port in range(2)]
    cocotb.start_soon(drive(dut, "dual_port", rows, enables[0]))
    cocotb.start_soon(drive(dut, "dual_port", dict, enables[1]))
    await lockstep(dut, "dual_port", DualPortModel(ROWS), (*names, *enables))


def random_sum() -> dict[str, int]:
    """Sums of every magnitude, shifted to about the bits of a result, often by exactly a half too much."""
    size = random.randrange(SUM_BITS)
    shift = min(max(size - RESULT_BITS + random.randint(-1, 3), 0), 31)
    accumulator, bias = (random.getrandbits(size) ^ -random.getrandbits(1) for _ in range(2))
    if random.random() < 0.5:
        accumulator, bias = accumulator >> shift << shift, 1 << shift >> 1
    given: dict[int | str, int] = {
        "accumulator": accumulator,
        "bias": bias,
        "shift": shift,
        "metadata": random.getrandbits(METADATA_BITS),
    }
    return {"accumulators__payload": SUM.const(given).as_bits()}


@cocotb.test()
async def fixed_point_round(dut: Any) -> None:
    """FixedPointRound, with another rounding and other limits for each of some layers."""
    await start(dut)
    cocotb.start_soon(drive(dut, "fixed_point", random_sum, strobe="accumulators__valid"))
    limit = 1 << RESULT_BITS - 1
    for layer in range(LAYERS):
        minimum, maximum = random.choice(
            ((-limit, limit - 1), sorted(random.randrange(-limit, limit) for _ in range(2)))
        )
        for name, value in (("to_even", layer % 2), ("minimum", minimum), ("maximum", maximum)):
            dut[f"fixed_point__{name}"].value = value & (1 << RESULT_BITS) - 1
        inputs = ("accumulators__valid", "accumulators__payload")
        model = FixedPointRoundModel(layer % 2, minimum, maximum)
        await lockstep(dut, "fixed_point", model, inputs, CYCLES // LAYERS)


@cocotb.test()
async def uart_transmitter(dut: Any) -> None:
    """UartTransmitter at a random rate."""
    await start(dut)
    step = bit_step(1.0, 1 / random.uniform(LEAST_CYCLES_A_BIT, 20))
    dut.uart_transmitter__step.value = step
    cocotb.start_soon(offer(dut, "uart_transmitter__i", lambda: random.randrange(256)))
    await lockstep(dut, "uart_transmitter", TransmitterModel(step), ("i__valid", "i__payload"))


async def send_bytes(dut: Any, cycles_a_bit: float) -> None:
    """Endless: bytes of a sender whose clock is off by up to 3 %, some without a stop bit, noise between them."""
    line = dut.uart_receiver__line
    while True:
        levels = [0, *(random.getrandbits(1) for _ in range(8)), random.random() < 0.9]
        for level in levels:
            line.value = int(level)
            for _ in range(max(1, round(cycles_a_bit * random.uniform(0.97, 1.03)))):
                await RisingEdge(dut.clk)
        for level in (1, 0, 1)[random.choice((0, 0, 0, 2)) :: -1]:
            line.value = level
            for _ in range(random.randrange(1, 2 + int(cycles_a_bit))):
                await RisingEdge(dut.clk)


@cocotb.test()
async def uart_receiver(dut: Any) -> None:
    """UartReceiver at a random rate."""
    await start(dut)
    cycles_a_bit = random.uniform(LEAST_CYCLES_A_BIT, 20)
    step = bit_step(1.0, 1 / cycles_a_bit)
    dut.uart_receiver__step.value = step
    dut.uart_receiver__line.value = 1
    for _ in range(200):  # the line was low in reset, which looks like a byte
        await RisingEdge(dut.clk)
    cocotb.start_soon(send_bytes(dut, cycles_a_bit))
    await lockstep(dut, "uart_receiver", ReceiverModel(step), ("line",), cycles=3 * CYCLES)


def random_accumulator() -> dict[str, int]:
    """Numbers of every magnitude, most of them scaled to about 8 bits."""
    bits = random.randrange(32)
    accumulator, bias = (random.getrandbits(width) ^ -random.getrandbits(1) for width in (bits, bits))
    if random.random() < 0.7:
        multiplier, shift = random.randrange(1 << 30, 1 << 31), 8 - bits + random.randint(-2, 2)
    else:
        multiplier = random.choice((0, 1, (1 << 31) - 1, random.getrandbits(31)))
        shift = random.randint(-31, 31)
    given: dict[int | str, int] = {
        "accumulator": accumulator,
        "bias": bias,
        "multiplier": multiplier,
        "shift": shift,
        "metadata": random.getrandbits(METADATA_BITS),
    }
    return {"accumulators__payload": ACCUMULATOR.const(given).as_bits()}


@cocotb.test()
async def requantize(dut: Any) -> None:
    """Requantize, with other constants for each of some layers."""
    await start(dut)
    cocotb.start_soon(drive(dut, "requantize", random_accumulator, strobe="accumulators__valid"))
    for _ in range(LAYERS):
        zero_point, *limits = (random.randint(-128, 127) for _ in range(3))
        minimum, maximum = random.choice(((-128, 127), sorted(limits)))
        for name, value in (("zero_point", zero_point), ("minimum", minimum), ("maximum", maximum)):
            dut[f"requantize__{name}"].value = value & 0xFF
        inputs = ("accumulators__valid", "accumulators__payload")
        model = RequantizeModel(zero_point, minimum, maximum)
        await lockstep(dut, "requantize", model, inputs, CYCLES // LAYERS)


def random_factors() -> dict[str, int]:
    """Operands of every magnitude; the signed one as its bits."""
    a = random.getrandbits(random.randrange(A_BITS)) ^ -random.getrandbits(1)
    return {"a": a & (1 << A_BITS) - 1, "b": random.getrandbits(random.randint(0, B_BITS))}


@cocotb.test()
async def multiplier(dut: Any) -> None:
    """Multiplier."""
    await start(dut)
    cocotb.start_soon(drive(dut, "multiplier", random_factors))
    await lockstep(dut, "multiplier", MultiplierModel(A_BITS, B_BITS), ("a", "b"))
