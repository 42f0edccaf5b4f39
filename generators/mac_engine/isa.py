"""The MAC engine's command words: WEIGHTS, COMPUTE and ACTIVATE beside the chassis' LOAD and STORE."""

from ..chassis.command import BEGIN, HALT, LOAD, STORE, CommandLayout, Field, Opcode
from ..chassis.tiles.commands import (
    BANKS,
    BIAS_BEATS,
    BRICK_CHANNELS,
    PARAMETER_BEATS,
    SOFTMAX_CHANNELS,
    Destination,
    Mode,
    activate_layout,
    compute_layout,
)

__all__ = [
    "ACTIVATE",
    "BANKS",
    "BIAS_BEATS",
    "BRICK_CHANNELS",
    "COMPUTE",
    "LARGEST_PACKED_CHANNELS",
    "LAYOUTS",
    "PARAMETER_BEATS",
    "SOFTMAX_CHANNELS",
    "TILE_PIXELS",
    "WEIGHTS",
    "WEIGHT_WORD_BYTES",
    "Destination",
    "Mode",
]

TILE_PIXELS = 16
"""Pixel groups that one accumulator half holds."""

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

_TILE_BITS = TILE_PIXELS.bit_length()

COMPUTE = compute_layout(_TILE_BITS, f"{TILE_PIXELS}")

ACTIVATE = activate_layout(_TILE_BITS, f"{TILE_PIXELS}")

LAYOUTS = {layout.opcode: layout for layout in (LOAD, WEIGHTS, COMPUTE, ACTIVATE, STORE, BEGIN, HALT)}
"""Every command of the family, by opcode."""

LARGEST_PACKED_CHANNELS = 4
"""Most channels of an ifm whose kernel columns can share the lanes."""

WEIGHT_WORD_BYTES = 16
"""Bytes that the weight store delivers in a cycle."""
