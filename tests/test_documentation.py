"""The parts of the documentation that are made from the code are what the code says."""

import subprocess
import sys
from pathlib import Path

from celosia.generators.chassis.command import HEADER
from celosia.generators.command_table import command_tables
from celosia.generators.mac_engine.isa import LAYOUTS
from celosia.host.operator_rules import RULES
from celosia.host.operator_table import operator_table


def test_every_part_is_current(repository: Path) -> None:
    command = [sys.executable, str(repository / ".dev" / "write_docs.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_operator_table_has_every_kind_and_every_place() -> None:
    rows = {row.split(" | ")[0].removeprefix("| "): row for row in operator_table().splitlines()}
    assert set(RULES) <= set(rows)
    assert "| host |" in rows["DEQUANTIZE"]
    assert "| engine | there are other axes |" in rows["MEAN"]
    assert "scale 1/128 and zero point 0" in rows["TANH"]


def test_every_rule_is_told() -> None:
    table = operator_table()
    for groups in RULES.values():
        for rule in (rule for group in groups for rule in group):
            assert " ".join((rule.__doc__ or "").split()) in table


def test_the_command_tables_have_every_field() -> None:
    tables = command_tables(LAYOUTS.values())
    for layout in LAYOUTS.values():
        section = tables.split(f"## {layout.opcode.name} (")[1].split("\n## ")[0]
        assert all(f"| {entry.name} |" in section for entry in layout.fields)
    assert all(f"| {entry.name} |" in tables for entry in HEADER)


def test_bits_are_those_of_the_encoding() -> None:
    layout = next(layout for layout in LAYOUTS.values() if layout.opcode.name == "LOAD")
    row = next(row for row in command_tables([layout]).splitlines() if "| rows |" in row)
    high, low = map(int, row.split(" | ")[0].removeprefix("| ").split(":"))
    word = int.from_bytes(layout.encode({"rows": 0xFFFF}), "little") ^ layout.opcode.value
    assert word == (1 << high + 1) - (1 << low)
