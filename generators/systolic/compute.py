"""COMPUTE: walks a command's loop nest, streams bricks through the array and fills accumulator tiles for ACTIVATE."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.counters import Cause, cause_shape
from ..chassis.decoder_port import DecoderPort, DecoderSignature
from ..chassis.destination_port import destination_write_signature
from ..chassis.tiles.accumulator_port import FREEING_CYCLES, AccumulatorPort, AccumulatorReads
from ..chassis.tiles.brick_reader import BRICK_LATENCY, BrickReader
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.loop_sequencer import LoopSequencer
from ..chassis.tiles.tile_halves import TileHalves
from ..chassis.tiles.tiling import reads_weights
from .accumulate import DONE_CYCLES, Accumulate, array_visit
from .config import SystolicConfig
from .counters import COUNTERS, SHIFT_CAUSE, VECTOR_CAUSE
from .isa import WEIGHTS
from .timing_constants import VECTOR_VISIT
from .useful_macs import UsefulMacs
from .weight_fifo import WeightFifo
from .weight_loader import WeightLoader


def fill_latency(config: SystolicConfig, mode: Mode) -> int:
    """From a tile's last read to the first cycle in which it is `filled`."""
    visit = array_visit(config) if reads_weights(mode) else VECTOR_VISIT
    return BRICK_LATENCY + visit + DONE_CYCLES + 1


# The next tile reads two cycles after `freeing`, and its first visit must find the last drain gone.
assert FREEING_CYCLES < 2 + BRICK_LATENCY + VECTOR_VISIT


class ComputeUnit(wiring.Component):
    """Executes COMPUTE commands, one at a time.

        command --> loop sequencer --> brick reader --> array --> accumulators
                         |                               ^
        weight FIFO -----+-------------------------------+

    One brick is read in every cycle of a step; steps and tiles follow each other without a gap unless a step has
    fewer bricks than the array has rows, or its weights are not there, or a tile waits for an accumulator half.
    `compute_timing.ComputeTiming` says the cycles.

    Members:
        command: the payload is held until `ready`, which comes when the last tile is handed to ACTIVATE.
        table_writes: WEIGHTS' port, for the operand tables.
        weights: of the weight FIFO.
        brick_enable, brick_address, brick: reads of the unified buffer.
        accumulators: where ACTIVATE reads the tiles.
        cause: see `LoopSequencer`; behind its values those of `COUNTERS`.
        useful_macs: of this cycle.
    """

    command: stream.Interface
    table_writes: stream.Interface
    weights: DecoderPort
    brick_enable: Signal
    brick_address: Signal
    brick: Signal
    accumulators: AccumulatorReads
    cause: Signal
    useful_macs: Signal

    def __init__(self, config: SystolicConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(stream.Signature(config.compute.struct())),
                "table_writes": In(destination_write_signature()),
                "weights": In(DecoderSignature(WEIGHTS, config.weight_bits)),
                "brick_enable": Out(1),
                "brick_address": Out(16),
                "brick": In(8 * config.rows),
                "accumulators": Out(AccumulatorPort(config)),
                "cause": Out(cause_shape(COUNTERS)),
                "useful_macs": Out(range(config.peak_macs + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Parts in the order of the drawing, then who has which accumulator half."""
        m = Module()
        config = self._config
        loader = WeightLoader(config)
        m.submodules.sequencer = sequencer = LoopSequencer(config, loader)
        m.submodules.reader = reader = BrickReader(config)
        m.submodules.fifo = fifo = WeightFifo(config)
        m.submodules.accumulate = accumulate = Accumulate(config)
        m.submodules.useful = useful = UsefulMacs(config)
        m.submodules.halves = halves = TileHalves()
        for part in (sequencer, reader, accumulate):
            m.d.comb += part.command.eq(self.command.payload)
        wiring.connect(m, wiring.flipped(self.table_writes), accumulate.table_writes)
        wiring.connect(m, wiring.flipped(self.weights), fifo.port)
        m.d.comb += [
            loader.available.eq(fifo.available),
            fifo.take.eq(sequencer.weight_read.take),
            fifo.take_low.eq(sequencer.weight_read.low_bytes),
            reader.reading.eq(sequencer.reading),
            reader.read.eq(sequencer.read),
            reader.slot.eq(sequencer.slot),
            self.brick_enable.eq(reader.enable),
            self.brick_address.eq(reader.address),
            reader.stored.eq(self.brick),
            accumulate.constants.eq(sequencer.constants),
            accumulate.brick.eq(reader.brick),
            accumulate.slot.eq(reader.brick_slot),
            accumulate.row.eq(fifo.row),
            accumulate.row_valid.eq(fifo.row_valid),
            accumulate.row_low.eq(fifo.row_low),
        ]
        m.d.comb += [
            halves.take.eq(sequencer.tile_starts),
            halves.leave.eq(sequencer.tile_ends),
            halves.hand_over.eq(accumulate.hand_over),
            halves.drained.eq(self.accumulators.drained),
            halves.freeing.eq(self.accumulators.freeing),
            sequencer.half_free.eq(halves.free),
            sequencer.half_freeing.eq(self.accumulators.freeing),
            sequencer.half.eq(halves.fill_half),
            accumulate.drain_half.eq(halves.drain_half),
            accumulate.drain_core.eq(self.accumulators.core),
            accumulate.drain_address.eq(self.accumulators.address),
            self.accumulators.filled.eq(halves.filled),
            self.accumulators.values.eq(accumulate.values),
        ]
        # Why there is no read was decided a cycle ago.
        shifted = Signal()
        m.d.sync += shifted.eq(loader.shifting)
        m.d.comb += self.cause.eq(sequencer.cause)
        with m.If((sequencer.cause == Cause.WEIGHTS) & shifted):
            m.d.comb += self.cause.eq(SHIFT_CAUSE)
        with m.Elif((sequencer.cause == Cause.ACTIVE) & ~sequencer.constants.reads_weights):
            m.d.comb += self.cause.eq(VECTOR_CAUSE)
        m.d.comb += [
            useful.command.eq(self.command.payload),
            useful.start.eq(sequencer.start),
            useful.step_starts.eq(loader.step_taken),
            useful.step_ends_blocks.eq(loader.step_ends_blocks),
            useful.reading.eq(sequencer.reading & sequencer.constants.reads_weights),
            self.useful_macs.eq(useful.amount),
        ]
        running = Signal()
        m.d.comb += sequencer.start.eq(self.command.valid & ~running)
        m.d.sync += self.command.ready.eq(accumulate.complete)
        with m.If(self.command.ready):
            m.d.sync += running.eq(0)
        with m.Elif(self.command.valid):
            m.d.sync += running.eq(1)
        return m
