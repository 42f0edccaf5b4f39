"""The systolic engine's command words: WEIGHTS, COMPUTE and ACTIVATE beside the chassis' LOAD and STORE.

COMPUTE is the original's MatrixMultiply and Convolve, ACTIVATE its Activate, WEIGHTS its Read_Weights, LOAD and STORE
its Read_Host_Memory and Write_Host_Memory.
"""

from ..chassis.command import BEGIN, HALT, LOAD, STORE, CommandLayout, Field, Opcode
from ..chassis.tiles.commands import activate_layout, compute_layout

LARGEST_TILE = 8192
"""Most places of an accumulator half."""

MOST_MACS = 512 * 512
"""Of the largest array in a cycle."""

_TILE_BITS = LARGEST_TILE.bit_length()
_MOST = "the places of an accumulator half"

WEIGHTS = CommandLayout(
    Opcode.WEIGHTS,
    (
        Field("region", 2, "memory region"),
        Field("offset", 32, "first byte, relative to the region; a multiple of a beat"),
        Field("beats", 20, "beats of the weights' port to move, at least 1"),
        Field("destination", 3, "see Destination; of WEIGHT_STORE, the weight FIFO, `words` is not 0"),
        Field("address", 16, "first place in the destination, which takes the lowest 64 bits of each beat"),
        Field("words", 24, "weight FIFO: rows of tiles that the beats are; else 0"),
    ),
)

COMPUTE = CommandLayout(
    Opcode.COMPUTE,
    (
        *compute_layout(_TILE_BITS, _MOST).fields,
        Field(
            "rows_used", 10, "rows of the array that count in the last channel brick, for USEFUL_MACS; 0..R"
        ),
        Field("columns_used", 10, "columns that count in the last block group, for USEFUL_MACS; 0..C"),
        Field(
            "ifm_int16", 1, "DENSE, of engines with `int16`: each brick of the ifm is two, high and low bytes"
        ),
        Field("weights_int16", 1, "likewise: each tile of weights is two, of high and of low bytes"),
        Field("ifm_plane_pitch", 16, "ifm_int16: bricks from the high bytes to the low bytes; else 0"),
    ),
)

ACTIVATE = activate_layout(
    _TILE_BITS,
    _MOST,
    value_bits=16,
    own_fields=(
        Field(
            "places",
            2,
            "0: int8 results of int32 accumulators; of engines with `int16`, 1..3: each sum has so many accumulators, "
            "each 256 times the next, and is requantized in 48 bits",
        ),
        Field(
            "ofm_bytes",
            3,
            "with `places`: 1 or 2, results of so many bytes, which lie in planes, or 6, the scaled sums without a "
            "clamp; else 0",
        ),
        Field("ofm_plane_pitch", 16, "bricks from a byte of the results to the next lower; else 0"),
    ),
)

LAYOUTS = {layout.opcode: layout for layout in (LOAD, WEIGHTS, COMPUTE, ACTIVATE, STORE, BEGIN, HALT)}
"""Every command of the family, by opcode."""
