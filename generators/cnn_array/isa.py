"""The CNN array's command words: WEIGHTS, COMPUTE and ACTIVATE beside the chassis' LOAD and STORE.

Together they are what the original calls layer descriptors: run-time data, so that one bitstream serves any network.
"""

from ..chassis.command import BEGIN, HALT, LOAD, STORE, CommandLayout, Field, Opcode
from ..chassis.fixed_point import VALUE_BITS
from ..chassis.tiles.commands import activate_layout, compute_layout

LARGEST_TILE = 4096
"""Most partial sums that the units of an output channel have in each half of their registers."""

_TILE_BITS = LARGEST_TILE.bit_length()
_MOST = "the partial sums of the units of an output channel"

WEIGHTS = CommandLayout(
    Opcode.WEIGHTS,
    (
        Field("region", 2, "memory region"),
        Field("offset", 32, "first byte, relative to the region; a multiple of 8"),
        Field("beats", 20, "64-bit beats to move, at least 1"),
        Field("destination", 3, "see Destination; WEIGHT_STORE are the kernel buffers"),
        Field("address", 16, "first beat in the destination"),
        Field("words", 1, "0: weights come as they are"),
    ),
)

LARGEST_STRIDE = 4


_SUM_FIELDS = (
    Field(
        "operand_shift", 5, "ADD of fixed-point numbers: places by which one operand is shifted to the left"
    ),
    Field("shifts_second", 1, "ADD of fixed-point numbers: it is the second one"),
    Field("negated", 2, "ADD of fixed-point numbers: bit 0: the first operand is negated, bit 1: the second"),
)
"""What COMPUTE has room for in its seventh beat."""

COMPUTE = compute_layout(_TILE_BITS, _MOST, (), LARGEST_STRIDE, _SUM_FIELDS)

_ROUNDS = "of engines with rounds: "

_ROUND_FIELDS = (
    Field(
        "round_last",
        7,
        _ROUNDS + "words of weights of a step, less one: lanes x turns",
    ),
    Field(
        "two_turns",
        1,
        _ROUNDS + "each lane meets two words of weights, those of a block group's lower half first",
    ),
    Field("taps", 3, _ROUNDS + "kernel columns of a step: more than 1 in PACKED only"),
    Field("packed_channels", 5, _ROUNDS + "PACKED: channels of the ifm, a multiple of 4; otherwise 0"),
    Field("window", 3, _ROUNDS + "neighbouring bricks read in a cycle, as many as taps"),
)

COMPUTE_IN_ROUNDS = compute_layout(_TILE_BITS, _MOST, (), LARGEST_STRIDE, (*_SUM_FIELDS, *_ROUND_FIELDS))
"""As `COMPUTE`, of engines whose rounds of weights are as long as the command says."""

_TO_EVEN = Field("to_even", 1, "of fixed-point numbers: halves go to the even neighbour, else away from zero")

ACTIVATE = activate_layout(_TILE_BITS, _MOST, VALUE_BITS, (_TO_EVEN,))

LAYOUTS = {
    layout.opcode: layout for layout in (LOAD, WEIGHTS, COMPUTE_IN_ROUNDS, ACTIVATE, STORE, BEGIN, HALT)
}
"""Every command of the family, by opcode; an engine without rounds keeps less of COMPUTE."""
