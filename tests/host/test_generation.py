"""What a family's Verilog and programs are made from, by which the caches know them."""

import pytest

from celosia.generators.families import FAMILIES
from celosia.host.generation import generator_sources
from tests.twin_family import TWIN


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_sources_are_those_of_the_family_and_of_all(family, repository) -> None:
    sources = generator_sources(family.name)
    for needed in (
        f"generators/{family.name}/isa.py",
        "generators/chassis/shell.py",
        "hdl/axi.py",
        "generators/top.py",
    ):
        assert (repository / needed).read_bytes() in sources


def test_sources_of_other_families_are_left_out(monkeypatch: pytest.MonkeyPatch, repository) -> None:
    monkeypatch.setattr("celosia.host.generation.FAMILIES", (*FAMILIES, TWIN))
    sources = generator_sources(TWIN.name)
    for family in FAMILIES:
        assert (repository / f"generators/{family.name}/isa.py").read_bytes() not in sources
    assert (repository / "generators/chassis/shell.py").read_bytes() in sources
