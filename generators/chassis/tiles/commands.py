"""The command words of families whose COMPUTE fills accumulator tiles and whose ACTIVATE drains them.

How far a tile may reach, and so how wide its fields are, is the family's choice.
"""

import enum
from collections.abc import Sequence

from ..command import CommandLayout, Field, Opcode
from ..placement import BRICK_CHANNELS

__all__ = [
    "BANKS",
    "BIAS_BEATS",
    "BRICK_CHANNELS",
    "LANE_FIELDS",
    "PARAMETER_BEATS",
    "SOFTMAX_CHANNELS",
    "Destination",
    "Mode",
    "activate_layout",
    "compute_layout",
]


class Destination(enum.IntEnum):
    """Where WEIGHTS puts its bytes."""

    WEIGHT_STORE = 0
    """Ring of weight blocks; address in 64-bit beats, wraps at the store's depth."""
    PARAMETER_STORE = 1
    """Ring of bias/multiplier/shift blocks; address in 64-bit beats, wraps at the store's depth."""
    OPERAND_TABLE = 2
    """Two tables of 256 x int32 (operand A at beat 0, operand B at beat 128), two entries a beat."""
    ACTIVATION_TABLE = 3
    """256 x int8, eight entries a beat, entry index = value + 128."""
    EXPONENTIAL_TABLE = 4
    """256 x int32 for SOFTMAX, two entries a beat; entry d: what a value d below the maximum weighs, in Q0.31."""


class Mode(enum.IntEnum):
    """What COMPUTE does with the bricks that it reads."""

    DENSE = 0
    """accumulator[o] = sum over kernel and channels of weight[o][i] * ifm[i]"""
    DEPTHWISE = 1
    """Kernel taps on the eight lanes: accumulator[c] = sum over taps of weight[c][tap] * ifm[tap][c]"""
    MAXIMUM = 2
    """accumulator[c] = maximum over kernel taps of ifm[c]; with a 1x1 kernel, a copy"""
    ADD = 3
    """accumulator[c] = table_a[ifm[c]] + table_b[ifm2[c]]"""
    MULTIPLY = 4
    """accumulator[c] = table_a[ifm[c]] * table_b[ifm2[c]] (each entry at most 9 bits signed)"""
    PACKED = 5
    """As DENSE for an ifm of 1..4 channels: `taps` kernel columns share the lanes, lane = tap * channels + channel"""


def _feature_map(prefix: str, what: str) -> tuple[Field, ...]:
    return (
        Field(f"{prefix}row", 16, f"{what}: brick address of pixel 0, channel brick 0 of the first row"),
        Field(f"{prefix}row_pitch", 16, f"{what}: bricks from a row to the next"),
        Field(f"{prefix}channel_pitch", 16, f"{what}: bricks from a channel brick to the next"),
        Field(f"{prefix}ring_end", 17, f"{what}: one past the last brick of the ring of rows"),
        Field(f"{prefix}ring_size", 17, f"{what}: bricks of the ring; a row at or past ring_end wraps by it"),
    )


def _tiling(tile_bits: int, most: str) -> tuple[Field, ...]:
    """What COMPUTE and its ACTIVATE must agree on."""
    return (
        Field("pixel_cores_log2", 2, "log2 of P: cores that take neighbouring pixels"),
        Field("block_cores_log2", 3, "log2 of Q: cores that take neighbouring output blocks; P * Q <= cores"),
        Field("height", 16, "rows of the ofm that this command covers"),
        Field("width", 16, "pixels of an ofm row"),
        Field("tile_rows", tile_bits, "rows of an accumulator tile"),
        Field("tile_groups", tile_bits, f"pixel groups in a tile row; tile_rows * tile_groups <= {most}"),
        Field("output_blocks", 12, "blocks of rows-per-core output channels"),
    )


LANE_FIELDS = (
    Field(
        "taps",
        4,
        "kernel columns in a step: 1..8 in DEPTHWISE, 1..8 // packed_channels in PACKED, else 1",
    ),
    Field("packed_channels", 3, "PACKED: channels of the ifm, 1..4; otherwise 0"),
    Field("window", 4, "neighbouring bricks read in a cycle, 1..8"),
)
"""Of COMPUTE where kernel columns may share the lanes."""


def compute_layout(
    tile_bits: int,
    most: str,
    lane_fields: Sequence[Field] = LANE_FIELDS,
    largest_stride: int = 3,
    own_fields: Sequence[Field] = (),
) -> CommandLayout:
    """COMPUTE; a tile's rows and groups have `tile_bits` bits, and together are at most what `most` says.

    Without `lane_fields` a step is one kernel column, and a read one brick. `own_fields` are what the family adds.
    """
    strides = largest_stride.bit_length(), f"1..{largest_stride}"
    return CommandLayout(
        Opcode.COMPUTE,
        (
            Field("mode", 3, "see Mode"),
            *_tiling(tile_bits, most),
            Field(
                "accumulate",
                1,
                "the first step adds to the tile that a COMPUTE with `partial` left; one tile only",
            ),
            Field("partial", 1, "leave the tile in its accumulator half for the next COMPUTE; one tile only"),
            Field("kernel_height", 8, "1..255"),
            Field("kernel_width", 8, "1..255"),
            Field("stride_y", *strides),
            Field("stride_x", *strides),
            Field("dilation_y", 2, "1..2"),
            Field("dilation_x", 2, "1..2"),
            *lane_fields,
            *_feature_map("ifm_", "ifm"),
            Field("ifm_height", 16, "rows of the ifm; rows outside 0..height-1 are padding"),
            Field("ifm_width", 16, "pixels of an ifm row; pixels outside 0..width-1 are padding"),
            Field("y_origin", 17, "ifm row under kernel row 0 of ofm row 0", is_signed=True),
            Field("x_origin", 8, "ifm pixel under kernel column 0 of ofm pixel 0", is_signed=True),
            Field(
                "pad_value",
                8,
                "what padding reads as; of wider operands the upper bits, the others are 0",
                is_signed=True,
            ),
            Field("channel_bricks", 12, "DENSE: channel bricks of the reduction; otherwise 1"),
            Field(
                "blocks_per_brick",
                10,
                "output blocks after which the ifm moves to its next channel brick; 0: never (DENSE)",
            ),
            Field("weight_address", 16, "first word of the first block in the weight store"),
            *_feature_map("ifm2_", "second operand"),
            Field("ifm2_broadcast_x", 1, "second operand has one pixel a row"),
            Field("ifm2_broadcast_channels", 1, "second operand has one channel: lane 0 goes to all"),
            *own_fields,
        ),
    )


def activate_layout(
    tile_bits: int, most: str, value_bits: int = 8, own_fields: Sequence[Field] = ()
) -> CommandLayout:
    """ACTIVATE; see `compute_layout`. Results have `value_bits`, `own_fields` are what the family adds."""
    return CommandLayout(
        Opcode.ACTIVATE,
        (
            *_tiling(tile_bits, most),
            *_feature_map("ofm_", "ofm"),
            Field("parameter_address", 16, "beat of the first parameter block in the parameter store"),
            Field("parameter_uniform", 1, "one parameter block serves every output block"),
            Field(
                "uniform_scale",
                1,
                "parameter blocks after the first are only their biases; multipliers and shifts are those of the first",
            ),
            Field("zero_point", 8, "of the ofm", is_signed=True),
            Field("minimum", value_bits, "lower clamp", is_signed=True),
            Field("maximum", value_bits, "upper clamp", is_signed=True),
            Field("use_table", 1, "replace the clamped value by its activation table entry"),
            Field(
                "softmax_lanes",
                4,
                "0: write the results; 1..8: write their SOFTMAX; height, width and every tile are one pixel, whose "
                "last channel brick has so many channels; zero_point is 0",
            ),
            Field("snapshot", 1, "on completion, append the performance counters to the profile memory"),
            *own_fields,
        ),
    )


BIAS_BEATS = 4
"""Beats of the biases of eight channels."""

PARAMETER_BEATS = 9
"""Beats of one block of eight channels' parameters: 4 of bias (two int32 a beat), 4 of multiplier
(two int32 a beat), 1 of shift (eight int8; positive is left)."""

SOFTMAX_CHANNELS = 2048
"""Most channels of a pixel whose SOFTMAX the engine computes."""

BANKS = 8
"""Banks of the unified buffer; brick address modulo 8 names the bank."""
