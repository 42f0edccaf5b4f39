"""What every configuration keeps, whatever its family."""

import dataclasses

import pytest

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import FAMILIES
from tests.generators.abacus import AbacusConfig


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("buffer_kib", 513, r"buffer_kib must be in 1..512, not 513"),
        ("queue_depth", 3, "queue_depth must be 2, 4, 8 or 16, not 3"),
        ("burst_beats", 1, r"burst_beats must be a power of two in 2..256, not 1"),
        ("outstanding_reads", 17, r"outstanding_reads must be in 1..16, not 17"),
        ("data_bits", 128, "data_bits must be 64"),
        ("address_bits", 65, r"address_bits must be in 32..64, not 65"),
        ("profile_entries", 100, r"profile_entries must be a power of two in 16..1024, not 100"),
        ("rounding", "up", "rounding must be even or away, not up"),
    ],
)
def test_a_value_out_of_range_is_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(AbacusConfig(), **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rows", 2.5, "rows must be an integer, not 2.5"),
        ("rows", True, "rows must be an integer, not True"),
        ("rounding", 1, "rounding must be a word, not 1"),
        ("is_signed", 1, "is_signed must be true or false, not 1"),
    ],
)
def test_a_value_of_another_type_is_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        dataclasses.replace(AbacusConfig(), **{field: value})


def test_the_choices_of_the_core_come_first() -> None:
    assert list(AbacusConfig().values)[:4] == ["rows", "rounding", "is_signed", "buffer_kib"]


def test_every_choice_and_the_family_tell_in_the_hash() -> None:
    class Other(AbacusConfig):
        family = "other"

    class Newer(AbacusConfig):
        isa_version = 2

    changed = [dataclasses.replace(AbacusConfig(), **change) for change in ({"rows": 9}, {"buffer_kib": 4})]
    hashes = [config.hash for config in (AbacusConfig(), Other(), Newer(), *changed)]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_configuration_is_one_of_the_chassis(family) -> None:
    assert issubclass(family.config, EngineConfig)
