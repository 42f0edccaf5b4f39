"""An SDR SDRAM behind an AXI4 port of 64 data bits."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .axi import AxiBus, AxiSignature
from .axi_subordinate import AxiReadSubordinate, AxiWriteSubordinate
from .sdram_controller import SdramController
from .sdram_maintenance import INTERVAL_BITS
from .sdram_pins import SdramPins, SdramPinsSignature
from .sdram_timing import SdramCycles, SdramGeometry
from .sdram_transfer import BEAT_BITS

REQUEST_BEATS = 32
"""Longest access before reads and writes take turns, and longest wait for it: 128 cycles."""


class AxiSdram(wiring.Component):
    """Serves INCR bursts of whole beats: 2 bytes a cycle, reads and writes together.

    Reads are answered in order, and so are writes. A write whose response was given is seen by every read
    whose address comes after it. A burst beyond the chip's end gets DECODE_ERROR, one across 4 KiB SLAVE_ERROR.
    Until the chip is initialised bursts wait.

    Times of the chip may be those of a faster clock than the one in use; `refresh_interval` has to be right
    for the clock in use, or one for a slower clock.

    Args:
        address_bits: of the bus, at least the chip's.
        cycles: `SdramTiming.cycles` of the fastest clock.
        pin_registers: registers between `pins` and the chip, those out and those in added up; 2 for I/O registers.
        outstanding: read bursts, and write bursts, that are accepted before the first is answered; 4 or more.

    Members:
        bus: `AxiSignature`, flipped.
        refresh_interval: `SdramTiming.refresh_interval` of the clock in use.
        initialized: the chip is ready.
        pins: `SdramPinsSignature`.

    Raises:
        ValueError: `address_bits` is too small or `outstanding` below 4.
    """

    bus: AxiBus
    refresh_interval: Signal
    initialized: Signal
    pins: SdramPins

    def __init__(
        self,
        geometry: SdramGeometry,
        cycles: SdramCycles,
        *,
        address_bits: int = 32,
        pin_registers: int = 0,
        outstanding: int = 8,
    ) -> None:
        if address_bits < geometry.address_bits:
            raise ValueError(
                f"address_bits must be at least the chip's {geometry.address_bits}, not {address_bits}"
            )
        if outstanding < 4:
            raise ValueError(f"outstanding must be at least 4, not {outstanding}")
        self._controller = SdramController(geometry, cycles, pin_registers=pin_registers)
        self._read = AxiReadSubordinate(
            address_bits=address_bits,
            memory_bits=geometry.address_bits,
            data_bits=BEAT_BITS,
            request_beats=REQUEST_BEATS,
            queue_beats=4 * REQUEST_BEATS,
            outstanding=outstanding,
        )
        self._write = AxiWriteSubordinate(
            address_bits=address_bits,
            memory_bits=geometry.address_bits,
            data_bits=BEAT_BITS,
            request_beats=REQUEST_BEATS,
            queue_beats=4 * REQUEST_BEATS,
            outstanding=outstanding,
        )
        super().__init__(
            {
                "bus": In(AxiSignature(address_bits, BEAT_BITS)),
                "refresh_interval": In(INTERVAL_BITS),
                "initialized": Out(1),
                "pins": Out(SdramPinsSignature(geometry)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Two sides of AXI in front of one controller."""
        m = Module()
        m.submodules.controller = controller = self._controller
        m.submodules.read = read = self._read
        m.submodules.write = write = self._write
        for side, channels in ((read, ("ar", "r")), (write, ("aw", "w", "b"))):
            for channel in channels:
                wiring.connect(m, getattr(wiring.flipped(self.bus), channel), getattr(side.bus, channel))
        wiring.connect(m, read.client, controller.read)
        wiring.connect(m, write.client, controller.write)
        wiring.connect(m, controller.pins, wiring.flipped(self.pins))
        m.d.comb += [
            controller.refresh_interval.eq(self.refresh_interval),
            self.initialized.eq(controller.initialized),
        ]
        return m
