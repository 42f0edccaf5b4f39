"""Which engines the tests of all families run on, and what they must know of a family that it does not say itself.

A family that is in the list of families is tested without a word here; `TRAITS` has what makes its tests stricter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import FAMILIES, PRESETS

__all__ = ["DEFAULTS", "SIMULATED", "SMALLEST", "Traits", "traits_of", "varied"]

_MOST_MACS = 1024

SMALLEST = tuple(next(iter(family.presets)) for family in FAMILIES)
"""The first preset of each family."""

DEFAULTS = tuple(family.default_preset for family in FAMILIES)
"""The default preset of each family, on which everything is tested."""

SIMULATED = tuple(name for name, config in PRESETS.items() if config.peak_macs <= _MOST_MACS)
"""Presets whose gateware is simulated; larger ones take too long to build."""


def _no_tiles(fields: Mapping[str, int]) -> int:
    return 0


@dataclass(frozen=True)
class Traits:
    """Of a family.

    Attributes:
        variations: values of fields that random configurations take.
        filled: accumulator tiles that a COMPUTE hands over to ACTIVATE in hardware, without tokens.
        drained: those that an ACTIVATE waits for.
    """

    variations: Mapping[str, Sequence[int]] = field(default_factory=dict)
    filled: Callable[[Mapping[str, int]], int] = _no_tiles
    drained: Callable[[Mapping[str, int]], int] = _no_tiles


def _mac_engine_tiles(fields: Mapping[str, int]) -> int:
    columns = fields["tile_groups"] << fields["pixel_cores_log2"]
    groups = -(-fields["output_blocks"] // (1 << fields["block_cores_log2"]))
    return groups * -(-fields["height"] // fields["tile_rows"]) * -(-fields["width"] // columns)


TRAITS: dict[str, Traits] = {
    "mac_engine": Traits(
        variations={"buffer_kib": (4, 8, 32, 128), "weight_kib": (4, 24), "parameter_beats": (64, 512)},
        filled=lambda fields: 0 if fields["partial"] else _mac_engine_tiles(fields),
        drained=_mac_engine_tiles,
    ),
}


def traits_of(config: EngineConfig) -> Traits:
    """Of the family of `config`."""
    return TRAITS.get(config.family, Traits())


def varied(presets: Sequence[EngineConfig], seed: int) -> EngineConfig:
    """One of the presets of a family, with some fields changed by `seed`."""
    generator = np.random.default_rng(seed)
    config = presets[seed % len(presets)]
    choices = traits_of(config).variations.items()
    return replace(config, **{name: int(generator.choice(values)) for name, values in choices})
