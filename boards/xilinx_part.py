"""Devices of Xilinx's 7 series, as Vivado names them. Source: DS180, "7 Series FPGAs Data Sheet: Overview"."""

from dataclasses import dataclass
from typing import ClassVar

from .part import CellNames, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class XilinxPart(Part):
    """A device of this family. Block RAMs are counted in halves of RAMB36E1, each a RAMB18E1."""

    cells: ClassVar[CellNames] = CellNames("LUT6", "DSP48E1", "RAMB18E1")

    speed: str

    @property
    def vivado_name(self) -> str:
        """Device, package and speed grade in one."""
        return f"{self.name}{self.package}-{self.speed}"


XC7A100TI_CSG324 = XilinxPart(
    name="xc7a100ti",
    package="csg324",
    speed="1L",
    luts=63_400,
    flip_flops=126_800,
    multipliers=240,
    block_rams=270,
)
XC7K325T_FFG900 = XilinxPart(
    name="xc7k325t",
    package="ffg900",
    speed="2",
    luts=203_800,
    flip_flops=407_600,
    multipliers=840,
    block_rams=890,
)
