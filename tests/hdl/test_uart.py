"""UART: bytes survive the line, at any rate that fits the clock, and noise is not taken for bytes."""

import random
from itertools import pairwise
from math import floor
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from celosia.boards.board import BOARDS
from celosia.hdl.uart import LEAST_CYCLES_A_BIT, UartReceiver, UartTransmitter, bit_step
from celosia.hdl.uart_port import UartPort
from tests.gateware import Gaps, convert, put, simulate


def loopback(transmitter: UartTransmitter, receiver: UartReceiver) -> Module:
    m = Module()
    m.submodules.transmitter = transmitter
    m.submodules.receiver = receiver
    m.d.comb += receiver.line.eq(transmitter.line)
    return m


def transferred(content: bytes, send_baud: float, receive_baud: float, gap: float) -> list[int]:
    """What arrives of `content`, at rates per cycle."""
    transmitter: Any = UartTransmitter()
    receiver: Any = UartReceiver()
    got = []

    async def send(ctx: Any) -> None:
        ctx.set(transmitter.step, bit_step(1.0, send_baud))
        ctx.set(receiver.step, bit_step(1.0, receive_baud))
        gaps = Gaps(1, gap)
        await ctx.tick().repeat(20)
        for byte in content:
            await put(ctx, transmitter.i, byte)
            await gaps(ctx)
        await ctx.tick().repeat(int(12 / send_baud))

    async def collect(ctx: Any) -> None:
        while True:
            _, _, valid, byte = await ctx.tick().sample(receiver.o.valid, receiver.o.payload)
            if valid:
                got.append(byte)

    simulate(loopback(transmitter, receiver), collect, testbenches=[send])
    return got


@pytest.mark.parametrize("cycles_a_bit", [6, 25 / 3, 20.5])
@pytest.mark.parametrize("gap", [0.0, 0.9])
def test_bytes_arrive(cycles_a_bit: float, gap: float) -> None:
    content = bytes([0x00, 0xFF, 0x55, 0xAA, 0x7E]) + random.Random(1).randbytes(8)
    assert transferred(content, 1 / cycles_a_bit, 1 / cycles_a_bit, gap) == list(content)


def sampled(content: bytes, cycles_a_bit: float, phase: float) -> list[tuple[int, int]]:
    """What a receiver sees of a sender with a clock of its own, bytes without a gap: (level, cycles).

    The first start bit begins three bits and `phase` cycles, 0 to 1, before a clock edge of the receiver.
    """
    bits = [1, 1, 1, *(bit for byte in content for bit in (0, *(byte >> place & 1 for place in range(8)), 1))]
    ends = [floor(number * cycles_a_bit - phase) + 1 for number in range(len(bits) + 1)]
    return [(bit, end - begin) for bit, (begin, end) in zip(bits, pairwise(ends), strict=True)]


@pytest.mark.parametrize("clock_hz", sorted({board.oscillator for board in BOARDS.values()}))
@pytest.mark.parametrize("off", [-0.02, 0.0, 0.02, None])
def test_at_3_megabaud_a_sender_s_clock_may_be_2_percent_off(clock_hz: int, off: float | None) -> None:
    """Its phase and the bytes are drawn, and its rate where it is not one of the ends."""
    draw = random.Random(f"{clock_hz} {off}")
    cycles_a_bit = clock_hz / 3e6
    for _ in range(max(1, round(30 / cycles_a_bit))):
        content = bytes([0x00, 0xFF, 0x55]) + draw.randbytes(9)
        rate = 1 + (draw.uniform(-0.02, 0.02) if off is None else off)
        levels = sampled(content, cycles_a_bit / rate, draw.random())
        assert received(levels, 3e6 / clock_hz) == list(content), f"{rate=}, {levels[3]=}"


def received(levels: list[tuple[int, int]], baud: float = 0.1) -> list[int]:
    """Bytes that a receiver at `baud` bits a cycle makes of (level, cycles)."""
    receiver: Any = UartReceiver()
    got = []

    async def drive(ctx: Any) -> None:
        ctx.set(receiver.step, bit_step(1.0, baud))
        for level, cycles in [(1, 20), *levels, (1, 40)]:
            ctx.set(receiver.line, level)
            for _ in range(cycles):
                _, _, valid, byte = await ctx.tick().sample(receiver.o.valid, receiver.o.payload)
                if valid:
                    got.append(byte)

    simulate(receiver, testbenches=[drive])
    return got


A_BYTE = [(0, 10), (1, 80), (1, 10)]


def test_a_glitch_is_no_start_bit() -> None:
    assert received([(0, 3), (1, 100), *A_BYTE]) == [0xFF]


def test_a_byte_without_stop_bit_is_dropped() -> None:
    assert received([(0, 300), (1, 20), *A_BYTE]) == [0xFF]


def test_the_line_shows_start_bit_data_and_stop_bit() -> None:
    transmitter: Any = UartTransmitter()
    line = []

    async def send(ctx: Any) -> None:
        ctx.set(transmitter.step, bit_step(1.0, 1 / 8))
        assert ctx.get(transmitter.line) == 1
        await put(ctx, transmitter.i, 0b0100_1101)
        for _ in range(10):
            await ctx.tick().repeat(4)
            line.append(ctx.get(transmitter.line))
            await ctx.tick().repeat(4)

    simulate(transmitter, testbenches=[send])
    assert line == [0, 1, 0, 1, 1, 0, 0, 1, 0, 1]


def test_bytes_cross_between_clocks() -> None:
    port: Any = UartPort("line")
    m = Module()
    m.domains.line = ClockDomain()
    m.submodules.port = port
    m.d.comb += port.receive.eq(port.transmit)
    content = random.Random(3).randbytes(6)
    got = []

    async def send(ctx: Any) -> None:
        ctx.set(port.step, bit_step(25e6, 3e6))
        await ctx.tick().repeat(200)
        for byte in content:
            await put(ctx, port.i, byte)
        await ctx.tick().repeat(1800)

    async def collect(ctx: Any) -> None:
        while True:
            _, _, valid, byte = await ctx.tick().sample(port.o.valid, port.o.payload)
            if valid:
                got.append(byte)

    simulator = Simulator(m)
    simulator.add_clock(1 / 61e6)
    simulator.add_clock(1 / 25e6, domain="line")
    simulator.add_testbench(collect, background=True)
    simulator.add_testbench(send)
    simulator.run()
    assert got == list(content)


@pytest.mark.parametrize(("clock_hz", "baud"), [(25e6, 3e6), (100e6, 115200), (400e6, 115200), (60e6, 3e6)])
def test_rates_are_right_to_a_thousandth(clock_hz: float, baud: float) -> None:
    assert abs(bit_step(clock_hz, baud) / 2**24 * clock_hz / baud - 1) < 1e-3


@pytest.mark.parametrize("baud", [0, -1, 1e6 / LEAST_CYCLES_A_BIT + 1, 50])
def test_impossible_rates_are_refused(baud: float) -> None:
    with pytest.raises(ValueError, match="baud must be"):
        bit_step(1e6, baud)


@pytest.mark.parametrize("component", [UartReceiver, UartTransmitter])
def test_converts(component: type[wiring.Component]) -> None:
    assert "module" in convert(component())
