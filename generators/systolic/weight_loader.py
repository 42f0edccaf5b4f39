"""Takes the tile of the next step out of the weight FIFO while the step before it runs."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.tiles.compute_constants import constants_layout
from .config import SystolicConfig

ROW_READ = data.StructLayout({"take": unsigned(1)})


class WeightLoader(wiring.Component):
    """R rows a step, a row a cycle while there are any.

    The first step's rows are taken from the cycle after `start` on, those of the next from the cycle after a step
    started: the array has then switched to the tile before by the time that they come. Modes without weights wait as
    long and take nothing: an accumulator is visited once in R cycles at most.

    Members: see `chassis.tiles.weight_loading.WeightLoading`.
        read: `take` a row.
        available, several: see `WeightFifo`.
    """

    command: data.View
    constants: data.View
    start: Signal
    step_taken: Signal
    step_ends_tile: Signal
    step_ends_blocks: Signal
    step_is_last: Signal
    read: data.View
    ready: Signal
    coming: Signal
    available: Signal
    several: Signal

    def __init__(self, config: SystolicConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "constants": In(constants_layout(config)),
                "start": In(1),
                "step_taken": In(1),
                "step_ends_tile": In(1),
                "step_ends_blocks": In(1),
                "step_is_last": In(1),
                "read": Out(ROW_READ),
                "ready": Out(1),
                "coming": Out(1),
                "available": In(1),
                "several": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The next step may start in the cycle in which the last row is taken, if that is certain a cycle before."""
        m = Module()
        loading = Signal()
        rows_left = Signal(range(self._config.rows))
        reads_weights = self.constants.reads_weights
        moves, certain = Signal(), Signal()
        m.d.comb += [
            moves.eq(loading & (~reads_weights | self.available)),
            certain.eq(~reads_weights | self.several),
            self.read.take.eq(loading & reads_weights & self.available),
            self.coming.eq(
                Mux(loading, moves & ((rows_left == 0) | ((rows_left == 1) & certain)), self.ready)
            ),
        ]
        m.d.sync += self.ready.eq(self.coming)
        with m.If(moves):
            m.d.sync += [rows_left.eq(rows_left - 1), loading.eq(rows_left != 0)]
        with m.If(self.start | self.step_taken):
            m.d.sync += [
                rows_left.eq(self._config.rows - 1),
                loading.eq(self.start | ~self.step_is_last),
                self.ready.eq(0),
            ]
        return m
