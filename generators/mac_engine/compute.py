"""COMPUTE: walks a command's loop nest and fills accumulator tiles for ACTIVATE."""

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.brick_buffer import Gather, GatherPort
from ..chassis.counters import Cause
from ..chassis.destination_port import destination_write_signature
from ..chassis.tiles.accumulator_port import FREEING_CYCLES, AccumulatorPort, AccumulatorReads
from ..chassis.tiles.loop_sequencer import LoopSequencer
from ..chassis.tiles.tile_halves import TileHalves
from .config import MacEngineConfig
from .core_array import DONE_LATENCY, CoreArray
from .isa import COMPUTE
from .weight_feed import WeightFeed
from .weight_loader import WeightLoader
from .weight_store import WeightPort, WeightReads
from .window_reader import WINDOW_LATENCY, WindowReader

FILL_LATENCY = WINDOW_LATENCY + DONE_LATENCY + 1
"""From a tile's last read to the first cycle in which it is `filled`."""

# The next tile reads two cycles after `freeing`, and claims an accumulator 3 cycles before that would be filled.
assert FREEING_CYCLES < 2 + FILL_LATENCY - 3


class ComputeUnit(wiring.Component):
    """Executes COMPUTE commands, one at a time.

        command --> loop sequencer --> window reader --> cores --> accumulators
                         |                                ^
                         +----------> weight feed --------+

    One window is read in every cycle of a step; steps and tiles follow each other without a gap unless a step has
    fewer windows than two or than its weights have words, or a tile waits for an accumulator half.
    `compute_timing.ComputeTiming` says the cycles.

    Members:
        command: the payload is held until `ready`, which comes when the last tile is handed to ACTIVATE.
        table_writes: WEIGHTS' port, for the operand tables.
        gather: reads of the unified buffer.
        weights: reads of the weight store.
        accumulators: where ACTIVATE reads the tiles.
        cause: see `LoopSequencer`.
    """

    command: stream.Interface
    table_writes: stream.Interface
    gather: Gather
    weights: WeightReads
    accumulators: AccumulatorReads
    cause: Signal

    def __init__(self, config: MacEngineConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(stream.Signature(COMPUTE.struct())),
                "table_writes": In(destination_write_signature()),
                "gather": Out(GatherPort()),
                "weights": Out(WeightPort(config)),
                "accumulators": Out(AccumulatorPort(config)),
                "cause": Out(Shape.cast(Cause)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Parts in the order of the drawing, then who has which accumulator half."""
        m = Module()
        m.submodules.sequencer = sequencer = LoopSequencer(self._config, WeightLoader(self._config))
        m.submodules.reader = reader = WindowReader(self._config)
        m.submodules.weight_feed = weight_feed = WeightFeed(self._config)
        m.submodules.cores = cores = CoreArray(self._config)
        m.submodules.halves = halves = TileHalves()
        for part in (sequencer, reader, weight_feed, cores):
            m.d.comb += part.command.eq(self.command.payload)
        wiring.connect(m, reader.gather, wiring.flipped(self.gather))
        wiring.connect(m, weight_feed.weights, wiring.flipped(self.weights))
        wiring.connect(m, wiring.flipped(self.table_writes), cores.table_writes)
        m.d.comb += [
            reader.reading.eq(sequencer.reading),
            reader.read.eq(sequencer.read),
            reader.slot.eq(sequencer.slot),
            weight_feed.read.eq(sequencer.weight_read),
            cores.constants.eq(sequencer.constants),
            cores.window.eq(reader.window),
            cores.slot.eq(reader.window_slot),
            cores.weights.eq(weight_feed.word),
            cores.weights_enables.eq(weight_feed.enables),
            self.cause.eq(sequencer.cause),
        ]
        m.d.comb += [
            halves.take.eq(sequencer.tile_starts),
            halves.leave.eq(sequencer.tile_ends),
            halves.hand_over.eq(cores.done.hand_over),
            halves.drained.eq(self.accumulators.drained),
            halves.freeing.eq(self.accumulators.freeing),
            sequencer.half_free.eq(halves.free),
            sequencer.half_freeing.eq(self.accumulators.freeing),
            sequencer.half.eq(halves.fill_half),
            cores.drain_half.eq(halves.drain_half),
            cores.drain_core.eq(self.accumulators.core),
            cores.drain_address.eq(self.accumulators.address),
            self.accumulators.filled.eq(halves.filled),
            self.accumulators.values.eq(cores.values),
        ]
        running = Signal()
        m.d.comb += sequencer.start.eq(self.command.valid & ~running)
        m.d.sync += self.command.ready.eq(cores.done.complete)
        with m.If(self.command.ready):
            m.d.sync += running.eq(0)
        with m.Elif(self.command.valid):
            m.d.sync += running.eq(1)
        return m
