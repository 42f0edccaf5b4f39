"""A controller of an SDR SDRAM with 16 data pins, for one client that reads and one that writes."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .axi import ReadClient, ReadClientSignature
from .memory_client import WriteClient, WriteClientSignature
from .sdram_maintenance import INTERVAL_BITS, SdramMaintenance
from .sdram_pins import SdramPins, SdramPinsSignature, command_layout
from .sdram_rows import SdramRows
from .sdram_timing import SdramCycles, SdramGeometry
from .sdram_transfer import BEAT_BITS, SdramTransfer


class SdramController(wiring.Component):
    """Serves requests in turn, reads and writes alternating while both are there, at 2 bytes a cycle.

    ::

        read  --+                  +-> maintenance --+
                +-> turn -> rows --+-> transfer -----+-> command register -> pins
        write --+    (opens rows)      (READ, WRITE)

    A request stays within `page_bytes`. Byte addresses are row, bank, column, byte from the top: the pages of a 4 KiB
    block lie in all four banks. Rows stay open until another one of their bank is needed or a REFRESH is due.
    The next request's row is opened while the beats of the one before move. A REFRESH waits for the request
    whose beats move, and for the one whose row is being opened.

    Timing, in cycles of the names in `SdramCycles`: a request for an open row taken in cycle t, nothing else
    going on, has READ or WRITE on the pins in t + 4; a read's first beat comes in t + cas_latency + 8 +
    `pin_registers`. The next beats follow every 4 cycles. A row that has to be opened adds row_to_column - 1
    cycles to that, one that has to be closed first, precharge more.

    Args:
        pin_registers: registers between `pins` and the chip, those out and those in added up.

    Members:
        read: `ReadClientSignature`, flipped.
        write: `WriteClientSignature`, flipped.
        refresh_interval: cycles from one REFRESH to the next: `SdramTiming.refresh_interval` of the clock in use;
            far less leaves no time for requests.
        initialized: the chip is ready; requests wait until then.
        pins: `SdramPinsSignature`, every output a register.
    """

    read: ReadClient
    write: WriteClient
    refresh_interval: Signal
    initialized: Signal
    pins: SdramPins

    def __init__(self, geometry: SdramGeometry, cycles: SdramCycles, *, pin_registers: int = 0) -> None:
        self._geometry = geometry
        self._maintenance = SdramMaintenance(geometry, cycles)
        self._rows = SdramRows(geometry, cycles)
        self._transfer = SdramTransfer(geometry, cycles, pin_registers=pin_registers)
        super().__init__(
            {
                "read": In(ReadClientSignature(geometry.address_bits, BEAT_BITS)),
                "write": In(WriteClientSignature(geometry.address_bits, BEAT_BITS)),
                "refresh_interval": In(INTERVAL_BITS),
                "initialized": Out(1),
                "pins": Out(SdramPinsSignature(geometry)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Join the parts; the transfer's commands come first, those for rows wait, maintenance has the chip
        for itself.
        """
        m = Module()
        m.submodules.maintenance = maintenance = self._maintenance
        m.submodules.rows = rows = self._rows
        m.submodules.transfer = transfer = self._transfer
        self._take_turns(m)
        wiring.connect(m, rows.o, transfer.i)
        wiring.connect(m, wiring.flipped(self.write.beats), transfer.beats)
        m.d.comb += [
            maintenance.refresh_interval.eq(self.refresh_interval),
            maintenance.granted.eq(rows.quiet),
            rows.blocked.eq(maintenance.wanted),
            rows.closed.eq(maintenance.closed),
            rows.accessed.eq(transfer.accessed),
            rows.accessed_bank.eq(transfer.busy_bank),
            rows.busy.eq(transfer.busy),
            rows.busy_bank.eq(transfer.busy_bank),
            transfer.masked.eq(~maintenance.initialized),
            self.write.written.eq(transfer.written),
            self.initialized.eq(maintenance.initialized),
            self.read.beats.valid.eq(transfer.read.valid),
            self.read.beats.payload.eq(transfer.read.payload),
        ]
        self._drive_pins(m)
        return m

    def _take_turns(self, m: Module) -> None:
        rows = self._rows
        wrote = Signal()  # the last request
        write = Signal()
        m.d.comb += write.eq(self.write.request.valid & ~(self.read.request.valid & wrote))
        request = Mux(write, self.write.request.payload.as_value(), self.read.request.payload.as_value())
        burst = data.View(self.read.request.payload.shape(), request)
        beat, bank, row = _split_address(burst.address, self._geometry)
        m.d.comb += [
            rows.i.valid.eq(self.read.request.valid | self.write.request.valid),
            rows.i.payload.write.eq(write),
            rows.i.payload.beat.eq(beat),
            rows.i.payload.bank.eq(bank),
            rows.i.payload.row.eq(row),
            rows.i.payload.length.eq(burst.length),
            self.read.request.ready.eq(rows.i.ready & ~write),
            self.write.request.ready.eq(rows.i.ready & write),
        ]
        with m.If(rows.i.valid & rows.i.ready):
            m.d.sync += wrote.eq(write)

    def _drive_pins(self, m: Module) -> None:
        maintenance, rows, transfer = self._maintenance, self._rows, self._transfer
        command = Signal(command_layout(self._geometry))
        # While maintenance has the chip the others are silent, and the other way round.
        with m.If(transfer.accessed):
            m.d.sync += command.eq(transfer.command)
        with m.Elif(maintenance.granted):
            m.d.sync += command.eq(maintenance.command)
        with m.Else():
            m.d.sync += command.eq(rows.command)
        m.d.comb += [
            self.pins.clk_en.eq(1),
            self.pins.cs.eq(1),
            self.pins.ras.eq(command.strobes[2]),
            self.pins.cas.eq(command.strobes[1]),
            self.pins.we.eq(command.strobes[0]),
            self.pins.ba.eq(command.bank),
            self.pins.a.eq(command.address),
            self.pins.dqm.eq(transfer.dqm),
            self.pins.dq_o.eq(transfer.dq_o),
            self.pins.dq_oe.eq(transfer.dq_oe),
            transfer.dq_i.eq(self.pins.dq_i),
        ]


def _split_address(address: Value, geometry: SdramGeometry) -> tuple[Value, Value, Value]:
    """Beat of the page, bank and row of a byte address."""
    page_bits = geometry.page_bytes.bit_length() - 1
    bank_end = page_bits + geometry.bank_bits
    beat_bytes = BEAT_BITS // 8
    return address[beat_bytes.bit_length() - 1 : page_bits], address[page_bits:bank_end], address[bank_end:]
