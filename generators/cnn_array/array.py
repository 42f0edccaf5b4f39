"""The array: columns side by side, through which weights pass."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.tiles.commands import BRICK_CHANNELS
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.window_slot import window_slot_layout
from .config import CnnArrayConfig
from .functional_unit import DRAIN_LATENCY, UNIT_LATENCY, Column, visit_layout


def brick_cycles(config: CnnArrayConfig) -> int:
    """Cycles from a brick until the partial sums of its pixel have all of its lanes."""
    return config.columns + UNIT_LATENCY


class CnnArray(wiring.Component):
    """sums[row][pixel] += weight[row][lane] * brick[pixel][lane], for all lanes of up to C bricks in C cycles.

        weights --> column 0 --> column 1 --> ...    an operand for each row, a column a cycle
                       ^            ^
        bricks --------+------------+---------       one a cycle, each into its pixel's column

    The brick of pixel k goes into column k % C; those of C pixels from a multiple of C on come in consecutive cycles,
    or fewer, and then nothing until the C cycles are over. The weights of lane l come 1 + l cycles after the brick
    of the first of them, and meet the next pixel's a cycle later.

    Members:
        brick, slot: all channels of a pixel and what they are for; `slot.address` is k.
        enable: low if `slot` is not for the array.
        weights: an operand for each row.
        drain_half, drain_core, drain_pixel: read by ACTIVATE.
        values: eight rows' partial sums, `DRAIN_LATENCY` cycles later.
    """

    brick: Signal
    slot: data.View
    enable: Signal
    weights: Signal
    drain_half: Signal
    drain_core: Signal
    drain_pixel: Signal
    values: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        super().__init__(
            {
                "brick": In(config.element_bits * config.columns),
                "slot": In(window_slot_layout(config)),
                "enable": In(1),
                "weights": In(config.element_bits * config.rows),
                "drain_half": In(1),
                "drain_core": In(range(max(2, config.cores))),
                "drain_pixel": In(range(config.tile_pixels)),
                "values": Out(config.sum_bits * BRICK_CHANNELS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A chain of columns."""
        m = Module()
        column_bits = (self._config.columns - 1).bit_length()
        is_brick, place = Signal(), self.slot.address[:column_bits]
        m.d.comb += is_brick.eq(self.slot.accumulate & self.enable)
        drain_core = delayed(m, self.drain_core, DRAIN_LATENCY, "drain_core")
        drain_column = delayed(m, self.drain_pixel[:column_bits], DRAIN_LATENCY, "drain_column")
        visit, weights = self._visit(m, is_brick & (place == 0)), self.weights
        values = []
        for index in range(self._config.columns):
            m.submodules[f"column_{index}"] = column = Column(self._config)
            m.d.comb += [
                column.brick.eq(self.brick),
                column.load.eq(is_brick & (place == index)),
                column.weights.eq(weights),
                column.visit.eq(visit),
                column.drain_half.eq(self.drain_half),
                column.drain_register.eq(self.drain_pixel[column_bits:]),
                column.drain_core.eq(drain_core),
            ]
            visit, weights = column.visit_out, column.weights_out
            values.append(column.values)
        m.d.comb += self.values.eq(Array(values)[drain_column])
        return m

    def _visit(self, m: Module, starts: Signal) -> data.View:
        """That of column 0: as long as lanes are left."""
        visit = Signal(visit_layout(self._config))
        lane = Signal(range(self._config.columns))
        m.d.sync += [visit.starts.eq(starts), visit.first.eq(starts & self.slot.first), lane.eq(lane + 1)]
        with m.If(starts):
            m.d.sync += [
                visit.valid.eq(1),
                visit.half.eq(self.slot.half),
                visit.register.eq(self.slot.address[(self._config.columns - 1).bit_length() :]),
                lane.eq(0),
            ]
        with m.Elif(lane == self._config.columns - 1):
            m.d.sync += visit.valid.eq(0)
        return visit
