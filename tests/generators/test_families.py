"""One list of families: names lead to one family or one configuration, and nobody but the list knows them."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from celosia.generators.chassis.command import Opcode
from celosia.generators.chassis.family import Family
from celosia.generators.families import (
    DEFAULT_PRESET,
    FAMILIES,
    PRESETS,
    family_of,
    find_family,
    find_preset,
)
from tests.generators.abacus import AbacusConfig

REPOSITORY = Path(__file__).parents[2]
GENERATORS = REPOSITORY / "generators"
FOLDERS = sorted(
    entry.name
    for entry in GENERATORS.iterdir()
    if (entry / "__init__.py").exists() and entry.name != "chassis"
)
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def test_every_folder_that_declares_a_family_is_in_the_list() -> None:
    declared = [folder for folder in FOLDERS if (GENERATORS / folder / "family.py").exists()]
    assert sorted(family.name for family in FAMILIES) == declared


def test_names_numbers_and_presets_are_each_of_one_family() -> None:
    presets = [preset for family in FAMILIES for preset in family.presets]
    numbers = [family.config.family_id for family in FAMILIES]
    for names in ([family.name for family in FAMILIES], numbers, presets):
        assert max(Counter(names).values()) == 1
    assert min(numbers) >= 1
    assert list(PRESETS) == presets


@every_family
def test_a_family_is_found_with_hyphens_or_underscores(family: Family) -> None:
    assert find_family(family.name) is find_family(family.command_name) is family


@every_family
def test_presets_lead_to_their_family(family: Family) -> None:
    for name, config in family.presets.items():
        assert find_preset(name) is config
        assert family_of(config) is family


def test_unknown_names_are_refused_with_all_that_there_are() -> None:
    names = ", ".join(family.command_name for family in FAMILIES)
    with pytest.raises(ValueError, match=f"^family must be one of {names}, not 'abacus'$"):
        find_family("abacus")
    with pytest.raises(ValueError, match=f"^preset must be one of {', '.join(PRESETS)}, not 'a-1'$"):
        find_preset("a-1")
    with pytest.raises(ValueError, match="family must be one of"):
        family_of(AbacusConfig())


def test_the_first_family_has_the_default_preset() -> None:
    assert family_of(PRESETS[DEFAULT_PRESET]) is FAMILIES[0]


@every_family
def test_a_default_preset_must_exist(family: Family) -> None:
    with pytest.raises(ValueError, match=r"default_preset must be one of .*, not 'none'"):
        type(family)(**{**_values(family), "default_preset": "none"})


def _values(family: Family) -> dict[str, object]:
    return {name: getattr(family, name) for name in family.__dataclass_fields__}


@every_family
def test_it_has_all_commands_each_under_its_opcode(family: Family) -> None:
    assert set(family.layouts) == set(Opcode)
    assert all(layout.opcode is opcode for opcode, layout in family.layouts.items())


@every_family
def test_larger_presets_multiply_more_and_take_more(family: Family) -> None:
    areas = [family.area(config) for config in family.presets.values()]
    macs = [config.peak_macs for config in family.presets.values()]
    assert macs == sorted(macs)
    assert [area.luts for area in areas] == sorted(area.luts for area in areas)


@every_family
def test_every_rule_says_what_it_asks_for(family: Family) -> None:
    assert all(rule.__doc__ for rule in family.rules)


def imported(text: str, place: Path) -> Iterator[str]:
    """Absolute names of what a file at `place` in the repository imports, inside of functions, too."""
    package = ["celosia", *place.parts[:-1]]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield start
            yield from (f"{start}.{name.name}" for name in node.names)


def families_in(file: Path) -> set[str]:
    """Families that a file imports anything of."""
    names = list(imported(file.read_text(encoding="utf-8"), file.relative_to(REPOSITORY)))
    return {folder for folder in FOLDERS for name in names if _is_in(name, folder)}


def _is_in(name: str, folder: str) -> bool:
    whole = f"celosia.generators.{folder}"
    return name == whole or name.startswith(f"{whole}.")


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_family_imports_no_other(folder: str) -> None:
    for file in files(f"generators/{folder}"):
        assert families_in(file) <= {folder}, file


def test_the_list_alone_knows_the_families() -> None:
    """The chassis, what is around it, and the floors below and above."""
    common = [file for file in files("generators") if file.relative_to(GENERATORS).parts[0] not in FOLDERS]
    knowing = [file for file in [*common, *files("hdl", "sim", "boards", "host")] if families_in(file)]
    assert knowing == [GENERATORS / "families.py"]


def test_imports_are_found_however_they_are_written() -> None:
    """The two tests above can fail."""
    for text, where in (
        ("import celosia.generators.mac_engine.isa", "host/x.py"),
        ("from celosia.generators import mac_engine", "boards/x.py"),
        ("from celosia.generators.mac_engine.config import PRESETS", "sim/x.py"),
        ("from ..mac_engine import isa", "generators/chassis/x.py"),
        ("from ...mac_engine.isa import LAYOUTS", "generators/chassis/timing/x.py"),
        ("def f():\n    from .mac_engine.isa import LAYOUTS", "generators/x.py"),
    ):
        assert any(_is_in(name, "mac_engine") for name in imported(text, Path(where))), text
    assert not any(_is_in(name, "mac_engine") for name in imported("from . import isa", Path("host/x.py")))
