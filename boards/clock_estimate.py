"""About how fast a design will be, before it is placed and routed: a guide, no promise.

On ECP5 the engine's own paths set the clock, and they are the same in every configuration but for wires. So the
estimate is one figure for speed grade 6, scaled to the others by what nextpnr's delays differ by.
"""

from .board import Board

FMAX_MHZ = 78.0
"""At speed grade 6: what nextpnr 0.11 reached with the engine of u55-64 alone, `make bench-area`, seed 1. A row that
`make bench-fpga` wrote into docs/performance.md is better: put its median here."""

_SPEED_FACTORS = {6: 1.0, 7: 1.1, 8: 1.18}
"""An 8 x 8 array of multipliers reached 182 MHz at grade 6 and 215 at grade 8; grade 7 lies between."""
_MHZ = 1_000_000


def estimated_fmax(board: Board) -> float:
    """MHz of the accelerator's clock; for a board with a `clock` of its own, that: nothing was routed for it here."""
    if board.clock is not None:
        return board.clock / _MHZ
    return FMAX_MHZ * _SPEED_FACTORS[int(board.part.speed)]
