"""A family that is not in the list: what tests change the list by."""

from dataclasses import dataclass
from typing import Any, ClassVar

from celosia.generators.chassis.area import Area
from celosia.generators.chassis.configuration import EngineConfig, require
from celosia.generators.chassis.family import Family
from celosia.generators.families import FAMILIES

__all__ = ["ABACUS", "AbacusConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbacusConfig(EngineConfig):
    """Rows of beads; every kind of value is there."""

    family: ClassVar[str] = "abacus"
    family_id: ClassVar[int] = 99
    isa_version: ClassVar[int] = 1

    rows: int = 8
    rounding: str = "even"
    is_signed: bool = True

    def __post_init__(self) -> None:
        EngineConfig.__post_init__(self)
        require(self.rounding in ("even", "away"), "rounding", "must be even or away", self.rounding)

    @property
    def title(self) -> str:
        return f"abacus of {self.rows} rows"

    @property
    def peak_macs(self) -> int:
        return self.rows


def _none(*arguments: Any) -> Any:
    raise AssertionError("the abacus is there for its declarations: nothing may build or run it")


ABACUS = Family(
    title="abacus",
    follows="the abacus",
    config=AbacusConfig,
    presets={"a-1": AbacusConfig()},
    default_preset="a-1",
    layouts=FAMILIES[0].layouts,
    rules=(),
    engine=_none,
    lowering=_none,
    estimated_cycles=_none,
    predict=_none,
    interpreter=_none,
    area=lambda config: Area(1000.0, config.rows, (), 50.0),
)
