"""Devices of Lattice's ECP5 family, as nextpnr names them."""

from dataclasses import dataclass, replace

from .errors import BuildError


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


def require_fit(part: Ecp5Part, *, multipliers: int, block_rams: int) -> None:
    """Refuse what the device has too few blocks for, before hours are spent on it.

    Raises:
        BuildError: by how much of what it does not fit.
    """
    for name, wanted, there in (
        ("MULT18X18D", multipliers, part.multipliers),
        ("DP16KD", block_rams, part.block_rams),
    ):
        if wanted > there:
            raise BuildError(f"{part.name} has {there} {name}, {wanted - there} fewer than are needed")
