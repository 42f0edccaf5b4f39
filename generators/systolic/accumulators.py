"""The accumulator memory of eight columns: two halves in block RAM, with the adders that fill them."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from celosia.hdl.shared_module import shared_module

from .config import SystolicConfig

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

    A visit takes the `totals` of `TOTALS_DELAY` cycles later. Visits of the same address are at least `VISIT_CYCLES`
    apart. Each half has one read port, which COMPUTE uses while it fills that half, and the drain side otherwise.

    Members:
        visit: `visit_layout`.
        totals: what to accumulate.
        maximum: keep the maximum instead of the sum.
        drain_half, drain_address: read by ACTIVATE.
        values: what is there, two cycles later.
    """

    visit: data.View
    totals: data.View
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
                "totals": In(values),
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
        stored = [self._half(m, half, adding, sums) for half in range(2)]
        m.d.sync += [
            old.eq(Mux(reading.half, stored[1], stored[0])),
            self.values.eq(Mux(drain_half, stored[1], stored[0])),
        ]
        for column in range(COLUMNS):
            before, total = old[column], self.totals[column]
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
