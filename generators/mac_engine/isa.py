"""The MAC engine's command words: WEIGHTS, COMPUTE and ACTIVATE beside the chassis' LOAD and STORE."""

import enum

from ..chassis.command import BEGIN, HALT, LOAD, STORE, CommandLayout, Field, Opcode


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


_TILING = (
    Field("pixel_cores_log2", 2, "log2 of P: cores that take neighbouring pixels"),
    Field("block_cores_log2", 3, "log2 of Q: cores that take neighbouring output blocks; P * Q <= cores"),
    Field("height", 16, "rows of the ofm that this command covers"),
    Field("width", 16, "pixels of an ofm row"),
    Field("tile_rows", 5, "rows of an accumulator tile"),
    Field("tile_groups", 5, "pixel groups in a tile row; tile_rows * tile_groups <= 16"),
    Field("output_blocks", 12, "blocks of rows-per-core output channels"),
)
"""What COMPUTE and its ACTIVATE must agree on."""

WEIGHTS = CommandLayout(
    Opcode.WEIGHTS,
    (
        Field("region", 2, "memory region"),
        Field("offset", 32, "first byte, relative to the region; a multiple of 8"),
        Field("beats", 20, "64-bit beats to move, at least 1"),
        Field("destination", 3, "see Destination"),
        Field("address", 16, "first beat in the destination"),
        Field(
            "words",
            14,
            "weight store: 128-bit words that the beats decode to (see weight_code); 0: not coded",
        ),
        Field("vectors", 14, "coded: vectors of 16 bytes"),
        Field("live_lanes", 4, "coded: lanes of an output channel that are not always zero: 1, 2, 3, 4 or 8"),
        Field("remainder_bits", 3, "coded: low bits of a weight that are plain"),
        Field("unary_planes", 2, "coded: planes of the unary part, 1..3"),
        Field("zero_vectors", 1, "coded: a bit for each vector tells whether it is zero"),
    ),
)

COMPUTE = CommandLayout(
    Opcode.COMPUTE,
    (
        Field("mode", 3, "see Mode"),
        *_TILING,
        Field(
            "accumulate",
            1,
            "the first step adds to the tile that a COMPUTE with `partial` left; one tile only",
        ),
        Field("partial", 1, "leave the tile in its accumulator half for the next COMPUTE; one tile only"),
        Field("kernel_height", 8, "1..255"),
        Field("kernel_width", 8, "1..255"),
        Field("stride_y", 2, "1..3"),
        Field("stride_x", 2, "1..3"),
        Field("dilation_y", 2, "1..2"),
        Field("dilation_x", 2, "1..2"),
        Field(
            "taps",
            4,
            "kernel columns in a step: 1..8 in DEPTHWISE, 1..8 // packed_channels in PACKED, else 1",
        ),
        Field("packed_channels", 3, "PACKED: channels of the ifm, 1..4; otherwise 0"),
        Field("window", 4, "neighbouring bricks read in a cycle, 1..8"),
        *_feature_map("ifm_", "ifm"),
        Field("ifm_height", 16, "rows of the ifm; rows outside 0..height-1 are padding"),
        Field("ifm_width", 16, "pixels of an ifm row; pixels outside 0..width-1 are padding"),
        Field("y_origin", 17, "ifm row under kernel row 0 of ofm row 0", is_signed=True),
        Field("x_origin", 8, "ifm pixel under kernel column 0 of ofm pixel 0", is_signed=True),
        Field("pad_value", 8, "what padding reads as", is_signed=True),
        Field("channel_bricks", 12, "DENSE: channel bricks of the reduction; otherwise 1"),
        Field(
            "blocks_per_brick",
            10,
            "output blocks after which the ifm moves to its next channel brick; 0: never (DENSE)",
        ),
        Field("weight_address", 16, "first 128-bit word of the first block in the weight store"),
        *_feature_map("ifm2_", "second operand"),
        Field("ifm2_broadcast_x", 1, "second operand has one pixel a row"),
        Field("ifm2_broadcast_channels", 1, "second operand has one channel: lane 0 goes to all"),
    ),
)

ACTIVATE = CommandLayout(
    Opcode.ACTIVATE,
    (
        *_TILING,
        *_feature_map("ofm_", "ofm"),
        Field("parameter_address", 16, "beat of the first parameter block in the parameter store"),
        Field("parameter_uniform", 1, "one parameter block serves every output block"),
        Field(
            "uniform_scale",
            1,
            "parameter blocks after the first are only their biases; multipliers and shifts are those of the first",
        ),
        Field("zero_point", 8, "of the ofm", is_signed=True),
        Field("minimum", 8, "lower clamp", is_signed=True),
        Field("maximum", 8, "upper clamp", is_signed=True),
        Field("use_table", 1, "replace the clamped value by its activation table entry"),
        Field(
            "softmax_lanes",
            4,
            "0: write the results; 1..8: write their SOFTMAX; height, width and every tile are one pixel, whose last "
            "channel brick has so many channels; zero_point is 0",
        ),
        Field("snapshot", 1, "on completion, append the performance counters to the profile memory"),
    ),
)

LAYOUTS = {layout.opcode: layout for layout in (LOAD, WEIGHTS, COMPUTE, ACTIVATE, STORE, BEGIN, HALT)}
"""Every command of the family, by opcode."""

BIAS_BEATS = 4
"""Beats of the biases of eight channels."""

PARAMETER_BEATS = 9
"""Beats of one block of eight channels' parameters: 4 of bias (two int32 a beat), 4 of multiplier
(two int32 a beat), 1 of shift (eight int8; positive is left)."""

TILE_PIXELS = 16
"""Pixel groups that one accumulator half holds."""

BRICK_CHANNELS = 8
"""Channels of a brick: 8 bytes of one pixel."""

LARGEST_PACKED_CHANNELS = 4
"""Most channels of an ifm whose kernel columns can share the lanes."""

SOFTMAX_CHANNELS = 2048
"""Most channels of a pixel whose SOFTMAX the engine computes."""

BANKS = 8
"""Banks of the unified buffer; brick address modulo 8 names the bank."""

WEIGHT_WORD_BYTES = 16
"""Bytes that the weight store delivers in a cycle."""
