"""The clock domains of a board: the oscillator's and those that the PLL makes from it."""

from typing import TypeAlias

from amaranth.hdl import ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from .accelerator_system import LINE_DOMAIN
from .board import BlockRamMemory, Board, SdramChip
from .ecp5_pll import OUTPUT_RANGE, Ecp5Pll, Ecp5PllSettings, choose_pll, with_phase
from .sdram_io import clock_phase
from .sdram_memory import MEMORY_DOMAIN
from .xilinx_part import XilinxPart
from .xilinx_pll import XilinxPll, XilinxPllSettings, choose_xilinx_pll

PllSettings: TypeAlias = Ecp5PllSettings | XilinxPllSettings
"""Whose `frequencies` are those of `pll_domains`, in their order."""

CHIP_DOMAIN = "memory_chip"
"""Clock domain of nothing but the memory chip's clock pin, ahead of `MEMORY_DOMAIN`."""


def pll_domains(memory: SdramChip | BlockRamMemory) -> tuple[str, ...]:
    """Domains of the PLL's outputs, in their order."""
    return ("sync", MEMORY_DOMAIN, CHIP_DOMAIN) if isinstance(memory, SdramChip) else ("sync",)


def choose_clocks(board: Board, frequency: int, memory_frequency: int | None = None) -> PllSettings:
    """The PLL for an accelerator at the highest legal clock that is not above `frequency`, in Hz.

    An SDRAM, for which see `choose_ecp5_clocks`, may be made slower by `memory_frequency`.

    Raises:
        ValueError: there is none.
    """
    if isinstance(board.part, XilinxPart):
        return choose_xilinx_pll(board.oscillator, (frequency,))
    return choose_ecp5_clocks(board, frequency, memory_frequency)


def choose_ecp5_clocks(board: Board, frequency: int, memory_frequency: int | None = None) -> Ecp5PllSettings:
    """`choose_clocks` for a board with an ECP5.

    An SDRAM then has the fastest clock that goes with it and is not above `memory_frequency`, by default the chip's;
    the accelerator gives way where the SDRAM's would be too slow for its refresh.

    Raises:
        ValueError: there is none.
    """
    memory = board.memory
    if isinstance(memory, BlockRamMemory):
        return choose_pll(board.oscillator, (frequency,))
    fastest = min(memory.frequency, memory_frequency or memory.frequency)
    if fastest < memory.least_frequency:
        raise ValueError(
            f"the SDRAM must have at least {memory.least_frequency} Hz for its refresh, not {fastest}"
        )
    floors = (OUTPUT_RANGE[0], memory.least_frequency, memory.least_frequency)
    try:
        settings = choose_pll(board.oscillator, (frequency, fastest, fastest), floors)
    except ValueError as error:
        raise ValueError(
            f"no clock up to {frequency} Hz leaves the SDRAM at least {memory.least_frequency} Hz: {error}"
        ) from error
    return with_phase(settings, 2, clock_phase(int(settings.frequencies[1])))


class BoardClocks(wiring.Component):
    """Drives `domains`, and `line` from the oscillator; the PLL's are in reset, all together, until it is locked.

    All of them are defined by whoever uses this; `line` has no reset.

    Args:
        settings: with an output for each of `domains`.
        domains: their names; `sync` first.

    Members:
        oscillator: the board's.
        locked: the PLL is; asynchronous.

    Raises:
        ValueError: there are other than `domains` outputs.
    """

    oscillator: Signal
    locked: Signal

    def __init__(self, settings: PllSettings, domains: tuple[str, ...]) -> None:
        if len(settings.frequencies) != len(domains):
            raise ValueError(
                f"settings must have an output for each of {domains}, not {len(settings.frequencies)}"
            )
        self._settings = settings
        self._domains = domains
        super().__init__({"oscillator": In(1), "locked": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """One block, and a synchroniser for each domain's reset."""
        m = Module()
        if isinstance(self._settings, XilinxPllSettings):
            pll = XilinxPll(self._settings)
            # Named, so that the PLL keeps its own way from the pin.
            m.submodules.line_buffer = Instance("BUFG", i_I=self.oscillator, o_O=ClockSignal(LINE_DOMAIN))
        else:
            pll = Ecp5Pll(self._settings)
            m.d.comb += ClockSignal(LINE_DOMAIN).eq(self.oscillator)
        m.submodules.pll = pll
        m.d.comb += [
            pll.reference.eq(self.oscillator),
            self.locked.eq(pll.locked),
        ]
        for index, name in enumerate(self._domains):
            m.d.comb += ClockSignal(name).eq(pll.clocks[index])
            # Domains reach other clocks through asynchronous queues alone; those need both sides reset at once.
            m.submodules[f"reset_{name}"] = ResetSynchronizer(~pll.locked, domain=name)
        return m
