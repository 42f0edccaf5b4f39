"""When COMPUTE reads the windows of a tile, and when the tile is filled."""

from typing import NamedTuple


class FilledTile(NamedTuple):
    """One tile.

    Attributes:
        first_read: cycle of its first read.
        period: cycles from a step's first read to the next step's.
        steps: in the tile.
        reads: in a step, in consecutive cycles.
        filled: first cycle in which ACTIVATE sees it, were all tiles before it drained; the last tile's is also the
            cycle in which the command is complete. A `partial` tile is not handed over then.
        first_step: of the tile's, that these are, where steps are told apart.
    """

    first_read: int
    period: int
    steps: int
    reads: int
    filled: int
    first_step: int = 0
