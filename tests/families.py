"""Which engines the tests of all families run on, and what they must know of a family that it does not say itself.

A family that is in the list of families is tested without a word here; `TRAITS` has what makes its tests stricter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.family import Family
from celosia.generators.families import FAMILIES, PRESETS
from celosia.host.operator_rules import RULES
from celosia.host.operator_samples import operator_sample
from celosia.host.partition import partition

__all__ = [
    "DEFAULTS",
    "OFTEN_BUILT",
    "SIMULATED",
    "SMALLEST",
    "Traits",
    "is_for_engine",
    "often",
    "traits_of",
    "varied",
]

_MOST_MACS = 1024
_DENSE = 0
"""The mode of COMPUTE that takes weights."""

SMALLEST = tuple(next(iter(family.presets)) for family in FAMILIES)
"""The first preset of each family."""

DEFAULTS = tuple(family.default_preset for family in FAMILIES)
"""The default preset of each family, on which everything is tested."""

SIMULATED = tuple(
    name for name, config in PRESETS.items() if config.peak_macs <= _MOST_MACS and config.element_bits == 8
)
"""Presets on which int8 networks are simulated; larger ones take too long to build."""


def _no_tiles(fields: Mapping[str, int]) -> int:
    return 0


def _no_rows(fields: Mapping[str, int], config: EngineConfig) -> int:
    return 0


@dataclass(frozen=True)
class Traits:
    """Of a family.

    Attributes:
        variations: values of fields that random configurations take.
        filled: accumulator tiles that a COMPUTE hands over to ACTIVATE in hardware, without tokens.
        drained: those that an ACTIVATE waits for.
        builds_one: `make test` builds the default engine alone: to build one takes a minute, and what tests of others
            are after (buses, buffers, sizes) is in parts that another family has, too. Slow tests build all.
        streamed, taken: what a WEIGHTS puts into a hardware queue, without tokens, and what a COMPUTE takes out of it.
    """

    variations: Mapping[str, Sequence[int]] = field(default_factory=dict)
    filled: Callable[[Mapping[str, int]], int] = _no_tiles
    drained: Callable[[Mapping[str, int]], int] = _no_tiles
    streamed: Callable[[Mapping[str, int]], int] = _no_tiles
    taken: Callable[[Mapping[str, int], EngineConfig], int] = _no_rows
    builds_one: bool = False


def _accumulator_tiles(fields: Mapping[str, int]) -> int:
    columns = fields["tile_groups"] << fields["pixel_cores_log2"]
    groups = -(-fields["output_blocks"] // (1 << fields["block_cores_log2"]))
    return groups * -(-fields["height"] // fields["tile_rows"]) * -(-fields["width"] // columns)


def _systolic_rows(fields: Mapping[str, int], config: EngineConfig) -> int:
    if fields["mode"] != _DENSE:
        return 0
    steps = fields["kernel_height"] * fields["kernel_width"] * fields["channel_bricks"]
    steps <<= fields["ifm_int16"] + fields["weights_int16"]
    return _accumulator_tiles(fields) * steps * config.brick_channels


TRAITS: dict[str, Traits] = {
    "mac_engine": Traits(
        variations={"buffer_kib": (4, 8, 32, 128), "weight_kib": (4, 24), "parameter_beats": (64, 512)},
        filled=lambda fields: 0 if fields["partial"] else _accumulator_tiles(fields),
        drained=_accumulator_tiles,
    ),
    "cnn_array": Traits(
        variations={"registers": (2, 4, 16), "kernel_kib": (4, 32), "parameter_beats": (128, 512)},
        filled=lambda fields: 0 if fields["partial"] else _accumulator_tiles(fields),
        drained=_accumulator_tiles,
        builds_one=True,
    ),
    "systolic": Traits(
        variations={"accumulators": (16, 64, 512), "weight_tiles": (4, 16), "parameter_beats": (128, 512)},
        filled=lambda fields: 0 if fields["partial"] else _accumulator_tiles(fields),
        drained=_accumulator_tiles,
        streamed=lambda fields: fields["words"],
        taken=_systolic_rows,
    ),
}


def traits_of(config: EngineConfig) -> Traits:
    """Of the family of `config`."""
    return TRAITS.get(config.family, Traits())


def often(presets: Sequence[str]) -> list[Any]:
    """Parameters of a test that builds an engine of its own for each preset: slow where `make test` builds but one."""
    return [
        pytest.param(name, marks=pytest.mark.slow) if traits_of(PRESETS[name]).builds_one else name
        for name in presets
    ]


OFTEN_BUILT = tuple(name for name in SIMULATED if name in DEFAULTS or not traits_of(PRESETS[name]).builds_one)
"""Presets whose gateware `make test` builds."""


def varied(presets: Sequence[EngineConfig], seed: int) -> EngineConfig:
    """One of the presets of a family, with some fields changed by `seed`."""
    generator = np.random.default_rng(seed)
    config = presets[seed % len(presets)]
    choices = traits_of(config).variations.items()
    return replace(config, **{name: int(generator.choice(values)) for name, values in choices})


def is_for_engine(operator: str, family: Family[Any]) -> bool:
    """Whether an ordinary operator of the kind runs on the family's engine, as the README's table says."""
    if operator not in RULES:
        return True  # a network
    config = family.presets[family.default_preset]
    return all(
        assignment.on_engine for assignment in partition(operator_sample(operator), config).assignments
    )
