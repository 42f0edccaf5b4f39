"""What becomes of eight channels of a wide brick that no multiplier of the core has a part in."""

from collections.abc import Sequence

from amaranth.hdl import Array, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..destination_port import destination_write_signature
from .commands import BRICK_CHANNELS, Mode
from .compute_constants import constants_layout
from .delay_line import delayed
from .operand_sum import OperandSum
from .tile_config import TileConfig
from .vector_unit import VECTOR_LATENCY, VectorUnit
from .window_slot import window_slot_layout


class VectorPath(wiring.Component):
    """One piece of every brick: combined with the second operand's in ADD and MULTIPLY, else as it is.
    For fixed-point numbers there is no MULTIPLY, and ADD only where COMPUTE says how they are aligned.

    Members:
        command, constants: of the COMPUTE; steady.
        brick, slot: all channels, of the operands' width, and what they are for.
        writes: WEIGHTS' port, for the operand tables.
        result: `VECTOR_LATENCY` cycles after the brick, or after the second operand's.
    """

    command: data.View
    constants: data.View
    brick: Signal
    slot: data.View
    writes: stream.Interface
    result: data.View

    def __init__(self, config: TileConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "constants": In(constants_layout(config)),
                "brick": In(config.element_bits * config.brick_channels),
                "slot": In(window_slot_layout(config)),
                "writes": In(destination_write_signature()),
                "result": Out(data.ArrayLayout(signed(config.sum_bits), BRICK_CHANNELS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The vector unit, and a delay beside it."""
        m = Module()
        bits = self._config.element_bits
        piece = Signal(bits * BRICK_CHANNELS)
        first = self.slot.second_operand & self.command.ifm2_broadcast_channels
        pieces = [self.brick.word_select(n, bits * BRICK_CHANNELS) for n in range(self._config.brick_pieces)]
        # A brick of one piece has blocks that are odd, too.
        chosen = pieces[0] if len(pieces) == 1 else Array(pieces)[Mux(first, 0, self.slot.odd_block)]
        m.d.comb += piece.eq(chosen)
        copied = delayed(m, piece, VECTOR_LATENCY, "piece")
        copies = [copied.word_select(channel, bits).as_signed() for channel in range(BRICK_CHANNELS)]
        m.d.comb += [self.result[channel].eq(copy) for channel, copy in enumerate(copies)]
        if self._config.element_bits == 8:
            self._combine(m, piece, copies)
        elif "operand_shift" in self._config.compute.names:
            self._add(m, piece, copies)
        return m

    def _combine(self, m: Module, piece: Signal, copies: Sequence[Value]) -> None:
        m.submodules.unit = unit = VectorUnit(self._config)
        wiring.connect(m, wiring.flipped(self.writes), unit.writes)
        m.d.comb += [
            unit.brick.eq(piece),
            unit.second_operand.eq(self.slot.second_operand),
            unit.broadcast.eq(self.command.ifm2_broadcast_channels),
            unit.multiply.eq(self.command.mode == Mode.MULTIPLY),
        ]
        for channel, own in enumerate(copies):
            m.d.comb += self.result[channel].eq(Mux(self.constants.two_operands, unit.result[channel], own))

    def _add(self, m: Module, piece: Signal, copies: Sequence[Value]) -> None:
        m.submodules.operand_sum = operand_sum = OperandSum(self._config)
        m.d.comb += [
            operand_sum.piece.eq(piece),
            operand_sum.second_operand.eq(self.slot.second_operand),
            operand_sum.broadcast.eq(self.command.ifm2_broadcast_channels),
            operand_sum.shift.eq(self.command.operand_shift),
            operand_sum.shifts_second.eq(self.command.shifts_second),
            operand_sum.negated.eq(self.command.negated),
        ]
        for channel, own in enumerate(copies):
            m.d.comb += self.result[channel].eq(
                Mux(self.constants.two_operands, operand_sum.result[channel], own)
            )
