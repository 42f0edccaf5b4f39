"""About how fast a design will be, before it is placed and routed: a guide, no promise.

On ECP5 the engine's own paths set the clock, and they are the same in every configuration of a family but for wires.
So a family has one figure for speed grade 6, scaled to the others by what nextpnr's delays differ by.
"""

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import family_of

from .board import Board

_SPEED_FACTORS = {6: 1.0, 7: 1.1, 8: 1.18}
"""An 8 x 8 array of multipliers reached 182 MHz at grade 6 and 215 at grade 8; grade 7 lies between."""
_MHZ = 1_000_000


def estimated_fmax(board: Board, config: EngineConfig) -> float:
    """MHz of the accelerator's clock; for a board with a `clock` of its own, that: nothing was routed for it here."""
    if board.clock is not None:
        return board.clock / _MHZ
    return family_of(config).area(config).fmax_mhz * _SPEED_FACTORS[int(board.part.speed)]
