"""An SDR SDRAM with a clock of its own behind an accelerator's memory port."""

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out, connect, flipped

from celosia.hdl.axi import AxiBus, AxiSignature
from celosia.hdl.axi_clock_crossing import AxiClockCrossing
from celosia.hdl.axi_sdram import AxiSdram
from celosia.hdl.sdram_pins import SdramPins, SdramPinsSignature
from celosia.hdl.sdram_timing import SdramGeometry, SdramTiming
from celosia.hdl.sdram_transfer import BEAT_BITS

from .sdram_io import PIN_REGISTERS

MEMORY_DOMAIN = "memory"
"""Clock domain of the controller and of its pins."""


class SdramMemory(wiring.Component):
    """`AxiSdram` in the domain `memory`, its port in `sync`; see there for what it promises.

    Args:
        address_bits: of the bus.
        frequency: the lowest that the domain `memory` may have, in Hz. The controller counts for the chip's
            fastest clock and refreshes for this one: any between them needs no other gateware.

    Members:
        bus: `AxiSignature`, flipped, in `sync`.
        initialized: the chip is ready; in `sync`.
        pins: `SdramPinsSignature` in `memory`, for `SdramIo`.

    Raises:
        ValueError: the chip is not that fast.
    """

    bus: AxiBus
    initialized: Signal
    pins: SdramPins

    def __init__(
        self, geometry: SdramGeometry, timing: SdramTiming, *, address_bits: int, frequency: int
    ) -> None:
        self._address_bits = address_bits
        self._sdram = AxiSdram(
            geometry,
            timing.cycles(timing.fastest_clock),
            address_bits=address_bits,
            pin_registers=PIN_REGISTERS,
        )
        self._refresh_interval = timing.refresh_interval(frequency)
        super().__init__(
            {
                "bus": In(AxiSignature(address_bits, BEAT_BITS)),
                "initialized": Out(1),
                "pins": Out(SdramPinsSignature(geometry)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A crossing in front of the controller."""
        m = Module()
        sdram = self._sdram
        m.submodules.sdram = DomainRenamer(MEMORY_DOMAIN)(sdram)
        m.submodules.crossing = crossing = AxiClockCrossing(
            address_bits=self._address_bits,
            data_bits=BEAT_BITS,
            bus_domain="sync",
            memory_domain=MEMORY_DOMAIN,
        )
        m.submodules.initialized = FFSynchronizer(sdram.initialized, self.initialized)
        connect(m, flipped(self.bus), crossing.bus)
        connect(m, crossing.memory, sdram.bus)
        connect(m, sdram.pins, flipped(self.pins))
        m.d.comb += sdram.refresh_interval.eq(self._refresh_interval)
        return m
