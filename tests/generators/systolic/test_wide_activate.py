"""`ActivateUnit` of an engine that splits int16: sums of several accumulators, results of several bytes."""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from celosia.generators.chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY
from celosia.generators.chassis.tiles.activate import ActivateUnit
from celosia.generators.chassis.tiles.activate_timing import ActivateTiming
from celosia.generators.chassis.tiles.commands import BIAS_BEATS, PARAMETER_BEATS, Destination
from celosia.generators.chassis.tiles.parameter_content import parameter_content
from celosia.generators.chassis.wide_scaling import RAW_BYTES, WideScaling
from celosia.generators.systolic.config import PRESETS, SystolicConfig
from celosia.hdl.arithmetic_model import multiply_wide_by_quantized_multiplier
from tests.gateware import convert, simulate

CONFIG = replace(PRESETS["tpu-8x8"], int16=True, accumulators=64, parameter_beats=64)
WIDE_BRICKS = replace(CONFIG, rows=16, columns=16)
NO_RING = {"ofm_ring_end": 0x1FFFF, "ofm_ring_size": 0}

Write = tuple[int, int, bytes]
"""Brick, piece of it, eight bytes."""


@dataclass
class Case:
    """One ACTIVATE: int32 accumulators [tile, core, place, column] that are all filled before it starts."""

    fields: dict[str, int]
    scaling: WideScaling
    tiles: list[np.ndarray]
    writes: list[tuple[int, Write]] = field(default_factory=list)
    drained: list[int] = field(default_factory=list)
    freeing: list[int] = field(default_factory=list)
    started: int = 0
    completed: int = 0


def extents(fields: dict[str, int]) -> list[tuple[range, range, range]]:
    """Blocks, rows and pixels of every tile, in order."""
    blocks = 1 << fields["block_cores_log2"]
    return [
        (
            range(block, min(block + blocks, fields["output_blocks"])),
            range(top, min(top + fields["tile_rows"], fields["height"])),
            range(left, min(left + fields["tile_groups"], fields["width"])),
        )
        for block in range(0, fields["output_blocks"], blocks)
        for top in range(0, fields["height"], fields["tile_rows"])
        for left in range(0, fields["width"], fields["tile_groups"])
    ]


def random_case(config: SystolicConfig, seed: int, places: int, ofm_bytes: int) -> Case:
    draw = np.random.default_rng([seed, places, ofm_bytes])
    blocks = int(draw.integers(1, 2 * config.cores + 1))
    width, height = (int(size) for size in draw.integers(1, 6, 2))
    bricks = -(-blocks // config.brick_pieces)
    fields = {
        "pixel_cores_log2": 0,
        "block_cores_log2": config.cores.bit_length() - 1,
        "height": height,
        "width": width,
        "tile_rows": int(draw.integers(1, 4)),
        "tile_groups": int(draw.integers(1, width + 1)),
        "output_blocks": blocks,
        "ofm_row": 100,
        "ofm_row_pitch": bricks * ofm_bytes * width,
        "ofm_channel_pitch": ofm_bytes * width,
        "ofm_plane_pitch": width,
        **NO_RING,
        "parameter_address": 60,
        "parameter_uniform": 0,
        "uniform_scale": int(draw.integers(0, 2)),
        "minimum": int(draw.integers(-32768 if ofm_bytes == 2 else -128, 0)),
        "maximum": int(draw.integers(0, 32768 if ofm_bytes == 2 else 128)),
        "places": places,
        "ofm_bytes": ofm_bytes,
        "softmax_lanes": 0,
        "use_table": 0,
        "snapshot": 0,
        "zero_point": 0,
    }
    channels = 8 * blocks
    multiplier = draw.integers(1 << 30, 1 << 31, channels).astype(np.int32)
    shift = np.maximum(draw.integers(-8 * places - 14, -8 * places - 6, channels), -31).astype(np.int8)
    bias = draw.integers(-(1 << 30), 1 << 30, channels)
    if fields["uniform_scale"]:
        multiplier[:], shift[:], bias = multiplier[0], shift[0], np.abs(bias)
    scaling = WideScaling(bias << (8 if places > 1 and not fields["uniform_scale"] else 0), multiplier, shift)
    if ofm_bytes == RAW_BYTES:
        scaling = WideScaling.raw(scaling.bias)
    limit = 1 << 30
    tiles = [draw.integers(-limit, limit, (config.cores, config.accumulators, 8)) for _ in extents(fields)]
    return Case(fields, scaling, tiles)


def expected_writes(case: Case, config: SystolicConfig) -> list[Write]:
    """The loop nest, pixel by pixel, the highest byte of each result first."""
    f, writes = case.fields, []
    for tile, (blocks, rows, pixels) in zip(case.tiles, extents(f), strict=True):
        for block in blocks:
            channels = slice(8 * block, 8 * block + 8)
            own = case.scaling.of_channels(channels)
            for y in rows:
                for x in pixels:
                    first = ((y - rows[0]) * len(pixels) + x - pixels[0]) * f["places"]
                    total = np.zeros(8, np.int64)
                    for place in range(f["places"]):
                        total = total * 256 + tile[block - blocks[0], first + place]
                    total = total + own.bias
                    if f["ofm_bytes"] < RAW_BYTES:
                        scaled = multiply_wide_by_quantized_multiplier(total, own.multiplier, own.shift)
                        total = np.clip(scaled, f["minimum"], f["maximum"])
                    brick, piece = divmod(block, config.brick_pieces)
                    address = f["ofm_row"] + y * f["ofm_row_pitch"] + brick * f["ofm_channel_pitch"] + x
                    for plane, byte in enumerate(reversed(range(f["ofm_bytes"]))):
                        content = (total >> 8 * byte & 255).astype(np.uint8).tobytes()
                        writes.append((address + plane * f["ofm_plane_pitch"], piece, content))
    return writes


def run(config: SystolicConfig, case: Case) -> None:
    """One command; what happened is in the case."""
    unit = ActivateUnit(config)
    content = parameter_content(case.scaling)

    async def bench(ctx: Any) -> None:
        for number in range(len(content) // 8):
            ctx.set(unit.weights.valid, 1)
            data = int.from_bytes(content[8 * number : 8 * number + 8], "little")
            address = (case.fields["parameter_address"] + number) % config.parameter_beats
            place = {"destination": Destination.PARAMETER_STORE, "address": address, "data": data}
            ctx.set(unit.weights.payload, place)
            await ctx.tick()
        ctx.set(unit.weights.valid, 0)
        ctx.set(unit.command.payload, case.fields)
        ctx.set(unit.command.valid, 1)
        asked: deque[np.ndarray] = deque([np.zeros(8, int)] * ACCUMULATOR_READ_LATENCY)
        for cycle in range(20_000):
            ctx.set(unit.accumulators.filled, len(case.drained) < len(case.tiles))
            for column, value in enumerate(asked.popleft().tolist()):
                ctx.set(unit.accumulators.values[column], value)
            tile = case.tiles[min(len(case.drained), len(case.tiles) - 1)]
            asked.append(tile[ctx.get(unit.accumulators.core), ctx.get(unit.accumulators.address)])
            if ctx.get(unit.accumulators.drained):
                case.drained.append(cycle)
            if ctx.get(unit.accumulators.freeing):
                case.freeing.append(cycle)
            if ctx.get(unit.results.enable):
                piece = ctx.get(unit.piece) if config.brick_pieces > 1 else 0
                data = ctx.get(unit.results.data).to_bytes(8, "little")
                case.writes.append((cycle, (ctx.get(unit.results.address), piece, data)))
            if ctx.get(unit.command.ready):
                case.completed = cycle
                break
            await ctx.tick()
        else:
            raise AssertionError("it never completes")

    simulate(unit, testbenches=[bench])


def check(config: SystolicConfig, case: Case) -> None:
    run(config, case)
    assert [write for _, write in case.writes] == expected_writes(case, config)
    timing = ActivateTiming(config, case.fields, case.started)
    for drained, freeing in zip(case.drained, case.freeing, strict=True):
        assert timing.drain(0) == drained
        assert timing.freeing == freeing
    assert case.completed == timing.completed == case.writes[-1][0]


@pytest.mark.parametrize("ofm_bytes", [1, 2, RAW_BYTES])
@pytest.mark.parametrize("places", [1, 2, 3])
def test_random_commands(places: int, ofm_bytes: int) -> None:
    for seed in range(3):
        check(CONFIG, random_case(CONFIG, seed, places, ofm_bytes))
    check(WIDE_BRICKS, random_case(WIDE_BRICKS, 3, places, ofm_bytes))


def test_a_pixel_takes_a_cycle_for_each_accumulator_or_byte() -> None:
    for places, ofm_bytes, turns in ((1, 1, 1), (2, 2, 2), (3, 2, 3), (3, RAW_BYTES, 6), (1, 2, 2)):
        case = random_case(CONFIG, 0, places, ofm_bytes)
        case.fields |= {"height": 1, "width": 9, "tile_rows": 1, "tile_groups": 9, "output_blocks": 1}
        case.scaling = case.scaling.of_channels(slice(0, 8))
        case.tiles = case.tiles[:1]
        run(CONFIG, case)
        first_bytes = [cycle for cycle, _ in case.writes[::ofm_bytes]]
        assert np.diff(first_bytes).tolist() == [turns] * 8


def test_three_more_multiplications_a_lane() -> None:
    plain = convert(ActivateUnit(replace(CONFIG, int16=False))).count(" * ")
    assert convert(ActivateUnit(CONFIG)).count(" * ") == plain + 3 * CONFIG.lanes


def test_parameters_are_as_many_beats_as_those_of_int8() -> None:
    scaling = WideScaling.raw(np.arange(24))
    assert len(parameter_content(scaling, slice(0, 2))) == 8 * (PARAMETER_BEATS + BIAS_BEATS)
