"""The parts of the documentation that are made from the code are what the code says."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from celosia.generators.chassis.command import HEADER, LOAD
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.family import Family
from celosia.generators.chassis.layer import Layer, LayerKind
from celosia.generators.chassis.register_map import OwnCounter
from celosia.generators.command_table import chassis_command_tables, field_tables
from celosia.generators.families import FAMILIES
from celosia.generators.family_page import counter_table, family_command_tables, parameter_table, preset_table
from celosia.host.operator_rules import RULES
from celosia.host.operator_table import operator_table
from tests.generators.abacus import ABACUS


def test_every_part_is_current(repository: Path) -> None:
    command = [sys.executable, str(repository / ".dev" / "write_docs.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_operator_table_has_every_kind_and_every_place() -> None:
    rows = {row.split(" | ")[0].removeprefix("| "): row for row in operator_table().splitlines()}
    assert set(RULES) <= set(rows)
    names = [family.command_name for family in FAMILIES]
    assert rows["operator"].split(" | ")[1:-2] == names
    assert rows["DEQUANTIZE"].split(" | ")[1:-2] == ["host"] * len(names)
    assert rows["CONV_2D"].split(" | ")[1:-2] == ["engine"] * len(names)
    assert rows["RESHAPE"].split(" | ")[1:-2] == ["either: it moves no data"] * len(names)
    assert "| engine | there are other axes |" in rows["MEAN"]
    assert "scale 1/128 and zero point 0" in rows["TANH"]


def test_the_operator_table_asks_the_rules_of_each_family(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_copies(layer: Layer, config: EngineConfig) -> str | None:
        """Nothing may be copied"""
        return "a copy" if layer.kind is LayerKind.MAXIMUM else None

    other = replace(FAMILIES[0], title="other", rules=(no_copies,))
    monkeypatch.setattr("celosia.host.operator_table.FAMILIES", (FAMILIES[0], other))
    monkeypatch.setattr("celosia.host.partition.family_of", lambda config: other)
    table = operator_table()
    assert "| TANH | host | host |" in table
    assert "| CONV_2D | engine | engine |" in table
    assert "- Nothing may be copied." in table


def test_every_rule_is_told() -> None:
    table = operator_table()
    for groups in RULES.values():
        for rule in (rule for group in groups for rule in group):
            assert " ".join((rule.__doc__ or "").split()) in table


def test_the_command_tables_have_every_field() -> None:
    tables = chassis_command_tables()
    for family in FAMILIES:
        tables += "\n" + family_command_tables(family)
    for layout in (layout for family in FAMILIES for layout in family.layouts.values()):
        sections = [part.split("\n## ")[0] for part in tables.split(f"## {layout.opcode.name} (")[1:]]
        assert any(all(f"| {entry.name} |" in section for entry in layout.fields) for section in sections)
    assert all(f"| {entry.name} |" in tables for entry in HEADER)


def test_bits_are_those_of_the_encoding() -> None:
    row = next(row for row in field_tables([LOAD]).splitlines() if "| rows |" in row)
    high, low = map(int, row.split(" | ")[0].removeprefix("| ").split(":"))
    word = int.from_bytes(LOAD.encode({"rows": 0xFFFF}), "little") ^ LOAD.opcode.value
    assert word == (1 << high + 1) - (1 << low)


def test_the_page_of_a_family_has_the_counters_that_are_its_own() -> None:
    own = (OwnCounter("SHIFT", "cycles of shifting"), OwnCounter("USEFUL", "products", bits=8))
    assert counter_table(replace(FAMILIES[0], counters=own)).splitlines()[2:] == [
        "| 0x120 | SHIFT | yes | cycles of shifting |",
        "| 0x124 | USEFUL | no | products |",
    ]
    assert "none but those of the chassis" in counter_table(replace(FAMILIES[0], counters=()))


def test_a_parameter_that_no_docstring_tells_is_named() -> None:
    with pytest.raises(ValueError, match="AbacusConfig must say under 'Attributes:' what rows is"):
        parameter_table(ABACUS)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_page_of_a_family_has_every_parameter_and_preset(family: Family) -> None:
    parameters, presets = parameter_table(family), preset_table(family)
    for name, value in family.presets[family.default_preset].values.items():
        assert f"| {name} | {value} | " in parameters
    for name, config in family.presets.items():
        assert f"| {name} | {config.peak_macs:,} | {config.buffer_kib} KiB |" in presets
