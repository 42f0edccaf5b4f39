"""The boards as a table for the documentation."""

from .board import BOARDS, Board
from .fit_estimate import fitting_presets

_MHZ = 1_000_000


def board_table() -> str:
    """A line for each board."""
    lines = [
        "| board | what it is | part | memory for the engine | link | toolchain | engine's clock | presets that fit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(board) for board in BOARDS.values())])


def _line(board: Board) -> str:
    part = board.part
    clock = "what is reached" if board.clock is None else f"{board.clock / _MHZ:g} MHz"
    cells = (
        f"`{board.name}`",
        board.title,
        f"{part.name} {part.package}, speed {part.speed}",
        str(board.memory),
        board.link,
        board.toolchain.value,
        clock,
        ", ".join(f"`{preset}`" for preset in fitting_presets(board)),
    )
    return f"| {' | '.join(cells)} |"
