"""Write the parts of the documentation that are made from the code: `make docs`.

A part stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. With `--check` nothing is written, and the exit
code is 1 if a part is not what the code says.
"""

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from celosia.boards.board_table import board_table
from celosia.generators.chassis.family import Family
from celosia.generators.chassis.register_map import markdown_table
from celosia.generators.command_table import chassis_command_tables
from celosia.generators.families import FAMILIES
from celosia.generators.family_page import (
    counter_table,
    family_command_tables,
    parameter_table,
    preset_table,
)
from celosia.hdl.link.protocol import markdown_tables
from celosia.host.operator_table import operator_table

REPOSITORY = Path(__file__).resolve().parent.parent
FAMILY_PARTS: dict[str, Callable[[Family[Any]], str]] = {
    "presets": preset_table,
    "parameters": parameter_table,
    "counters": counter_table,
    "commands": family_command_tables,
}
"""Of the page of every family."""
PARTS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("README.md", "operators", operator_table),
    ("docs/programming.md", "registers", markdown_table),
    ("docs/link.md", "link", markdown_tables),
    ("docs/boards.md", "boards", board_table),
    ("docs/commands.md", "commands", chassis_command_tables),
    *(
        (f"docs/{family.command_name}.md", name, partial(make, family))
        for family in FAMILIES
        for name, make in FAMILY_PARTS.items()
    ),
)


def main() -> int:
    """Write, or with `--check` compare; the exit code."""
    stale = [f"{file} ({name})" for file, name, make in PARTS if _replace(REPOSITORY / file, name, make())]
    if not stale:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"not what the code says: {', '.join(stale)}; run 'make docs'")
        return 1
    print(f"written: {', '.join(stale)}")
    return 0


def _replace(path: Path, name: str, content: str) -> bool:
    """Whether the part `name` of `path` is another; unless only checking, it is written."""
    text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    if begin not in text or end not in text:
        raise SystemExit(f"{path} must have the lines '{begin.strip()}' and '{end}'")
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    changed = re.sub(pattern, lambda match: f"{begin}{content}\n{end}", text, flags=re.DOTALL)
    if changed != text and "--check" not in sys.argv[1:]:
        path.write_text(changed, encoding="utf-8")
    return changed != text


if __name__ == "__main__":
    sys.exit(main())
