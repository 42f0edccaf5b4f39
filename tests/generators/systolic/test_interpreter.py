"""Commands that no systolic engine must get are refused by name."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.command import Opcode, Region
from celosia.generators.chassis.interpreter import IllegalCommand
from celosia.generators.chassis.schedule import Command, encode_commands
from celosia.generators.chassis.tiles.commands import Destination, Mode
from celosia.generators.systolic.config import PRESETS, SystolicConfig
from celosia.generators.systolic.interpreter import Interpreter
from celosia.generators.systolic.isa import LAYOUTS

PLAIN = PRESETS["tpu-8x8"]
INT16 = replace(PLAIN, int16=True)
TILE = dict.fromkeys(("height", "width", "tile_rows", "tile_groups", "output_blocks"), 1)
COMPUTE = {
    "mode": Mode.DENSE,
    **TILE,
    **dict.fromkeys(("kernel_height", "kernel_width", "stride_y", "stride_x"), 1),
    **dict.fromkeys(("dilation_y", "dilation_x", "channel_bricks"), 1),
    **dict.fromkeys(("ifm_height", "ifm_width", "taps", "window"), 1),
    "ifm_ring_end": 0x1FFFF,
}
ACTIVATE = {**TILE, "ofm_ring_end": 0x1FFFF, "ofm_channel_pitch": 1, "parameter_uniform": 1, "maximum": 127}


def run(config: SystolicConfig, compute: dict[str, int], activate: dict[str, int]) -> None:
    """A COMPUTE with as many weights as it may take, and its ACTIVATE."""
    rows = 4 * config.rows if compute.get("weights_int16") and compute.get("ifm_int16") else config.rows
    rows *= 2 if bool(compute.get("weights_int16")) != bool(compute.get("ifm_int16")) else 1
    weights = {"region": Region.PROGRAM, "beats": rows, "words": rows}
    commands = [
        Command(Opcode.COMPUTE, {**COMPUTE, **compute}),
        Command(Opcode.WEIGHTS, {**weights, "destination": Destination.WEIGHT_STORE}),
        Command(Opcode.ACTIVATE, {**ACTIVATE, **activate}),
    ]
    regions = {region: np.zeros(4096, np.uint8) for region in Region}
    Interpreter(config, regions).run(encode_commands(commands, LAYOUTS, config.hash))


def test_these_are_legal() -> None:
    run(PLAIN, {}, {})
    run(INT16, {}, {"places": 1, "ofm_bytes": 2})
    run(INT16, {"ifm_int16": 1, "weights_int16": 1}, {"places": 3, "ofm_bytes": 6})


@pytest.mark.parametrize(
    ("config", "compute", "activate", "message"),
    [
        (PLAIN, {"ifm_int16": 1}, {}, "operands of 16 bits"),
        (PLAIN, {"weights_int16": 1}, {}, "operands of 16 bits"),
        (PLAIN, {}, {"places": 1, "ofm_bytes": 1}, "1 bytes of each ofm element from 1 accumulators"),
        (INT16, {}, {"places": 1, "ofm_bytes": 3}, "3 bytes of each ofm element from 1 accumulators"),
        (INT16, {}, {"ofm_bytes": 2}, "2 bytes of each ofm element from 0 accumulators"),
        (INT16, {"ifm_int16": 1}, {"places": 3, "ofm_bytes": 2}, "ACTIVATE drains a tile of"),
        (INT16, {"ifm_int16": 1}, {}, "ACTIVATE drains a tile of"),
        (INT16, {"ifm_int16": 1, "tile_groups": 257}, {"places": 2, "ofm_bytes": 2}, "a tile of 1 x 257"),
    ],
)
def test_what_an_engine_cannot_do_is_refused(
    config: SystolicConfig, compute: dict[str, int], activate: dict[str, int], message: str
) -> None:
    with pytest.raises(IllegalCommand, match=message):
        run(config, compute, activate)


def test_a_maximum_of_16_bits_is_refused() -> None:
    compute = {"mode": Mode.MAXIMUM, "ifm_int16": 1, "blocks_per_brick": 1}
    with pytest.raises(IllegalCommand, match="operands of 16 bits"):
        run(INT16, compute, {})
