"""The boards: what is on each, and what is made for it. The one list behind the command line and the documentation."""

import enum
import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry, SdramTiming

from .ecp5_part import LFE5U_85F_CABGA381, LFE5UM5G_85F_CABGA554
from .errors import BuildError
from .part import Part
from .xilinx_part import XC7A100TI_CSG324, XC7K325T_FFG900

_PLATFORMS = "amaranth_boards"


class Toolchain(enum.Enum):
    """What makes a bitstream."""

    TRELLIS = "Yosys and nextpnr-ecp5"
    VIVADO = "Vivado, run by the user"


@dataclass(frozen=True, slots=True)
class SdramChip:
    """An SDR SDRAM as the board's memory.

    Attributes:
        geometry, timing: of the chip.
        frequency: highest clock, in Hz, that it is given here.
        least_frequency: lowest one, for which the controller refreshes.

    Raises:
        ValueError: the chip is not that fast, or the lowest clock is above the highest.
    """

    geometry: SdramGeometry
    timing: SdramTiming
    frequency: int
    least_frequency: int

    def __post_init__(self) -> None:
        if self.frequency > self.timing.fastest_clock:
            raise ValueError(
                f"frequency must be at most {self.timing.fastest_clock} Hz, not {self.frequency}"
            )
        if self.least_frequency > self.frequency:
            raise ValueError(
                f"least_frequency must be at most frequency, {self.frequency} Hz, not {self.least_frequency}"
            )

    @property
    def size(self) -> int:
        """Bytes."""
        return 1 << self.geometry.address_bits

    def __str__(self) -> str:
        """For people."""
        return f"{self.size >> 20} MiB SDR SDRAM"


@dataclass(frozen=True, slots=True)
class BlockRamMemory:
    """Block RAM of the device as memory, where there is no controller for what is on the board.

    Attributes:
        size: bytes, a power of two of 4096 or more.
    """

    size: int

    def __str__(self) -> str:
        """For people."""
        return f"{self.size >> 10} KiB block RAM"


@dataclass(frozen=True, slots=True)
class Leds:
    """Where a platform has its lights: `resource` number i, or its part `subsignal`."""

    resource: str
    subsignal: str | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A board that accelerators are built for.

    Attributes:
        name: by which users choose it.
        title: its maker's name for it.
        platform_module, platform_class: of the package amaranth-boards: pins and I/O standards.
        part: the FPGA.
        oscillator: Hz.
        memory: what the accelerator and the host share.
        baud: bits a second on the serial line.
        leds: at least two.
        toolchain: what makes the bitstream.
        clock: Hz of an accelerator for which nobody asks another; `None` where the route decides.
    """

    name: str
    title: str
    platform_module: str
    platform_class: str
    part: Part
    oscillator: int
    memory: SdramChip | BlockRamMemory
    baud: int
    leds: Leds
    toolchain: Toolchain
    clock: int | None = None

    @property
    def link(self) -> str:
        """For people."""
        return f"UART, {self.baud:,} baud"

    def platform(self) -> Any:
        """A new platform of amaranth-boards; it serves one build.

        Raises:
            BuildError: amaranth-boards is not installed.
        """
        if importlib.util.find_spec(_PLATFORMS) is None:
            raise BuildError(
                "amaranth-boards is not installed: run 'pip install amaranth-boards', "
                "or in the checkout '.dev/setup_venv.py requirements/fpga.lock'"
            )
        return getattr(importlib.import_module(f"{_PLATFORMS}.{self.platform_module}"), self.platform_class)()


BOARDS: dict[str, Board] = {
    board.name: board
    for board in (
        Board(
            name="ulx3s_85f",
            title="Radiona ULX3S 85F",
            platform_module="ulx3s",
            platform_class="ULX3S_85F_Platform",
            part=LFE5U_85F_CABGA381,
            oscillator=25_000_000,
            memory=SdramChip(
                SdramGeometry(), AS4C16M16SA_7, frequency=134_000_000, least_frequency=75_000_000
            ),
            baud=3_000_000,
            leds=Leds("led"),
            toolchain=Toolchain.TRELLIS,
        ),
        Board(
            name="ecpix5_85f",
            title="LambdaConcept ECPIX-5 85F",
            platform_module="ecpix5",
            platform_class="ECPIX585Platform",
            part=LFE5UM5G_85F_CABGA554,
            oscillator=100_000_000,
            memory=BlockRamMemory(128 << 10),
            baud=3_000_000,
            leds=Leds("rgb_led", "g"),
            toolchain=Toolchain.TRELLIS,
        ),
        Board(
            name="arty_a7_100t",
            title="Digilent Arty A7-100T",
            platform_module="arty_a7",
            platform_class="ArtyA7_100Platform",
            part=XC7A100TI_CSG324,
            oscillator=100_000_000,
            memory=BlockRamMemory(256 << 10),
            baud=3_000_000,
            leds=Leds("led"),
            toolchain=Toolchain.VIVADO,
            clock=60_000_000,
        ),
        Board(
            name="genesys2",
            title="Digilent Genesys 2",
            platform_module="genesys2",
            platform_class="Genesys2Platform",
            part=XC7K325T_FFG900,
            oscillator=200_000_000,
            memory=BlockRamMemory(1 << 20),
            baud=3_000_000,
            leds=Leds("led"),
            toolchain=Toolchain.VIVADO,
            clock=80_000_000,
        ),
    )
}


def find_board(name: str) -> Board:
    """The board called `name`.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in BOARDS:
        raise ValueError(f"board must be one of {', '.join(BOARDS)}, not {name!r}")
    return BOARDS[name]
