"""`ParameterStore`: blocks of parameters, fetched ahead from a ring."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from celosia.generators.chassis.tiles.parameter_store import FETCH_LATENCY, PARAMETER_LATENCY, ParameterStore
from celosia.generators.mac_engine.config import PRESETS, MacEngineConfig
from celosia.generators.mac_engine.isa import BIAS_BEATS, PARAMETER_BEATS, Destination
from tests.gateware import convert

FIRST_BLOCK = PARAMETER_BEATS + FETCH_LATENCY
"""Cycles from `start` until the first block is available."""


class Bench:
    """A store whose ring holds random blocks, and its clock."""

    def __init__(self, ctx, config: MacEngineConfig, seed: int) -> None:
        generator = np.random.default_rng(seed)
        self.ctx = ctx
        self.config = config
        self.beats = generator.integers(0, 1 << 64, config.parameter_beats, dtype=np.uint64)

    async def fill(self, store: ParameterStore) -> None:
        self.store = store
        ctx = self.ctx
        for address, beat in enumerate(self.beats.tolist()):
            ctx.set(
                store.writes.payload,
                {"destination": Destination.PARAMETER_STORE, "address": address, "data": beat},
            )
            ctx.set(store.writes.valid, 1)
            await ctx.tick()
        # A beat for another memory leaves the ring alone.
        ctx.set(store.writes.payload, {"destination": Destination.WEIGHT_STORE, "address": 0, "data": 0})
        await ctx.tick()
        ctx.set(store.writes.valid, 0)

    async def start(self, **command: int) -> None:
        self.ctx.set(self.store.command, command)
        self.ctx.set(self.store.start, 1)
        await self.ctx.tick()
        self.ctx.set(self.store.start, 0)

    async def release(self) -> None:
        self.ctx.set(self.store.release, 1)
        await self.ctx.tick()
        self.ctx.set(self.store.release, 0)

    async def cycles_until_available(self, block: int) -> int:
        self.ctx.set(self.store.block, block)
        cycles = 0
        while not self.ctx.get(self.store.available):
            await self.ctx.tick()
            cycles += 1
            assert cycles < 1000, f"block {block} never comes"
        return cycles

    async def read(self, block: int) -> list[tuple[int, int, int]]:
        """(bias, multiplier, shift) of the block's eight channels, as the store gives them."""
        channels = []
        self.ctx.set(self.store.block, block)
        for part in range(8 // self.config.lanes):
            self.ctx.set(self.store.part, part)
            await self.ctx.tick().repeat(PARAMETER_LATENCY)
            for lane in range(self.config.lanes):
                lanes = self.ctx.get(self.store.parameters)
                channels.append((lanes[lane].bias, lanes[lane].multiplier, lanes[lane].shift))
        return channels

    def expected(self, address: int, scale_address: int | None = None) -> list[tuple[int, int, int]]:
        """The same of the block whose first beat is at `address`, by the definition of `isa.PARAMETER_BEATS`.

        Multipliers and shifts of the block at `scale_address` if given.
        """
        beats = np.arange(PARAMETER_BEATS)
        scale = address if scale_address is None else scale_address
        places = np.where(beats < BIAS_BEATS, address, scale) + beats
        places %= len(self.beats)
        content = self.beats[places].tobytes()
        biases, multipliers = np.frombuffer(content[:32], "<i4"), np.frombuffer(content[32:64], "<u4")
        shifts = [(byte & 0x3F) - 2 * (byte & 0x20) for byte in content[64:]]
        return [
            (int(bias), int(multiplier) & 0x7FFFFFFF, shift)
            for bias, multiplier, shift in zip(biases, multipliers, shifts, strict=True)
        ]


def run(config: MacEngineConfig, scenario, seed: int = 1) -> None:
    store = ParameterStore(config)

    async def bench(ctx) -> None:
        state = Bench(ctx, config, seed)
        await state.fill(store)
        await scenario(state)

    simulator = Simulator(store)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("lanes", [4, 8])
@pytest.mark.parametrize("macs", [64, 256, 1024])
def test_groups_of_blocks_come_in_order_and_wrap_around_the_ring(macs: int, lanes: int) -> None:
    config = MacEngineConfig(macs=macs, lanes=lanes, parameter_beats=67)
    group = config.cores
    blocks = 3 * group + 1

    async def scenario(bench: Bench) -> None:
        await bench.start(address=60, blocks=blocks, group_last=group - 1)
        for block in range(blocks):
            await bench.cycles_until_available(block % group)
            assert await bench.read(block % group) == bench.expected((60 + PARAMETER_BEATS * block) % 67)
            if block % group == group - 1:
                await bench.release()

    run(config, scenario)


def test_a_beat_a_cycle_for_two_groups_then_after_each_release() -> None:
    config = MacEngineConfig(macs=128, lanes=4, parameter_beats=64)

    async def scenario(bench: Bench) -> None:
        await bench.start(address=0, blocks=6, group_last=1)
        # `start` took one cycle of its own.
        assert await bench.cycles_until_available(0) == FIRST_BLOCK - 1
        assert await bench.cycles_until_available(1) == PARAMETER_BEATS
        await bench.ctx.tick().repeat(2 * PARAMETER_BEATS)
        await bench.release()
        assert await bench.cycles_until_available(1) == 0
        await bench.release()
        # The third group's first beat was requested when the second took its place.
        assert await bench.cycles_until_available(0) == FIRST_BLOCK - 2

    run(config, scenario)


def test_uniform_parameters_are_fetched_once_and_serve_every_block() -> None:
    config = MacEngineConfig(macs=256, lanes=8, parameter_beats=64)

    async def scenario(bench: Bench) -> None:
        await bench.start(address=9, blocks=100, group_last=3, uniform=1)
        for block in range(4):
            await bench.cycles_until_available(block)
            assert await bench.read(block) == bench.expected(9)
        await bench.release()
        assert await bench.cycles_until_available(3) == 0

    run(config, scenario)


@pytest.mark.parametrize("macs", [64, 256])
def test_with_a_uniform_scale_later_blocks_are_biases_alone(macs: int) -> None:
    config = MacEngineConfig(macs=macs, lanes=4, parameter_beats=67)
    group = config.cores
    blocks = 3 * group + 1

    async def scenario(bench: Bench) -> None:
        await bench.start(address=60, blocks=blocks, group_last=group - 1, uniform_scale=1)
        for block in range(blocks):
            await bench.cycles_until_available(block % group)
            biases = 60 + BIAS_BEATS * block + (PARAMETER_BEATS - BIAS_BEATS if block else 0)
            assert await bench.read(block % group) == bench.expected(biases, scale_address=60)
            if block % group == group - 1:
                await bench.release()

    run(config, scenario)


def test_biases_alone_come_every_four_cycles() -> None:
    config = MacEngineConfig(macs=128, lanes=4, parameter_beats=64)

    async def scenario(bench: Bench) -> None:
        await bench.start(address=0, blocks=6, group_last=1, uniform_scale=1)
        assert await bench.cycles_until_available(0) == FIRST_BLOCK - 1
        assert await bench.cycles_until_available(1) == BIAS_BEATS

    run(config, scenario)


def test_start_drops_what_an_earlier_command_left() -> None:
    config = MacEngineConfig(macs=64, lanes=4, parameter_beats=64)

    async def scenario(bench: Bench) -> None:
        await bench.start(address=0, blocks=2, group_last=0)
        await bench.ctx.tick().repeat(40)
        await bench.start(address=18, blocks=1, group_last=0)
        assert not bench.ctx.get(bench.store.available)
        await bench.cycles_until_available(0)
        assert await bench.read(0) == bench.expected(18)

    run(config, scenario)


@pytest.mark.parametrize("preset", ["u55-32", "u55-256"])
def test_converts(preset: str) -> None:
    convert(ParameterStore(PRESETS[preset]))
