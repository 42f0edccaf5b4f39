"""What an SDRAM needs before and beside accesses: initialisation once, then REFRESH at a steady pace."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .sdram_pins import ALL_BANKS, SdramCommand, command_layout, mode_register
from .sdram_timing import SdramCycles, SdramGeometry

INTERVAL_BITS = 12
"""Of `refresh_interval`: 4095 cycles are 7.8 us at 500 MHz."""

_POSTPONED_BITS = 3


class SdramMaintenance(wiring.Component):
    """Power-up wait, PRECHARGE all, REFRESH several times, LOAD MODE; from then on REFRESH every `refresh_interval`.

    The interval is counted whether or not the chip could be had: a late REFRESH does not delay the next one.
    Several that are due are caught up in one go.

    Timing: with one REFRESH due, `wanted` is high for precharge + refresh cycles after the first cycle of `granted`.

    Members:
        refresh_interval: cycles from one REFRESH to the next, 1 or more; may change at any time.
        wanted: high until no REFRESH is due and the chip may be used: no row may be opened or accessed.
        granted: nothing is going on and every bank may be precharged; has to stay as long as `wanted` does.
        closed: PRECHARGE of all banks is issued: no row is open from the next cycle on.
        initialized: the initialisation is over.
        command: `command_layout`, NOP most of the time.
    """

    refresh_interval: Signal
    wanted: Signal
    granted: Signal
    closed: Signal
    initialized: Signal
    command: data.View

    def __init__(self, geometry: SdramGeometry, cycles: SdramCycles) -> None:
        self._cycles = cycles
        super().__init__(
            {
                "refresh_interval": In(INTERVAL_BITS),
                "wanted": Out(1),
                "granted": In(1),
                "closed": Out(1),
                "initialized": Out(1),
                "command": Out(command_layout(geometry)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One sequence serves both: initialisation is a refresh with more REFRESH commands and a mode at its end."""
        m = Module()
        cycles = self._cycles
        powered = Signal()
        power_up = Signal(range(cycles.power_up), init=cycles.power_up - 1)
        with m.If(power_up != 0):
            m.d.sync += power_up.eq(power_up - 1)
        with m.Else():
            m.d.sync += powered.eq(1)

        initialized = Signal()
        issued = Signal()
        due = Signal(
            max(_POSTPONED_BITS, cycles.power_up_refreshes.bit_length()), init=cycles.power_up_refreshes
        )
        self._count_due(m, due, initialized, issued)

        # A command in cycle t allows the next one in t + n if it sets `wait` to n - 1.
        wait = Signal(range(max(cycles.precharge, cycles.refresh, cycles.load_mode)))
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        m.d.comb += [
            self.initialized.eq(initialized),
            self.command.strobes.eq(SdramCommand.NOP),
            self.command.address.eq(mode_register(cycles.cas_latency)),
        ]
        with m.FSM() as sequence:
            with m.State("IDLE"), m.If(powered & (due != 0) & self.granted):
                m.d.comb += [
                    self.command.strobes.eq(SdramCommand.PRECHARGE),
                    self.command.address.eq(ALL_BANKS),
                    self.closed.eq(1),
                ]
                m.d.sync += wait.eq(cycles.precharge - 1)
                m.next = "REFRESH"
            with m.State("REFRESH"), m.If(wait == 0):
                m.d.comb += [self.command.strobes.eq(SdramCommand.REFRESH), issued.eq(1)]
                m.d.sync += wait.eq(cycles.refresh - 1)
                with m.If(due == 1):
                    m.next = "LOAD MODE"
            with m.State("LOAD MODE"), m.If(wait == 0):
                with m.If(initialized):
                    m.next = "IDLE"
                with m.Else():
                    m.d.comb += self.command.strobes.eq(SdramCommand.LOAD_MODE)
                    m.d.sync += [wait.eq(cycles.load_mode - 1), initialized.eq(1)]
            m.d.comb += self.wanted.eq(~sequence.ongoing("IDLE") | (due != 0))
        return m

    def _count_due(self, m: Module, due: Signal, initialized: Signal, issued: Signal) -> None:
        elapsed = Signal(INTERVAL_BITS)
        expired = Signal()
        with m.If(~initialized | expired):
            m.d.sync += [elapsed.eq(2), expired.eq(self.refresh_interval <= 1)]
        with m.Else():
            m.d.sync += [elapsed.eq(elapsed + 1), expired.eq(elapsed >= self.refresh_interval)]
        with m.If(issued & ~expired):
            m.d.sync += due.eq(due - 1)
        with m.Elif(expired & ~issued & ~due.all()):
            m.d.sync += due.eq(due + 1)
