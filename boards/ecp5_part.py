"""Devices of Lattice's ECP5 family, as nextpnr names them."""

from dataclasses import dataclass, replace

from .errors import FitError


@dataclass(frozen=True, slots=True)
class Ecp5Part:
    """One device in one package and speed grade.

    Attributes:
        name: Lattice's name of the device.
        option: nextpnr's option for it.
        package: nextpnr's name of the package.
        speed: speed grade; 6 is the slowest.
        luts, flip_flops, multipliers, block_rams: what there is of LUT4, registers, MULT18X18D and DP16KD.
    """

    name: str
    option: str
    package: str
    speed: int
    luts: int
    flip_flops: int
    multipliers: int
    block_rams: int


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


def missing_cells(part: Ecp5Part, *, multipliers: int, block_rams: int, luts: int) -> tuple[str, ...]:
    """What the device has too few of, by how many: nothing if all fit."""
    kinds = (
        ("MULT18X18D", multipliers, part.multipliers),
        ("DP16KD", block_rams, part.block_rams),
        ("LUT4", luts, part.luts),
    )
    return tuple(f"{wanted - there:,} {name} too few" for name, wanted, there in kinds if wanted > there)


def require_fit(part: Ecp5Part, *, multipliers: int, block_rams: int, luts: int = 0) -> None:
    """Refuse what the device has too little for, before hours are spent on it.

    Raises:
        FitError: by how much of what it does not fit.
    """
    missing = missing_cells(part, multipliers=multipliers, block_rams=block_rams, luts=luts)
    if missing:
        raise FitError(f"the design does not fit {part.name}: {', '.join(missing)}")
