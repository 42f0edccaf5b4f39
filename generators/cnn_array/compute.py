"""COMPUTE: walks a command's loop nest, streams bricks through the array and fills accumulator tiles for ACTIVATE."""

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.counters import Cause
from ..chassis.destination_port import destination_write_signature, narrow_write
from ..chassis.tiles.accumulator_port import AccumulatorPort, AccumulatorReads
from ..chassis.tiles.brick_reader import BRICK_LATENCY, BrickReader
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.loop_sequencer import LoopSequencer
from ..chassis.tiles.tile_halves import TileHalves
from ..chassis.tiles.tiling import reads_weights
from .accumulate import WEIGHTS_DELAY, Accumulate, done_latency
from .config import CnnArrayConfig
from .kernel_buffers import KERNEL_READ_LATENCY, KernelBuffers
from .kernel_walk import KernelWalk
from .round_walk import RoundWalk
from .tap_reader import TapReader, neighbour_members

_ADDRESS_DELAY = BRICK_LATENCY + WEIGHTS_DELAY - KERNEL_READ_LATENCY
"""From a read to that of its weights, which come when its brick is in the array."""


def fill_latency(config: CnnArrayConfig, mode: Mode, round_cycles: int) -> int:
    """From a tile's last read to the first cycle in which it is `filled`, with rounds of so many cycles."""
    return BRICK_LATENCY + done_latency(config, round_cycles if reads_weights(mode) else 0) + 1


class ComputeUnit(wiring.Component):
    """Executes COMPUTE commands, one at a time.

        command --> loop sequencer --> brick reader --> array --> partial sums
                         |                               ^
                         +----------> kernel buffers ----+

    A step is made of rounds, in each of which a brick a cycle is read for each of the pixels at once; steps and tiles
    follow each other without a gap unless a tile waits for an accumulator half. `compute_timing.ComputeTiming` says
    the cycles.

    Members:
        command: the payload is held until `ready`, which comes when the last tile is handed to ACTIVATE.
        writes: WEIGHTS' port, for kernel buffers and operand tables.
        brick_enable, brick_address, brick: reads of the unified buffer.
        brick_count, neighbours: of bricks of one read, less one, and those after the first; there only with taps.
        accumulators: where ACTIVATE reads the tiles.
        cause: see `LoopSequencer`; ACTIVE also while the array works on what was read.
    """

    command: stream.Interface
    writes: stream.Interface
    brick_enable: Signal
    brick_address: Signal
    brick: Signal
    brick_count: Signal
    neighbours: Signal
    accumulators: AccumulatorReads
    cause: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(stream.Signature(config.compute.struct())),
                "writes": In(destination_write_signature(config.data_bits)),
                "brick_enable": Out(1),
                "brick_address": Out(16),
                "brick": In(8 * config.brick_bytes),
                **(neighbour_members(config) if config.taps > 1 else {}),
                "accumulators": Out(AccumulatorPort(config)),
                "cause": Out(Shape.cast(Cause)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Parts in the order of the drawing, then who has which accumulator half."""
        m = Module()
        config = self._config
        walk = RoundWalk(config) if config.has_rounds else KernelWalk(config)
        m.submodules.sequencer = sequencer = LoopSequencer(config, walk)
        m.submodules.reader = reader = BrickReader(config) if config.taps == 1 else TapReader(config)
        m.submodules.kernel_buffers = kernel_buffers = KernelBuffers(config)
        m.submodules.accumulate = accumulate = Accumulate(config)
        m.submodules.halves = halves = TileHalves()
        for part in (sequencer, reader, accumulate):
            m.d.comb += part.command.eq(self.command.payload)
        for memory in (accumulate.table_writes, kernel_buffers.writes):
            narrow_write(m, self.writes, memory)
        if isinstance(reader, TapReader):
            m.d.comb += [self.brick_count.eq(reader.count), reader.neighbours.eq(self.neighbours)]
        kernel_read = sequencer.weight_read
        m.d.comb += [
            kernel_buffers.address.eq(delayed(m, kernel_read.address, _ADDRESS_DELAY, "kernel_address")),
            reader.reading.eq(sequencer.reading),
            reader.read.eq(sequencer.read),
            reader.slot.eq(sequencer.slot),
            self.brick_enable.eq(reader.enable),
            self.brick_address.eq(reader.address),
            reader.stored.eq(self.brick),
            accumulate.constants.eq(sequencer.constants),
            accumulate.brick.eq(reader.brick),
            accumulate.slot.eq(reader.brick_slot),
            accumulate.weights.eq(kernel_buffers.word),
            *([accumulate.array_ends.eq(kernel_read.ends)] if config.has_rounds else []),
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
            accumulate.drain_pixel.eq(self.accumulators.address),
            self.accumulators.filled.eq(halves.filled),
            self.accumulators.values.eq(accumulate.values),
            self.cause.eq(sequencer.cause),
        ]
        with m.If(kernel_read.reading & sequencer.constants.reads_weights):
            m.d.comb += self.cause.eq(Cause.ACTIVE)
        running = Signal()
        m.d.comb += sequencer.start.eq(self.command.valid & ~running)
        m.d.sync += self.command.ready.eq(accumulate.complete)
        with m.If(self.command.ready):
            m.d.sync += running.eq(0)
        with m.Elif(self.command.valid):
            m.d.sync += running.eq(1)
        return m
