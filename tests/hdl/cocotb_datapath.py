"""The cocotb benches of the buffers, the arithmetic and the UART of `blocks_top`, as those of `cocotb_blocks.py`."""

import random
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from celosia.hdl.brick_buffer import ADDRESS_BITS, BANKS, BRICK_BITS
from celosia.hdl.uart import LEAST_CYCLES_A_BIT, bit_step
from tests.hdl.blocks_top import (
    A_BITS,
    B_BITS,
    BRICKS,
    METADATA_BITS,
    PIECES,
    PIECES_TOGETHER,
    RESULT_BITS,
    ROW_BITS,
    ROWS,
    SUM_BITS,
)
from tests.hdl.cocotb_lockstep import CYCLES, accept, drive, lockstep, offer, start
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

LAYERS = 10


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
