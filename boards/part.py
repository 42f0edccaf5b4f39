"""What every FPGA device has, whoever makes it: cells to count, and names for them."""

from dataclasses import dataclass
from typing import ClassVar

from .errors import FitError


@dataclass(frozen=True, slots=True)
class CellNames:
    """What a family calls its lookup tables, its multipliers, and its block RAMs of 18 kbit."""

    luts: str
    multipliers: str
    block_rams: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One device in one package and speed grade; a family of devices is a class of its own.

    Attributes:
        cells: what the family calls them.
        name: the maker's name of the device.
        package: the tools' name of the package.
        speed: speed grade, as the tools name it.
        luts, flip_flops, multipliers, block_rams: what there is; block RAMs in units of 18 kbit.
    """

    cells: ClassVar[CellNames]

    name: str
    package: str
    speed: int | str
    luts: int
    flip_flops: int
    multipliers: int
    block_rams: int


def missing_cells(part: Part, *, multipliers: int, block_rams: int, luts: int) -> tuple[str, ...]:
    """What the device has too few of, by how many: nothing if all fit."""
    kinds = (
        (part.cells.multipliers, multipliers, part.multipliers),
        (part.cells.block_rams, block_rams, part.block_rams),
        (part.cells.luts, luts, part.luts),
    )
    return tuple(f"{wanted - there:,} {name} too few" for name, wanted, there in kinds if wanted > there)


def require_fit(part: Part, *, multipliers: int, block_rams: int, luts: int = 0) -> None:
    """Refuse what the device has too little for, before hours are spent on it.

    Raises:
        FitError: by how much of what it does not fit.
    """
    missing = missing_cells(part, multipliers=multipliers, block_rams=block_rams, luts=luts)
    if missing:
        raise FitError(f"the design does not fit {part.name}: {', '.join(missing)}")
