"""The one list of families. A new family is a folder here and a line in `FAMILIES`."""

from typing import Any

from .chassis.configuration import EngineConfig
from .chassis.family import Family
from .cnn_array.family import CNN_ARRAY
from .mac_engine.family import MAC_ENGINE
from .systolic.family import SYSTOLIC

FAMILIES: tuple[Family[Any], ...] = (MAC_ENGINE, SYSTOLIC, CNN_ARRAY)
"""In the order in which help and documentation name them; the first one's default preset is that of Celosia."""

PRESETS: dict[str, EngineConfig] = {
    name: config for family in FAMILIES for name, config in family.presets.items()
}
"""The named configurations of all families."""

DEFAULT_PRESET = FAMILIES[0].default_preset


def find_family(name: str) -> Family[Any]:
    """The family called `name`, hyphens or underscores alike.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    for family in FAMILIES:
        if family.name == name.replace("-", "_"):
            return family
    names = ", ".join(family.command_name for family in FAMILIES)
    raise ValueError(f"family must be one of {names}, not {name!r}")


def family_of(config: EngineConfig) -> Family[Any]:
    """The family that `config` configures an engine of.

    Raises:
        ValueError: it is in no list.
    """
    return find_family(config.family)


def find_preset(name: str) -> EngineConfig:
    """The configuration called `name`, whichever family it is of.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
    return PRESETS[name]
