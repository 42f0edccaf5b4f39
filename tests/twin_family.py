"""A second family: the MAC engine under another name, put into the list as a new family would be.

python -m tests.twin_family ARGUMENTS     is `celosia ARGUMENTS` with it
"""

import sys
import zlib
from dataclasses import replace

from celosia.generators import families
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.family import MAC_ENGINE
from celosia.host import generation

__all__ = ["TWIN", "TwinConfig", "register"]


class TwinConfig(MacEngineConfig):
    """What a MAC engine has, with a name and number of its own.

    Its command set is another one with every change of the MAC engine, whose sources the caches do not know as its own.
    """

    family = "the_twin"
    family_id = 98
    isa_version = zlib.crc32(b"".join(generation.generator_sources(MacEngineConfig.family)))

    @property
    def title(self) -> str:
        return f"twin with {self.macs} multipliers"


TWIN = replace(
    MAC_ENGINE,
    title="twin",
    follows="the MAC engine",
    config=TwinConfig,
    presets={"twin-32": TwinConfig(macs=32), "twin-64": TwinConfig(macs=64)},
    default_preset="twin-64",
)


def register() -> None:
    """The one line of a new family; before anybody else has read the list."""
    families.FAMILIES = generation.FAMILIES = (*families.FAMILIES, TWIN)
    families.PRESETS.update(TWIN.presets)


def main() -> None:
    """The command line with it; ends the process."""
    register()
    from celosia.host.cli import main as celosia

    sys.argv[0] = "celosia"
    celosia()


if __name__ == "__main__":
    main()
