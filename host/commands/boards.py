"""`celosia boards`: the boards there are, and which presets fit."""

from typing import Any

from celosia.boards.board import BOARDS, Board
from celosia.boards.fit_estimate import estimate_fit, fitting_presets
from celosia.generators.families import PRESETS

from .options import AsJson
from .terminal import output, print_json, print_line, table


def boards_command(as_json: AsJson = False) -> None:
    """List the boards: part, memory, link, toolchain, and the presets that fit.

    Multipliers and block RAMs are counted exactly, LUTs are estimated, link and memory included.

    Example: celosia boards --json
    """
    if as_json:
        print_json({"boards": [_description(board) for board in BOARDS.values()]})
        return
    console = output()
    columns = ("board", "part", "memory", "link", "toolchain", "presets that fit")
    listing = table(columns, left=columns)
    for board in BOARDS.values():
        part = f"{board.part.name} {board.part.package}, speed {board.part.speed}"
        presets = ", ".join(fitting_presets(board))
        listing.add_row(board.name, part, str(board.memory), board.link, board.toolchain.value, presets)
    console.print(listing)
    for board in BOARDS.values():
        for preset, config in PRESETS.items():
            missing = estimate_fit(board, config).missing
            if missing:
                print_line(console, f"{preset} does not fit {board.name}: {', '.join(missing)}")
    print_line(console, "Multipliers and block RAMs are counted, LUTs estimated, link and memory included.")


def _description(board: Board) -> dict[str, Any]:
    return {
        "name": board.name,
        "title": board.title,
        "part": board.part.name,
        "package": board.part.package,
        "speed": board.part.speed,
        "memory": str(board.memory),
        "memory_bytes": board.memory.size,
        "link": board.link,
        "toolchain": board.toolchain.value,
        "available": {
            board.part.cells.luts.lower(): board.part.luts,
            "flip_flops": board.part.flip_flops,
            "dsp": board.part.multipliers,
            "bram": board.part.block_rams,
        },
        "presets": [_fit(board, preset) for preset in PRESETS],
    }


def _fit(board: Board, preset: str) -> dict[str, Any]:
    estimate = estimate_fit(board, PRESETS[preset])
    return {
        "preset": preset,
        "fits": not estimate.missing,
        **{usage.key: usage.used for usage in estimate.usage},
        "missing": list(estimate.missing),
    }
