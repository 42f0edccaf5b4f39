"""What a family of accelerators tells the rest of Celosia about itself: one value, `Family`.

A family is a folder under `generators/`. Its `family.py` makes its `Family`, and one line in `generators/families.py`
lists it; compiler, sessions, command line, boards, tests and documentation then know it. What takes long to load
(gateware, lowering, cycle model) is behind functions that import it when they are first called.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from amaranth.lib import wiring

from .area import Area
from .command import CommandLayout, Opcode, Region
from .configuration import EngineConfig
from .constants import ConstantPool
from .layer import Layer
from .layer_plan import LayerPlan
from .memory import MemoryModel
from .prediction import Prediction
from .register_map import OwnCounter
from .schedule import Command

Config = TypeVar("Config", bound=EngineConfig)

Rule: TypeAlias = Callable[[Layer, Config], str | None]
"""What a layer must look like to run on an engine. The docstring is the rule as the user reads it; it returns what was
found instead, or None when the layer keeps it."""

Regions: TypeAlias = Mapping[Region, npt.NDArray[np.uint8]]


class SectionLowering(Protocol):
    """The commands of one engine section, while they are made."""

    @property
    def commands(self) -> list[Command]:
        """Those so far; the compiler appends the STOREs of maps that several layers write."""
        ...

    @property
    def bands(self) -> list[tuple[int, int]]:
        """Rows of its ofm that the last layer completes one after the other, none if it does not."""
        ...

    def lower(
        self, plans: Sequence[LayerPlan], turns: Sequence[tuple[int, int]], snapshots: Container[int]
    ) -> None:
        """Append the commands of layers that run together.

        Args:
            plans: one layer, or a chain in which each passes rows on to the next.
            turns: (place in `plans`, place in its `stripes`) in the order in which they run.
            snapshots: numbers of the turns after which a snapshot of the counters is taken.
        """
        ...


class CommandInterpreter(Protocol):
    """The definition of the command set: a machine in NumPy that executes command lists and knows no cycles."""

    snapshots: list[int]
    """Indices of the commands that took a snapshot, in order."""

    def run(self, words: bytes) -> None:
        """Execute a command list from BEGIN to HALT; `IllegalCommand` if it must not be given to the engine."""
        ...


@dataclass(frozen=True, slots=True)
class Family(Generic[Config]):
    """One family of accelerators.

    Attributes:
        title: for people.
        follows: the system that it is modelled on.
        config: class of its configurations; its name and number are there.
        presets: named configurations, the smallest first.
        default_preset: the one meant when none is named.
        layouts: its commands, by opcode, those of the chassis included.
        rules: for layers; one that breaks any runs on the host.
        engine: the component that `top.CelosiaTop` takes.
        lowering: from all layers of an engine section, the pool of its constants, the configuration and about what the
            memory is like, to what makes the section's commands.
        estimated_cycles: of so many rows of a layer's ofm, to choose stripes by.
        predict: exact cycles of a command list (`words`, so many bytes into region PROGRAM, behind that memory; the
            region begins with the constants). Raises `TimingError` for a list that never ends.
        interpreter: a machine with an empty buffer on these memory regions.
        area: LUTs, multipliers and memories, without generating anything.
        counters: that it has besides those of the chassis.
        folds_columns: strided convolutions over shallow images need `host.column_folding` to keep its lanes busy.
    """

    title: str
    follows: str
    config: type[Config]
    presets: Mapping[str, Config]
    default_preset: str
    layouts: Mapping[Opcode, CommandLayout]
    rules: tuple[Rule[Config], ...]
    engine: Callable[[Config], wiring.Component]
    lowering: Callable[[Sequence[LayerPlan], ConstantPool, Config, MemoryModel], SectionLowering]
    estimated_cycles: Callable[[Layer, int, Config], int]
    predict: Callable[[bytes, int, Config, MemoryModel, bytes], Prediction]
    interpreter: Callable[[Config, Regions], CommandInterpreter]
    area: Callable[[Config], Area]
    counters: tuple[OwnCounter, ...] = ()
    folds_columns: bool = False

    def __post_init__(self) -> None:
        if self.default_preset not in self.presets:
            raise ValueError(
                f"default_preset must be one of {', '.join(self.presets)}, not {self.default_preset!r}"
            )

    @property
    def name(self) -> str:
        """The folder under `generators/`."""
        return self.config.family

    @property
    def command_name(self) -> str:
        """The name on the command line."""
        return self.name.replace("_", "-")

    def broken_rules(self, layer: Layer, config: Config) -> list[str]:
        """Every reason why the layer cannot run; empty when it can."""
        found = ((rule, rule(layer, config)) for rule in self.rules)
        return [f"{rule_text(rule)} (found {what})" for rule, what in found if what is not None]


def rule_text(rule: Callable[..., str | None]) -> str:
    """The rule as one line."""
    return " ".join((rule.__doc__ or "").split())
