"""Element-wise ADD and MULTIPLY: a table an operand, then a sum or a product."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ....hdl.dual_port_memory import DualPortInterface, DualPortMemory
from ....hdl.multiplier import Multiplier
from ..destination_port import destination_write_signature
from .commands import BRICK_CHANNELS, Destination
from .tile_config import TileConfig

VECTOR_LATENCY = 4
"""Cycles from the second operand's brick to the `result`."""

_ENTRY_BITS = 32
_TABLE_ENTRIES = 512
_FACTOR_BITS = 9


class VectorUnit(wiring.Component):
    """`result`[r] = table_a[a[r]] + or * table_b[b[r]], one pair of bricks every two cycles.

    The first operand's brick comes one cycle before the second's. Sums wrap at 32 bits; factors are the entries'
    low 9 bits, signed.

    Cost: 16 kbit of block RAM for two outputs, one 32-bit adder and one multiplier an output.

    Members:
        writes: WEIGHTS' port; beats for `Destination.OPERAND_TABLE` go into every output's copy.
        brick: eight channels of one pixel.
        second_operand: it is the second operand's.
        odd_block: with four outputs, channels 4..7 of it.
        broadcast: channel 0 of the second operand serves all outputs; steady.
        multiply: steady.
        result: `VECTOR_LATENCY` cycles after the second operand's brick.
    """

    writes: stream.Interface
    brick: Signal
    second_operand: Signal
    odd_block: Signal
    broadcast: Signal
    multiply: Signal
    result: data.View

    def __init__(self, config: TileConfig) -> None:
        self._outputs = config.core_outputs
        super().__init__(
            {
                "writes": In(destination_write_signature()),
                "brick": In(BRICK_CHANNELS * 8),
                "second_operand": In(1),
                "odd_block": In(1),
                "broadcast": In(1),
                "multiply": In(1),
                "result": Out(data.ArrayLayout(signed(_ENTRY_BITS), config.core_outputs)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The same for every output; two of them share a copy of the tables."""
        m = Module()
        for first in range(0, self._outputs, 2):
            m.submodules[f"table_{first}"] = table = DualPortMemory(_TABLE_ENTRIES, _ENTRY_BITS)
            for half, port in enumerate(table.ports):
                output = first + half
                channel: Value = self.brick.word_select(output, 8)
                if self._outputs < BRICK_CHANNELS:
                    channel = Mux(self.odd_block, self.brick.word_select(output + self._outputs, 8), channel)
                value = Mux(self.broadcast & self.second_operand, self.brick[:8], channel)
                self._combine(m, output, self._look_up(m, output, port, half, value))
        return m

    def _look_up(self, m: Module, output: int, port: DualPortInterface, half: int, value: Value) -> Signal:
        """The entry of `value`, two cycles later. Of a beat's two entries each port writes one."""
        beat = self.writes.payload
        entry = Signal(signed(_ENTRY_BITS), name=f"entry_{output}")
        m.d.comb += [
            port.write_enable.eq(self.writes.valid & (beat.destination == Destination.OPERAND_TABLE)),
            port.write_data.eq(beat.data.word_select(half, _ENTRY_BITS)),
            # A signed value + 128; the second operand's table follows the first one's.
            port.address.eq(
                Mux(
                    port.write_enable,
                    Cat(Const(half, 1), beat.address[:8]),
                    Cat(value ^ 0x80, self.second_operand),
                )
            ),
        ]
        m.d.sync += entry.eq(port.read_data)
        return entry

    def _combine(self, m: Module, output: int, entry: Signal) -> None:
        """The sum waits a cycle for the product."""
        multiplier = Multiplier(signed(_FACTOR_BITS), signed(_FACTOR_BITS))
        m.submodules[f"multiplier_{output}"] = multiplier
        first = Signal(signed(_ENTRY_BITS), name=f"first_{output}")
        total = Signal(signed(_ENTRY_BITS), name=f"total_{output}")
        delayed = Signal(signed(_ENTRY_BITS), name=f"delayed_{output}")
        m.d.sync += [first.eq(entry), total.eq(first + entry), delayed.eq(total)]
        m.d.comb += [
            multiplier.a.eq(first[:_FACTOR_BITS].as_signed()),
            multiplier.b.eq(entry[:_FACTOR_BITS].as_signed()),
            self.result[output].eq(Mux(self.multiply, multiplier.product, delayed)),
        ]
