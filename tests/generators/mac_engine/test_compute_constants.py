"""`ComputeConstants`: products and differences of a command's fields, settled in time."""

import random
from typing import Any

import pytest

from celosia.generators.chassis.tiles.compute_constants import CONSTANTS_LATENCY, ComputeConstants
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import Mode
from tests.gateware import convert, simulate

from .compute_model import Fields, random_command


def plain(fields: Fields) -> dict[str, int]:
    pixels = 1 << fields["pixel_cores_log2"]
    taps = fields["taps"]
    return {
        "groups": -(-fields["width"] // pixels),
        "group_pixels": fields["stride_x"] * pixels,
        "tile_pixels": fields["stride_x"] * pixels * fields["tile_groups"],
        "tile_lines": fields["stride_y"] * fields["tile_rows"],
        "kernel_column_pixels": fields["dilation_x"] * taps,
        "kernel_columns": taps,
        "block_cores": 1 << fields["block_cores_log2"],
        "two_operands": int(fields["mode"] in (Mode.ADD, Mode.MULTIPLY)),
        "transposed": int(fields["mode"] in (Mode.DEPTHWISE, Mode.MAXIMUM)),
        "reads_weights": int(fields["mode"] in (Mode.DEPTHWISE, Mode.DENSE, Mode.PACKED)),
    }


def steps(fields: Fields) -> dict[str, tuple[int, str]]:
    """Name -> (bricks, prefix of the map it is a step of)."""
    pitch, pitch2 = fields["ifm_row_pitch"], fields["ifm2_row_pitch"]
    return {
        "kernel_row_step": (fields["dilation_y"] * pitch, "ifm_"),
        "ofm_row_step": (fields["stride_y"] * pitch, "ifm_"),
        "tile_row_step": (fields["stride_y"] * fields["tile_rows"] * pitch, "ifm_"),
        "ifm2_row_step": (pitch2, "ifm2_"),
        "ifm2_tile_row_step": (fields["tile_rows"] * pitch2, "ifm2_"),
    }


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("preset", PRESETS)
def test_settles_within_its_latency(preset: str, seed: int) -> None:
    config = PRESETS[preset]
    generator = random.Random(seed)
    unit = ComputeConstants(config)

    async def bench(ctx: Any) -> None:
        for _ in range(20):
            fields = random_command(config, generator, generator.choice(list(Mode)))
            ctx.set(unit.command, fields)
            await ctx.tick().repeat(CONSTANTS_LATENCY)
            constants = ctx.get(unit.constants)
            for name, value in plain(fields).items():
                assert constants[name] == value, (name, fields)
            for name, (bricks, prefix) in steps(fields).items():
                size, end = fields[f"{prefix}ring_size"], fields[f"{prefix}ring_end"]
                assert constants[name].forward == bricks % (1 << 16), (name, fields)
                assert constants[name].wrapped == (bricks - size) % (1 << 16), (name, fields)
                assert constants[name].past_end == bricks % (1 << 17) - end, (name, fields)

    simulate(unit, testbenches=[bench])


def test_converts_without_a_multiplier() -> None:
    assert " * " not in convert(ComputeConstants(PRESETS["u55-256"]))
