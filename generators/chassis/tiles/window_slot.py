"""What travels with a window of bricks from the loops of COMPUTE to the accumulators."""

from amaranth.hdl import unsigned
from amaranth.lib import data

from .commands import BANKS
from .tile_config import TileConfig, block_part_bits

WINDOW = data.ArrayLayout(64, BANKS)
"""Eight neighbouring bricks."""


def window_slot_layout(config: TileConfig) -> data.StructLayout:
    """One window.

    new_weights: first window of a step: the weights that were loaded take the place of those in use.
    second_operand: of ADD and MULTIPLY.
    odd_block: output block modulo those of a brick, at least modulo 2.
    accumulate: the result goes into the accumulators; all other members mean nothing where neither is set.
    first: it replaces what is there.
    half, address: which accumulators.
    hand_over: with it the tile is complete.
    complete: with it the command is complete.
    low_bytes: the brick has the lower, unsigned bytes of int16; only if the engine splits those.
    """
    low_bytes = {"low_bytes": unsigned(1)} if config.splits_int16 else {}
    return data.StructLayout(
        {
            "new_weights": unsigned(1),
            "second_operand": unsigned(1),
            "odd_block": unsigned(block_part_bits(config)),
            "accumulate": unsigned(1),
            "first": unsigned(1),
            "half": unsigned(1),
            "address": range(config.tile_pixels),
            "hand_over": unsigned(1),
            "complete": unsigned(1),
            **low_bytes,
        }
    )
