"""An SDR SDRAM's pins with I/O registers, and the phase of its clock."""

from typing import Protocol

from amaranth.hdl import Module
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In

from celosia.hdl.sdram_pins import SdramPins, SdramPinsSignature
from celosia.hdl.sdram_timing import SdramGeometry

PIN_REGISTERS = 2
"""What `AxiSdram` has to be told: one register on the way out, one on the way in."""

CLOCK_LEAD_PICOSECONDS = 3500
"""How much earlier than the FPGA's next clock edge the chip's clock rises.

Command and data leave the FPGA with its edge and are taken by the chip with its own before the FPGA's next;
what the chip then drives is taken with the FPGA's next edge but one. For AS4C16M16SA-7 (data at most 5.4 ns
and at least 2.5 ns after its clock, set-up 1.5 ns, hold 0.8 ns) and 2 to 4 ns through pins and board there and
back, the lead may be 2.4 to 4.5 ns at 133 MHz and 0.8 to 4.5 ns at 100 MHz and below.
"""

_PICOSECONDS = 1_000_000_000_000


def clock_phase(frequency: int) -> int:
    """Degrees by which the PLL's output for the chip's clock pin lags behind the controller's, at `frequency` in Hz.

    Raises:
        ValueError: the period is not longer than the lead.
    """
    lead = round(360 * CLOCK_LEAD_PICOSECONDS * frequency / _PICOSECONDS)
    if not 0 < lead < 360:
        raise ValueError(
            f"frequency must have a period above {CLOCK_LEAD_PICOSECONDS} ps, not {frequency} Hz"
        )
    return 360 - lead


class SdramPorts(Protocol):
    """The ports of a platform's `SDRAMResource`, requested without buffers (`dir="-"`); the clock is not used here."""

    @property
    def clk_en(self) -> io.PortLike:
        """Clock enable."""
        ...

    @property
    def cs(self) -> io.PortLike:
        """Chip select."""
        ...

    @property
    def ras(self) -> io.PortLike:
        """Row address strobe."""
        ...

    @property
    def cas(self) -> io.PortLike:
        """Column address strobe."""
        ...

    @property
    def we(self) -> io.PortLike:
        """Write enable."""
        ...

    @property
    def ba(self) -> io.PortLike:
        """Bank."""
        ...

    @property
    def a(self) -> io.PortLike:
        """Row, column or mode."""
        ...

    @property
    def dqm(self) -> io.PortLike:
        """Data masks."""
        ...

    @property
    def dq(self) -> io.PortLike:
        """Data."""
        ...


class SdramIo(wiring.Component):
    """Registers between a controller's `pins` and the package's, in the I/O cells where the platform has them.

    Timing: outputs are on the package's pins one cycle later, `dq_i` comes one cycle later.

    Members:
        pins: `SdramPinsSignature`, flipped.
    """

    pins: SdramPins

    def __init__(self, geometry: SdramGeometry, ports: SdramPorts) -> None:
        self._ports = ports
        super().__init__({"pins": In(SdramPinsSignature(geometry))})

    def elaborate(self, platform: object) -> Module:
        """One buffer a group of pins."""
        m = Module()
        for name in ("clk_en", "cs", "ras", "cas", "we", "ba", "a", "dqm"):
            buffer = io.FFBuffer(io.Direction.Output, getattr(self._ports, name))
            m.submodules[name] = buffer
            m.d.comb += buffer.o.eq(getattr(self.pins, name))
        m.submodules.dq = data = io.FFBuffer(io.Direction.Bidir, self._ports.dq)
        m.d.comb += [
            data.o.eq(self.pins.dq_o),
            data.oe.eq(self.pins.dq_oe),
            self.pins.dq_i.eq(data.i),
        ]
        return m
