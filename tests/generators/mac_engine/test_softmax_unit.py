"""`SoftmaxUnit` equals TensorFlow Lite's SOFTMAX, and writes in the cycles that `write_cycles` tells."""

from dataclasses import dataclass

import numpy as np
import pytest
from amaranth.hdl import Module, unsigned
from amaranth.lib import wiring
from amaranth.sim import Simulator

from celosia.generators.chassis.tiles.softmax_model import softmax
from celosia.generators.chassis.tiles.softmax_unit import SoftmaxUnit, write_cycles
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.isa import SOFTMAX_CHANNELS, Destination
from celosia.hdl.arithmetic_model import INT32_MAX
from celosia.hdl.requantize import Requantize
from tests.gateware import convert

SCALES = (2.0**-31, 1e-4, 0.003, 0.0625, 0.1, 0.5, 3.0, 1e6)
"""From one at which all exponentials are alike to one at which only the maximum counts."""


@dataclass
class Pixel:
    """One pixel's values, where its results go, and how many cycles lie between its bricks' values."""

    values: np.ndarray
    address: int = 0
    channel_pitch: int = 1
    pause: int = 0


class Bench(wiring.Component):
    """The unit with a requantizer that multiplies for it."""

    def __init__(self, config: MacEngineConfig) -> None:
        self.unit = SoftmaxUnit(config)
        super().__init__({})

    def elaborate(self, platform: object) -> Module:
        """The requantizer is free all the time."""
        m = Module()
        m.submodules.unit = unit = self.unit
        m.submodules.requantize = requantize = Requantize(unsigned(1))
        given = requantize.accumulators.payload
        m.d.comb += [
            given.accumulator.eq(unit.product.factor),
            given.multiplier.eq(unit.product.multiplier),
            given.shift.eq(unit.product.shift),
            unit.scaled.eq(requantize.scaled),
        ]
        return m


def check(config: MacEngineConfig, exponentials: np.ndarray, pixels: list[Pixel]) -> None:
    """Every pixel's results, in the predicted cycles, one pixel after the other."""
    bench = Bench(config)
    unit = bench.unit
    writes: list[tuple[int, int, bytes]] = []
    cycle = 0

    async def tick(ctx) -> bool:
        nonlocal cycle
        _, _, enable, address, data, done = await ctx.tick().sample(
            unit.results.enable, unit.results.address, unit.results.data, unit.done
        )
        if enable:
            writes.append((cycle, address, data.to_bytes(8, "little")))
        cycle += 1
        return bool(done)

    async def drive(ctx) -> None:
        for address, beat in enumerate(exponentials.astype("<i4").view("<u8").tolist()):
            place = {"destination": Destination.EXPONENTIAL_TABLE, "address": address, "data": beat}
            ctx.set(unit.writes.payload, place)
            ctx.set(unit.writes.valid, 1)
            await tick(ctx)
        ctx.set(unit.writes.payload, {"destination": Destination.ACTIVATION_TABLE, "address": 0, "data": 0})
        await tick(ctx)
        ctx.set(unit.writes.valid, 0)
        for pixel in pixels:
            await run(ctx, pixel)

    async def run(ctx, pixel: Pixel) -> None:
        nonlocal writes
        writes = []
        channels = len(pixel.values)
        bricks = -(-channels // 8)
        ctx.set(unit.bricks_last, bricks - 1)
        ctx.set(unit.lanes, channels - 8 * (bricks - 1))
        ctx.set(unit.channel_pitch, pixel.channel_pitch)
        rows = -(-channels // config.lanes)
        padded = np.full(rows * config.lanes, 127)
        padded[:channels] = pixel.values
        for row in range(rows):
            for _ in range(pixel.pause):
                await tick(ctx)
            brick = row * config.lanes // 8
            metadata = {
                "address": (pixel.address + brick * pixel.channel_pitch) & 0xFFFF,
                "part": row % (8 // config.lanes),
                "last": row == rows - 1,
            }
            values = padded[row * config.lanes :][: config.lanes].tolist()
            ctx.set(unit.values.payload, {"values": values, "metadata": metadata})
            ctx.set(unit.values.valid, 1)
            await tick(ctx)
            ctx.set(unit.values.valid, 0)
        last = cycle - 1
        while not await tick(ctx):
            assert cycle < last + 4 * 8 * bricks + 1000, "the unit hangs"
        expected_cycles = [last + offset for offset in write_cycles(bricks)]
        assert [written for written, _, _ in writes] == expected_cycles
        assert cycle - 1 == expected_cycles[-1], "done with the last write"
        places = [(pixel.address + brick * pixel.channel_pitch) & 0xFFFF for brick in range(bricks)]
        assert [address for _, address, _ in writes] == places
        results = np.frombuffer(b"".join(data for _, _, data in writes), np.int8)[:channels]
        np.testing.assert_array_equal(results, softmax(pixel.values, exponentials))

    simulator = Simulator(bench)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()


def exponentials_of(scale: float) -> np.ndarray:
    """int32[256]: exp(-scale * d) in Q0.31."""
    exact = np.exp(-scale * np.arange(256)) * (1 << 31)
    return np.minimum(np.floor(exact), INT32_MAX).astype(np.int32)


def random_values(generator: np.random.Generator, channels: int) -> np.ndarray:
    """int8 values of any spread, sometimes all alike, sometimes of the extremes only."""
    kind = generator.integers(0, 4)
    if kind == 0:
        return np.full(channels, generator.integers(-128, 128))
    if kind == 1:
        return generator.choice([-128, 127], channels)
    spread = int(generator.integers(1, 129))
    return np.clip(generator.integers(-spread, spread, channels) + generator.integers(-100, 100), -128, 127)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("lanes", [4, 8])
def test_random_pixels_of_every_scale(lanes: int, scale: float) -> None:
    generator = np.random.default_rng(1)
    pixels = [
        Pixel(
            random_values(generator, channels),
            address=int(generator.integers(0, 1 << 16)),
            channel_pitch=int(generator.integers(1, 1 << 12)),
            pause=int(generator.integers(0, 3)),
        )
        for channels in [*range(1, 18), 31, 64]
    ]
    exponentials = exponentials_of(scale)
    check(MacEngineConfig(macs=64, lanes=lanes), exponentials, pixels)


@pytest.mark.parametrize("channels", [255, 256, 257, 511, 512, 1000, SOFTMAX_CHANNELS])
def test_many_channels_alike(channels: int) -> None:
    """The sum passes the powers of two at which a result rounds to nothing, and the channels fill their memory."""
    exponentials = exponentials_of(0.1)
    check(MacEngineConfig(macs=64), exponentials, [Pixel(np.full(channels, 5))])


def test_cost_in_cycles() -> None:
    """At most 4 cycles a channel for many channels; little more than a hundred for few."""
    assert write_cycles(125)[-1] <= 4 * 1000
    assert write_cycles(1)[-1] <= 140


def test_converts_without_multiplications() -> None:
    assert " * " not in convert(SoftmaxUnit(MacEngineConfig(macs=64)))
