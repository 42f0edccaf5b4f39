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
    ),
)

ACTIVATE = activate_layout(_TILE_BITS, _MOST)

LAYOUTS = {layout.opcode: layout for layout in (LOAD, WEIGHTS, COMPUTE, ACTIVATE, STORE, BEGIN, HALT)}
"""Every command of the family, by opcode."""
