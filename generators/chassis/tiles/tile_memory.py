"""Accumulator tiles of eight channels in block RAM: two halves, with the adders that fill them."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .commands import BRICK_CHANNELS
from .tile_config import TileConfig

TOTALS_DELAY = 2
"""Cycles from a visit to its totals."""
VISIT_CYCLES = 3
"""Cycles from a visit until what it left is read."""

_MEMORY: dict[str, Any] = {"ram_style": "block", "no_rw_check": "1"}


def visit_layout(config: TileConfig) -> data.StructLayout:
    """Accumulate at `address` of `half`; the `first` visit replaces what is there."""
    return data.StructLayout(
        {
            "valid": unsigned(1),
            "first": unsigned(1),
            "half": unsigned(1),
            "address": range(config.tile_pixels),
        }
    )


class TileMemory(wiring.Component):
    """Adds eight values a cycle to what is there, or keeps the maximum of both.

    A visit takes the totals of `TOTALS_DELAY` cycles later. Visits of the same address are at least `VISIT_CYCLES`
    apart. Each half has one read port, which COMPUTE uses while it fills that half, and the drain side otherwise.

    Cost: 2 x `tile_pixels` x 8 x `sum_bits` of block RAM, eight adders.

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

    def __init__(self, config: TileConfig) -> None:
        self._depth = config.tile_pixels
        self._visit = visit_layout(config)
        self._values = values = data.ArrayLayout(signed(config.sum_bits), BRICK_CHANNELS)
        super().__init__(
            {
                "visit": In(self._visit),
                "totals": In(values),
                "maximum": In(1),
                "drain_half": In(1),
                "drain_address": In(range(config.tile_pixels)),
                "values": Out(values),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Read, register, add and write back."""
        m = Module()
        reading, adding = Signal(self._visit), Signal(self._visit)
        drain_half = Signal()
        sums = Signal(self._values)
        old = Signal(self._values, reset_less=True)
        m.d.sync += [reading.eq(self.visit), adding.eq(reading), drain_half.eq(self.drain_half)]
        stored = [self._half(m, half, adding, sums) for half in range(2)]
        m.d.sync += [
            old.eq(Mux(reading.half, stored[1], stored[0])),
            self.values.eq(Mux(drain_half, stored[1], stored[0])),
        ]
        for channel in range(BRICK_CHANNELS):
            before, total = old[channel], self.totals[channel]
            kept = Mux(self.maximum, Mux(before > total, before, total), before + total)
            m.d.comb += sums[channel].eq(Mux(adding.first, total, kept))
        return m

    def _half(self, m: Module, half: int, adding: data.View, sums: data.View) -> Value:
        memory = Memory(shape=unsigned(self._values.size), depth=self._depth, init=[], attrs=_MEMORY)
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
