"""What is asked of a build, and how it tells of its progress."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from celosia.generators.generate import Design

from .board import Board

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a step's name, and how much of how much of it is done."""


def no_progress(step: str, done: int, total: int) -> None:
    """For those who do not look."""


@dataclass(frozen=True)
class BuildJob:
    """One design for one board.

    Attributes:
        board: for which.
        design: the accelerator; a job is built once, as a design is.
        clock: Hz that the accelerator must have, nearly: it gets the highest legal clock not above. `None`: whatever
            is reached.
        seed: of placement.
        companions: files that are there already and belong to the build: its manifest names them.
    """

    board: Board
    design: Design
    clock: int | None = None
    seed: int = 1
    companions: tuple[Path, ...] = ()
