"""Devices of Lattice's ECP5 family, as nextpnr names them."""

from dataclasses import dataclass, replace
from typing import ClassVar

from .part import CellNames, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecp5Part(Part):
    """A device of this family.

    Attributes:
        option: nextpnr's option for it.
        speed: speed grade; 6 is the slowest.
    """

    cells: ClassVar[CellNames] = CellNames("LUT4", "MULT18X18D", "DP16KD")

    option: str
    speed: int


LFE5U_85F = Ecp5Part(
    name="LFE5U-85F",
    option="--85k",
    package="CABGA756",
    speed=6,
    luts=83640,
    flip_flops=83640,
    multipliers=156,
    block_rams=208,
)
"""In the package with the most pins."""

LFE5U_85F_CABGA381 = replace(LFE5U_85F, package="CABGA381")
LFE5UM5G_85F_CABGA554 = replace(
    LFE5U_85F, name="LFE5UM5G-85F", option="--um5g-85k", package="CABGA554", speed=8
)


def ecp5_part(part: Part) -> Ecp5Part:
    """`part`, which is of this family.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(part, Ecp5Part):
        raise TypeError(f"part must be of Lattice's ECP5 family, not {part.name}")
    return part
