"""Takes the tile of the next step out of the weight FIFO while the step before it runs."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.tiles.weight_loading import weight_loading_members
from .config import SystolicConfig

ROW_READ = data.StructLayout({"take": unsigned(1), "low_bytes": unsigned(1)})


class WeightLoader(wiring.Component):
    """R rows a step, in R cycles from when all of them are there.

    The first step's rows are taken from the cycle after `start` on, those of the next from the cycle after a step
    started: the array has then switched to the tile before by the time that they come. Modes without weights wait as
    long and take nothing: an accumulator is visited once in R cycles at most.

    Members: see `chassis.tiles.weight_loading.WeightLoading`; `step_ends` is of no use here.
        read: `take` a row; whether it has `low_bytes` of int16, which are unsigned.
        available: see `WeightFifo`.
        shifting: a row is taken.
    """

    command: data.View
    constants: data.View
    start: Signal
    step_taken: Signal
    step_ends_tile: Signal
    step_ends_blocks: Signal
    step_is_last: Signal
    step_ends: Signal
    read: data.View
    ready: Signal
    coming: Signal
    available: Signal
    shifting: Signal

    def __init__(self, config: SystolicConfig) -> None:
        self._config = config
        super().__init__(
            {
                **weight_loading_members(config, ROW_READ),
                "available": In(1),
                "shifting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The next step may start in the cycle in which the last row is taken, which is certain from the first on."""
        m = Module()
        loading = Signal()
        rows_left = Signal(range(self._config.rows))
        reads_weights = self.constants.reads_weights
        moves, is_first = Signal(), Signal()
        m.d.comb += [
            is_first.eq(rows_left == self._config.rows - 1),
            moves.eq(loading & (~reads_weights | ~is_first | self.available)),
            self.shifting.eq(moves & reads_weights),
            self.read.take.eq(self.shifting),
            self.coming.eq(Mux(loading, moves & (rows_left <= 1), self.ready)),
        ]
        m.d.sync += self.ready.eq(self.coming)
        with m.If(moves):
            m.d.sync += [rows_left.eq(rows_left - 1), loading.eq(rows_left != 0)]
        if self._config.int16:
            low_bytes = self.read.low_bytes
            with m.If(self.start):
                m.d.sync += low_bytes.eq(0)
            with m.Elif(self.step_taken):
                m.d.sync += low_bytes.eq(self.command.weights_int16 & ~low_bytes)
        with m.If(self.start | self.step_taken):
            m.d.sync += [
                rows_left.eq(self._config.rows - 1),
                loading.eq(self.start | ~self.step_is_last),
                self.ready.eq(0),
            ]
        return m
