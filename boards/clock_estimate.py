"""About how fast a design will be on ECP5, before it is placed and routed."""

from .board import Board

_FMAX = 85.0
_SPEED_FACTOR = {6: 1.0, 7: 1.1, 8: 1.18}


def estimated_fmax(board: Board, luts: int) -> float:
    """MHz."""
    return _FMAX * _SPEED_FACTOR[board.part.speed]
