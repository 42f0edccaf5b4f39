"""The accumulator memory of eight columns: two halves in block RAM, with the adders that fill them."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...hdl.shared_module import shared_module
from ..chassis.tiles.delay_line import delayed
from .config import SystolicConfig
from .skew import Skew

COLUMNS = 8
TOTALS_DELAY = 2
"""Cycles from a visit to its totals."""
VISIT_CYCLES = 3
"""Cycles from a visit until what it left is read."""

_MEMORY: dict[str, Any] = {"ram_style": "block", "no_rw_check": "1"}


def visit_layout(config: SystolicConfig) -> data.StructLayout:
    """Accumulate at `address` of `half`; the `first` visit replaces what is there."""
    return data.StructLayout(
        {
            "valid": unsigned(1),
            "first": unsigned(1),
            "half": unsigned(1),
            "address": range(config.accumulators),
        }
    )


class Accumulators(wiring.Component):
    """Adds eight values a cycle to what is there, or keeps the maximum of both.

    Column c of `sums` comes c cycles after column 0, and the next eight columns' come eight cycles later. So does the
    visit: it is handed on, and only eight columns have to be brought into step. A visit takes the sums that are so
    complete, or the `vector`, `TOTALS_DELAY` cycles later. Visits of the same address are at least `VISIT_CYCLES`
    apart. Each half has one read port, which COMPUTE uses while it fills that half, and the drain side otherwise.

    Members:
        visit: `visit_layout`.
        visit_out: the same, eight cycles later.
        sums: of the array.
        vector, uses_vector: what to accumulate instead.
        maximum: keep the maximum instead of the sum.
        drain_half, drain_address: read by ACTIVATE.
        values: what is there, two cycles later.
    """

    visit: data.View
    visit_out: data.View
    sums: Signal
    vector: Signal
    uses_vector: Signal
    maximum: Signal
    drain_half: Signal
    drain_address: Signal
    values: data.View

    def __init__(self, config: SystolicConfig) -> None:
        self._depth = config.accumulators
        self._visit = visit_layout(config)
        values = data.ArrayLayout(signed(32), COLUMNS)
        super().__init__(
            {
                "visit": In(self._visit),
                "visit_out": Out(self._visit),
                "sums": In(32 * COLUMNS),
                "vector": In(32 * COLUMNS),
                "uses_vector": In(1),
                "maximum": In(1),
                "drain_half": In(1),
                "drain_address": In(range(config.accumulators)),
                "values": Out(values),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Read, register, add and write back."""
        m = Module()
        reading, adding = Signal(self._visit), Signal(self._visit)
        drain_half = Signal()
        sums = Signal(data.ArrayLayout(signed(32), COLUMNS))
        old = Signal(data.ArrayLayout(signed(32), COLUMNS), reset_less=True)
        m.d.sync += [reading.eq(self.visit), adding.eq(reading), drain_half.eq(self.drain_half)]
        m.submodules.deskew = deskew = Skew(COLUMNS, 32, falling=True)
        totals = Signal(data.ArrayLayout(signed(32), COLUMNS))
        m.d.comb += [
            deskew.i.eq(self.sums),
            totals.eq(Mux(self.uses_vector, self.vector, deskew.o)),
            self.visit_out.eq(delayed(m, self.visit, COLUMNS, "visit")),
        ]
        stored = [self._half(m, half, adding, sums) for half in range(2)]
        m.d.sync += [
            old.eq(Mux(reading.half, stored[1], stored[0])),
            self.values.eq(Mux(drain_half, stored[1], stored[0])),
        ]
        for column in range(COLUMNS):
            before, total = old[column], totals[column]
            kept = Mux(self.maximum, Mux(before > total, before, total), before + total)
            m.d.comb += sums[column].eq(Mux(adding.first, total, kept))
        return m

    def _half(self, m: Module, half: int, adding: data.View, sums: data.View) -> Value:
        memory = Memory(shape=unsigned(32 * COLUMNS), depth=self._depth, init=[], attrs=_MEMORY)
        m.submodules[f"half_{half}"] = memory
        read, write = memory.read_port(), memory.write_port()
        filling = self.visit.valid & (self.visit.half == half)
        m.d.comb += [
            read.addr.eq(Mux(filling, self.visit.address, self.drain_address)),
            write.addr.eq(adding.address),
            write.data.eq(sums),
            write.en.eq(adding.valid & (adding.half == half)),
        ]
        return read.data
