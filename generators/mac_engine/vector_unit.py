"""Element-wise ADD and MULTIPLY: a table an operand, then a sum or a product."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from celosia.hdl.multiplier import Multiplier

from ..chassis.destination_port import BEAT_BITS, destination_write_signature
from .config import MacEngineConfig
from .isa import BRICK_CHANNELS, Destination

VECTOR_LATENCY = 4
"""Cycles from the second operand's brick to the `result`."""

_ENTRY_BITS = 32
_TABLE_BEATS = 256
_FACTOR_BITS = 9
_MEMORY: dict[str, Any] = {"ram_style": "block", "no_rw_check": "1"}


class VectorUnit(wiring.Component):
    """`result`[r] = table_a[a[r]] + or * table_b[b[r]], one pair of bricks every two cycles.

    The first operand's brick comes one cycle before the second's. Sums wrap at 32 bits; factors are the entries'
    low 9 bits, signed.

    Cost: 16 kbit of block RAM (64 bits wide), one 32-bit adder and one multiplier an output.

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

    def __init__(self, config: MacEngineConfig) -> None:
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
        """The same for every output."""
        m = Module()
        for output in range(self._outputs):
            channel: Value = self.brick.word_select(output, 8)
            if self._outputs < BRICK_CHANNELS:
                channel = Mux(self.odd_block, self.brick.word_select(output + self._outputs, 8), channel)
            value = Mux(self.broadcast & self.second_operand, self.brick[:8], channel)
            self._combine(m, output, self._look_up(m, output, value))
        return m

    def _look_up(self, m: Module, output: int, value: Value) -> Signal:
        """The entry of `value`, two cycles later; two entries a row, as they come."""
        memory = Memory(shape=unsigned(BEAT_BITS), depth=_TABLE_BEATS, init=[], attrs=_MEMORY)
        m.submodules[f"table_{output}"] = memory
        read, write = memory.read_port(), memory.write_port()
        beat = self.writes.payload
        index = Signal(9, name=f"index_{output}")
        odd = Signal(name=f"odd_{output}")
        entry = Signal(signed(_ENTRY_BITS), name=f"entry_{output}")
        m.d.comb += [
            index[:8].eq(value ^ 0x80),  # a signed value + 128
            index[8].eq(self.second_operand),
            read.addr.eq(index[1:]),
            write.addr.eq(beat.address),
            write.data.eq(beat.data),
            write.en.eq(self.writes.valid & (beat.destination == Destination.OPERAND_TABLE)),
        ]
        m.d.sync += [
            odd.eq(index[0]),
            entry.eq(Mux(odd, read.data[_ENTRY_BITS:], read.data[:_ENTRY_BITS])),
        ]
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
