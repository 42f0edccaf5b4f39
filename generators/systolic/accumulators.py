"""The accumulators of eight columns: their sums brought into step, in front of a tile memory."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.shared_module import shared_module
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.tile_memory import TileMemory, visit_layout
from .config import SystolicConfig
from .skew import Skew

COLUMNS = 8


class Accumulators(wiring.Component):
    """Adds eight values a cycle to what is there, or keeps the maximum of both.

    Column c of `sums` comes c cycles after column 0, and the next eight columns' come eight cycles later. So does the
    visit: it is handed on, and only eight columns have to be brought into step. A visit takes the sums that are so
    complete, or the `vector`; see `TileMemory`.

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
        self._config = config
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
        """Sums in step, or the vector, into the memory."""
        m = Module()
        m.submodules.deskew = deskew = Skew(COLUMNS, 32, falling=True)
        m.submodules.memory = memory = TileMemory(self._config)
        m.d.comb += [
            deskew.i.eq(self.sums),
            memory.visit.eq(self.visit),
            memory.totals.eq(Mux(self.uses_vector, self.vector, deskew.o)),
            memory.maximum.eq(self.maximum),
            memory.drain_half.eq(self.drain_half),
            memory.drain_address.eq(self.drain_address),
            self.values.eq(memory.values),
            self.visit_out.eq(delayed(m, self.visit, COLUMNS, "visit")),
        ]
        return m
