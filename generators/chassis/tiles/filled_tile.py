"""When COMPUTE reads the windows of a tile, and when the tile is filled."""

from typing import NamedTuple


class FilledTile(NamedTuple):
    """One tile.

    Attributes:
        first_read: cycle of its first read.
        period: cycles from a step's first read to the next step's.
        steps: in the tile.
        reads: in a step, in consecutive cycles unless there are `pauses`.
        filled: first cycle in which ACTIVATE sees it, were all tiles before it drained; the last tile's is also the
            cycle in which the command is complete, unless `complete` says so. A `partial` tile is not handed over then.
        first_step: of the tile's, that these are, where steps are told apart.
        pauses: so many reads in consecutive cycles take so many cycles with the pause behind them; 0, 0 for none.
        complete: of a command's last tile, the cycle in which the command is complete if that is not `filled`; else 0.
    """

    first_read: int
    period: int
    steps: int
    reads: int
    filled: int
    first_step: int = 0
    pauses: tuple[int, int] = (0, 0)
    complete: int = 0

    def read_of(self, cycle: int) -> int:
        """The read that happens `cycle` cycles after a step's first one, -1 for none."""
        reads, cycles = self.pauses
        read = cycle
        if cycles > reads:
            number, place = divmod(cycle, cycles)
            read = number * reads + place if place < reads else self.reads
        return read if read < self.reads else -1
