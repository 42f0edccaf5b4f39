"""A core's accumulators: two halves of a tile in LUT RAM, with the adders that fill them."""

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .isa import TILE_PIXELS

VISIT = data.StructLayout(
    {"valid": unsigned(1), "first": unsigned(1), "half": unsigned(1), "address": range(TILE_PIXELS)}
)
"""Accumulate at `address` of `half`; the `first` visit replaces what is there."""


class Accumulators(wiring.Component):
    """Adds or takes the maximum of `core_outputs` values a cycle, 16 addresses in each of two halves.

    A visit takes `totals` of the cycle after it. Visits of the same address are at least two cycles apart:
    the sum is read in one cycle, added to in the next and there in the one after that.
    Each half has one read port, which COMPUTE uses while it fills that half, and the drain side otherwise.

    Cost: 2 x 16 x 32 bits of LUT RAM and one 32-bit adder an output.

    Members:
        visit: `VISIT`.
        totals: what to accumulate, one cycle after its visit.
        maximum: accumulate the maximum of the low 8 bits, signed, instead of the sum.
        drain_half, drain_address: read by ACTIVATE.
        values: what is there, two cycles later. What was visited in cycle t is seen if its address comes in t + 3
            or later.
    """

    visit: data.View
    totals: data.View
    maximum: Signal
    drain_half: Signal
    drain_address: Signal
    values: data.View

    def __init__(self, outputs: int) -> None:
        self._outputs = outputs
        values = data.ArrayLayout(signed(32), outputs)
        super().__init__(
            {
                "visit": In(VISIT),
                "totals": In(values),
                "maximum": In(1),
                "drain_half": In(1),
                "drain_address": In(range(TILE_PIXELS)),
                "values": Out(values),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Read, add, write back; the read is decided a cycle ahead."""
        m = Module()
        reading, adding = Signal(VISIT), Signal(VISIT)
        drain_half = Signal()
        compares = Signal(2)  # with which half
        m.d.sync += [
            reading.eq(self.visit),
            compares.eq((self.maximum & ~self.visit.first) << self.visit.half),
            adding.eq(reading),
            drain_half.eq(self.drain_half),
        ]
        sums = Signal(data.ArrayLayout(signed(32), self._outputs))
        stored = [self._half(m, half, adding, sums) for half in range(2)]
        for output in range(self._outputs):
            # Without a reset, which would come late to what clears them.
            old, new = (Signal(signed(32), name=f"{age}_{output}", reset_less=True) for age in ("old", "new"))
            total = self.totals[output]
            before = Signal(signed(32), name=f"before_{output}")
            exceeds = Signal(2, name=f"exceeds_{output}")
            m.d.comb += [
                before.eq(Mux(reading.half, stored[1][output], stored[0][output])),
                sums[output].eq(old + new),
            ]
            # Behind the memories this is the longest path: both halves are compared at once, as unsigned values.
            for half in range(2):
                m.d.comb += exceeds[half].eq((total[:8] ^ 0x80) > (stored[half][output][:8] ^ 0x80))
            # The maximum is a sum too: of the greater value and zero.
            m.d.sync += [
                old.eq(Mux(reading.first | (compares & exceeds).any(), 0, before)),
                new.eq(Mux((compares & ~exceeds).any(), 0, total)),
                self.values[output].eq(Mux(drain_half, stored[1][output], stored[0][output])),
            ]
        return m

    def _half(self, m: Module, half: int, adding: data.View, sums: data.View) -> list[Value]:
        memory = Memory(
            shape=unsigned(32 * self._outputs), depth=TILE_PIXELS, init=[], attrs={"ram_style": "distributed"}
        )
        m.submodules[f"half_{half}"] = memory
        read, write = memory.read_port(domain="comb"), memory.write_port()
        address = Signal(range(TILE_PIXELS), name=f"address_{half}")
        filling = self.visit.valid & (self.visit.half == half)
        m.d.sync += address.eq(Mux(filling, self.visit.address, self.drain_address))
        m.d.comb += [
            read.addr.eq(address),
            write.addr.eq(adding.address),
            write.data.eq(sums),
            write.en.eq(adding.valid & (adding.half == half)),
        ]
        return [read.data[32 * n : 32 * n + 32].as_signed() for n in range(self._outputs)]
