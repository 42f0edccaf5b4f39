"""Keeps the rows of an SDRAM open that were used last, and opens the next one behind the access before it."""

from amaranth.hdl import Array, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .sdram_pins import SdramCommand, command_layout
from .sdram_timing import BURST_HALVES, SdramCycles, SdramGeometry

_LOOKUP_CYCLES = 2
"""From the hand-over of an access to the first command for the next."""


def access_layout(geometry: SdramGeometry) -> data.StructLayout:
    """`length` + 1 beats within one row: `write`, `bank`, `row` and `beat` of the row, a beat being four columns."""
    beat_bits = geometry.column_bits - (BURST_HALVES.bit_length() - 1)
    return data.StructLayout(
        {
            "write": 1,
            "bank": geometry.bank_bits,
            "row": geometry.row_bits,
            "beat": beat_bits,
            "length": beat_bits,
        }
    )


class SdramRows(wiring.Component):
    """Passes an access on once its row is open: PRECHARGE if the bank has another one open, then ACTIVE.

    It works on one access while the one before is under way, and hides what it does behind it unless both need
    different rows of the same bank.

    Timing: an access taken in cycle t is offered in t + 2 if its row is open, in t + 1 + row_to_column if its
    bank is closed, in t + 1 + precharge + row_to_column if another row is open, provided that the bank may be
    precharged at once. Accesses to open rows pass every 3 cycles.

    Members:
        i: accesses wanted, `access_layout`.
        o: the same, each offered from row_to_column - 1 cycles after ACTIVE on, to be accessed a cycle later
            at the earliest.
        blocked: no command is issued for an access that has not had one yet.
        closed: all rows are closed from the next cycle on.
        accessed, accessed_bank: READ or WRITE is issued in this cycle, which is then not free for a command from here.
        busy, busy_bank: a bank which is in use and therefore not precharged.
        quiet: `blocked`, no access is being worked on, nothing is busy, and all banks may be precharged.
        command: `command_layout`.
    """

    i: stream.Interface
    o: stream.Interface
    blocked: Signal
    closed: Signal
    accessed: Signal
    accessed_bank: Signal
    busy: Signal
    busy_bank: Signal
    quiet: Signal
    command: data.View

    def __init__(self, geometry: SdramGeometry, cycles: SdramCycles) -> None:
        if cycles.row_to_row > cycles.row_to_column + _LOOKUP_CYCLES:
            raise ValueError(
                f"row_to_row must be at most {_LOOKUP_CYCLES} cycles above row_to_column ({cycles.row_to_column}), "
                f"not {cycles.row_to_row}"
            )
        self._geometry = geometry
        self._cycles = cycles
        layout = access_layout(geometry)
        super().__init__(
            {
                "i": In(stream.Signature(layout)),
                "o": Out(stream.Signature(layout)),
                "blocked": In(1),
                "closed": In(1),
                "accessed": In(1),
                "accessed_bank": In(geometry.bank_bits),
                "busy": In(1),
                "busy_bank": In(geometry.bank_bits),
                "quiet": Out(1),
                "command": Out(command_layout(geometry)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Take, look up, then work until the row is open and the access is taken."""
        m = Module()
        cycles = self._cycles
        access = Signal(access_layout(self._geometry), reset_less=True)
        open_rows = [
            Signal(self._geometry.row_bits, name=f"open_row_{bank}") for bank in range(self._geometry.banks)
        ]
        is_open = Signal(self._geometry.banks)
        settled = Signal(
            self._geometry.banks
        )  # in the next cycle, unless something happens to the bank in this one
        may_precharge = Signal()
        is_opening = Signal()
        opened = Signal()  # the bank has a row open ..
        hit = Signal()  # .. which is the right one
        precharge = Signal()
        activate = Signal()

        wait = Signal(range(max(2, cycles.precharge, cycles.row_to_column - 1)))
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        m.d.comb += [
            self.o.payload.eq(access),
            self.command.strobes.eq(
                Mux(
                    activate,
                    SdramCommand.ACTIVE.value,
                    Mux(precharge, SdramCommand.PRECHARGE.value, SdramCommand.NOP.value),
                )
            ),
            self.command.bank.eq(access.bank),
            # Pin 10 low: PRECHARGE of one bank.
            self.command.address.eq(Mux(activate, access.row, 0)),
        ]
        in_use = self.busy & (self.busy_bank == access.bank)
        m.d.sync += [
            may_precharge.eq(settled.bit_select(access.bank, 1) & ~in_use),
            self.quiet.eq(self.blocked & settled.all() & ~self.busy & ~is_opening),
        ]
        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += access.eq(self.i.payload)
                with m.If(self.i.valid):
                    m.next = "LOOK UP"
            with m.State("LOOK UP"):
                m.d.sync += [
                    opened.eq(is_open.bit_select(access.bank, 1)),
                    hit.eq(
                        is_open.bit_select(access.bank, 1) & (Array(open_rows)[access.bank] == access.row)
                    ),
                ]
                with m.If(~self.blocked):
                    m.next = "OPEN"
            with m.State("OPEN"):
                m.d.comb += [
                    is_opening.eq(1),
                    self.o.valid.eq(hit & (wait == 0)),
                    precharge.eq(opened & ~hit & may_precharge & ~self.accessed),
                    activate.eq(~opened & (wait == 0) & ~self.accessed),
                ]
                with m.If(precharge):
                    m.d.sync += [opened.eq(0), wait.eq(cycles.precharge - 1)]
                with m.If(activate):
                    m.d.sync += [opened.eq(1), hit.eq(1), wait.eq(max(0, cycles.row_to_column - 2))]
                with m.If(self.o.valid & self.o.ready):
                    m.next = "TAKE"

        for bank in range(self._geometry.banks):
            mine = access.bank == bank
            with m.If(activate & mine):
                m.d.sync += [open_rows[bank].eq(access.row), is_open[bank].eq(1)]
            with m.Elif((precharge & mine) | self.closed):
                m.d.sync += is_open[bank].eq(0)
            self._settle(m, bank, settled, activate & mine)
        return m

    def _settle(self, m: Module, bank: int, settled: Signal, activated: Value) -> None:
        """The bank may be precharged once its row was open, and its last access is over, for long enough."""
        cycles = self._cycles
        unsettled = Signal(
            range(max(cycles.row_active, cycles.access_to_precharge)), name=f"unsettled_{bank}"
        )
        m.d.comb += settled[bank].eq(unsettled <= 1)
        with m.If(activated):
            m.d.sync += unsettled.eq(cycles.row_active - 1)
        with m.Elif(self.accessed & (self.accessed_bank == bank)):
            m.d.sync += unsettled.eq(cycles.access_to_precharge - 1)
        with m.Elif(unsettled != 0):
            m.d.sync += unsettled.eq(unsettled - 1)
