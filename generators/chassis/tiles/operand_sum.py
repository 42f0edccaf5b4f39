"""Element-wise ADD of fixed-point numbers: one operand is shifted to the other's binary point, each may be negated."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .commands import BRICK_CHANNELS
from .delay_line import delayed
from .tile_config import TileConfig


class OperandSum(wiring.Component):
    """`result`[c] = +- (a[c] << own shift) +- (b[c] << own shift); one pair of bricks every two cycles.

    The first operand's brick comes one cycle before the second's. Sums wrap at `sum_bits`.

    Latency: `VECTOR_LATENCY`. Cost: a shifter and two adders for each channel.

    Members:
        piece: eight channels of one pixel, of the operands' width.
        second_operand: it is the second operand's.
        broadcast: channel 0 of the second operand serves all; steady, as the following are.
        shift, shifts_second: so many places to the left, of the second operand or of the first.
        negated: bit 0 of the first operand, bit 1 of the second.
        result: four cycles after the second operand's brick.
    """

    piece: Signal
    second_operand: Signal
    broadcast: Signal
    shift: Signal
    shifts_second: Signal
    negated: Signal
    result: data.View

    def __init__(self, config: TileConfig) -> None:
        self._bits, self._sum = config.element_bits, signed(config.sum_bits)
        super().__init__(
            {
                "piece": In(config.element_bits * BRICK_CHANNELS),
                "second_operand": In(1),
                "broadcast": In(1),
                "shift": In(5),
                "shifts_second": In(1),
                "negated": In(2),
                "result": Out(data.ArrayLayout(self._sum, BRICK_CHANNELS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Negate, shift, add, and wait a cycle."""
        m = Module()
        shifts, total = Signal(), Signal.like(self.result)
        m.d.sync += shifts.eq(self.second_operand == self.shifts_second)
        negates = Mux(self.second_operand, self.negated[1], self.negated[0])
        lanes = [self.piece.word_select(n, self._bits).as_signed() for n in range(BRICK_CHANNELS)]
        for channel, lane in enumerate(lanes):
            value = Mux(self.broadcast & self.second_operand, lanes[0], lane)
            own = Signal(signed(self._bits + 1), name=f"own_{channel}")
            placed, first = (Signal(self._sum, name=f"{name}_{channel}") for name in ("placed", "first"))
            m.d.sync += [
                own.eq(Mux(negates, -value, value)),
                placed.eq(Mux(shifts, own << self.shift, own)),
                first.eq(placed),
                total[channel].eq(first + placed),
            ]
        m.d.comb += self.result.eq(delayed(m, total, 1, "total"))
        return m
