"""Commands that no CNN array must get are refused by name."""

import numpy as np
import pytest

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Region
from celosia.generators.chassis.interpreter import IllegalCommand
from celosia.generators.chassis.prediction import TimingError
from celosia.generators.chassis.schedule import Command, encode_commands
from celosia.generators.chassis.tiles.commands import Destination, Mode
from celosia.generators.cnn_array.config import PRESETS
from celosia.generators.cnn_array.interpreter import Interpreter
from celosia.generators.cnn_array.isa import LAYOUTS
from celosia.generators.cnn_array.timing import predict

CONFIG = PRESETS["catapult-8x8"]
PIXEL = {
    "mode": Mode.DENSE,
    **dict.fromkeys(("height", "width", "tile_rows", "tile_groups", "output_blocks"), 1),
    **dict.fromkeys(("kernel_height", "kernel_width", "stride_y", "stride_x"), 1),
    **dict.fromkeys(("dilation_y", "dilation_x", "channel_bricks"), 1),
    **dict.fromkeys(("ifm_height", "ifm_width"), 1),
    "ifm_ring_end": 0x1FFFF,
}
TALL = {"mode": Mode.ADD, "height": 3, "tile_rows": 2}
"""Two tiles below each other."""
CODED = Command(
    Opcode.WEIGHTS,
    {"region": Region.PROGRAM, "beats": 1, "destination": Destination.WEIGHT_STORE, "words": 1},
)


def words(*commands: Command) -> bytes:
    return encode_commands(list(commands), LAYOUTS, CONFIG.hash)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": Mode.DEPTHWISE}, "mode DEPTHWISE"),
        ({"mode": Mode.PACKED}, "mode PACKED"),
        ({"weight_address": 4}, "weights at word 4 are not those of a step"),
        ({"channel_bricks": 513}, "4104 words of weights exceed the kernel buffers"),
        ({"block_cores_log2": 1}, "cores that the array does not have"),
        ({"tile_groups": 129}, "a tile of 1 x 129 groups"),
        ({**TALL, "ifm_row_pitch": 4, "ifm_ring_size": 4}, "tiles 8 bricks apart in a ring of 4"),
        ({**TALL, "ifm2_row_pitch": 3, "ifm2_ring_size": 5}, "tiles 6 bricks apart in a ring of 5"),
    ],
)
def test_a_compute_that_the_array_cannot_do(change: dict[str, int], message: str) -> None:
    regions = {region: np.zeros(COMMAND_BYTES, np.uint8) for region in Region}
    with pytest.raises(IllegalCommand, match=message):
        Interpreter(CONFIG, regions).run(words(Command(Opcode.COMPUTE, {**PIXEL, **change})))


def test_weights_are_never_coded() -> None:
    regions = {region: np.zeros(COMMAND_BYTES, np.uint8) for region in Region}
    with pytest.raises(IllegalCommand, match="coded weights"):
        Interpreter(CONFIG, regions).run(words(CODED))
    with pytest.raises(TimingError, match="waits for a decoder that there is none of"):
        predict(words(CODED), 0, CONFIG)
