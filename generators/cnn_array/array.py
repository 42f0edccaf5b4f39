"""The array: columns side by side, through which weights pass; rows, if output channels lie on the columns."""

from amaranth.hdl import Array, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.tiles.commands import BRICK_CHANNELS
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.window_slot import window_slot_layout
from .config import CnnArrayConfig
from .functional_unit import DRAIN_LATENCY, UNIT_LATENCY, Column, visit_layout
from .place_count import PlaceCount


def brick_cycles(round_cycles: int) -> int:
    """Cycles from a brick until the partial sums of its pixel have all of its lanes, in rounds of so many."""
    return round_cycles + UNIT_LATENCY


class CnnArray(wiring.Component):
    """sums[channel][pixel] += weight[channel][lane] * brick[pixel][lane], for all lanes of up to P bricks in a round.

        weights --> column 0 --> column 1 --> ...    an operand for each output channel, a column a cycle
                       ^            ^
        bricks --------+------------+---------       one a cycle, each into its pixel's column

    The brick of pixel k goes into column k % P; those of P pixels from a multiple of P on come in consecutive cycles,
    or fewer, and then nothing until the round is over: a cycle for each lane, and with `two_turns` another for each
    lane's second word of weights. Word n of the weights comes 1 + n cycles after the brick of the first of the pixels,
    and meets the next pixel's a cycle later.

    Members:
        brick, slot: all channels of a pixel and what they are for; `slot.address` is k.
        enable: low if `slot` is not for the array.
        weights: an operand for each output channel.
        round_last, two_turns: of the COMPUTE, steady; there only with rounds, and with two turns.
        drain_half, drain_core, drain_pixel: read by ACTIVATE.
        values: eight output channels' partial sums, `DRAIN_LATENCY` cycles later.
    """

    brick: Signal
    slot: data.View
    enable: Signal
    weights: Signal
    round_last: Signal
    two_turns: Signal
    drain_half: Signal
    drain_core: Signal
    drain_pixel: Signal
    values: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        super().__init__(
            {
                "brick": In(config.element_bits * config.brick_channels),
                "slot": In(window_slot_layout(config)),
                "enable": In(1),
                "weights": In(config.element_bits * config.channel_units),
                **({"round_last": In(7)} if config.has_rounds else {}),
                **({"two_turns": In(1)} if config.turns > 1 else {}),
                "drain_half": In(1),
                "drain_core": In(range(max(2, config.cores))),
                "drain_pixel": In(range(config.tile_pixels)),
                "values": Out(config.sum_bits * BRICK_CHANNELS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A chain of columns."""
        m = Module()
        config = self._config
        is_brick = Signal()
        m.d.comb += is_brick.eq(self.slot.accumulate & self.enable)
        place, line = self._divided(m, "filled", self.slot.address)
        drain_place, drain_line = self._divided(m, "drained", self.drain_pixel)
        cores = config.channel_units // BRICK_CHANNELS
        core_bits = (cores - 1).bit_length()
        drain_core = delayed(m, self.drain_core[: max(1, core_bits)], DRAIN_LATENCY, "drain_core")
        drain_column = delayed(m, drain_place, DRAIN_LATENCY, "drain_column")
        visit, weights = self._visit(m, is_brick & (place == 0), line), self.weights
        values = []
        for index in range(config.pixel_units):
            m.submodules[f"column_{index}"] = column = Column(config)
            m.d.comb += [
                column.brick.eq(self.brick),
                column.load.eq(is_brick & (place == index)),
                column.weights.eq(weights),
                column.visit.eq(visit),
                column.drain_half.eq(self.drain_half),
                column.drain_register.eq(drain_line),
                column.drain_core.eq(drain_core),
            ]
            if config.turns > 1:
                m.d.comb += column.drain_turn.eq(self.drain_core[core_bits])
            visit, weights = column.visit_out, column.weights_out
            values.append(column.values)
        m.d.comb += self.values.eq(Array(values)[drain_column])
        return m

    def _divided(self, m: Module, name: str, pixel: Value) -> tuple[Value, Value]:
        """Column and register of a pixel."""
        config = self._config
        if config.pixel_units & (config.pixel_units - 1) == 0:
            bits = (config.pixel_units - 1).bit_length()
            return pixel[:bits], pixel[bits:]
        m.submodules[name] = count = PlaceCount(config.pixel_units, config.tile_pixels)
        m.d.comb += count.number.eq(pixel)
        return count.place, count.line

    def _visit(self, m: Module, starts: Value, line: Value) -> data.View:
        """That of column 0: as long as lanes are left."""
        config = self._config
        visit = Signal(visit_layout(config))
        word = self.round_last.shape() if config.has_rounds else range(config.columns)
        lane = Signal(word)
        last = self.round_last if config.has_rounds else config.columns - 1
        stays = self._turns(m, visit, starts) if config.turns > 1 else 0
        m.d.sync += [
            visit.starts.eq(starts),
            visit.first.eq(Mux(starts, self.slot.first, visit.first & stays)),
            lane.eq(lane + 1),
        ]
        with m.If(starts):
            m.d.sync += [
                visit.valid.eq(1),
                visit.half.eq(self.slot.half),
                visit.register.eq(line),
                lane.eq(0),
            ]
        with m.Elif(lane == last):
            m.d.sync += visit.valid.eq(0)
        return visit

    def _turns(self, m: Module, visit: data.View, starts: Value) -> Value:
        """Turns of a lane; the result: the next visit is the same lane's."""
        second = Signal()
        m.d.comb += second.eq(self.two_turns & ~visit.turn & ~starts)
        m.d.sync += [visit.turn.eq(second), visit.moves.eq(~self.two_turns | second)]
        return second
