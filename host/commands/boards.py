"""`celosia boards`: the boards there are, and which presets fit."""

from typing import Any

from celosia.boards.block_count import design_blocks, fitting_presets, shortfall
from celosia.boards.board import BOARDS, Board
from celosia.generators.mac_engine.config import PRESETS

from .options import AsJson
from .terminal import output, print_json, print_line, table


def boards_command(as_json: AsJson = False) -> None:
    """List the boards: part, memory, link, toolchain, and presets for which it has enough multipliers and block RAMs.

    Multipliers and block RAMs are counted exactly, link and memory included. LUTs are not estimated.

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
            missing = shortfall(board.part, design_blocks(board, config))
            if missing:
                print_line(console, f"{preset} does not fit {board.name}: {', '.join(missing)}")
    print_line(console, "Counted are multipliers and block RAMs, link and memory included; LUTs are not.")


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
            "lut4": board.part.luts,
            "flip_flops": board.part.flip_flops,
            "dsp": board.part.multipliers,
            "bram": board.part.block_rams,
        },
        "presets": [_fit(board, preset) for preset in PRESETS],
    }


def _fit(board: Board, preset: str) -> dict[str, Any]:
    blocks = design_blocks(board, PRESETS[preset])
    missing = shortfall(board.part, blocks)
    return {
        "preset": preset,
        "fits": not missing,
        "dsp": blocks.multipliers,
        "bram": blocks.block_rams,
        "missing": list(missing),
    }
