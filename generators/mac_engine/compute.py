"""COMPUTE: walks a command's loop nest and fills accumulator tiles for ACTIVATE."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from celosia.hdl.brick_buffer import GATHER_LATENCY, Gather, GatherPort

from ..chassis.counters import Cause
from ..chassis.destination_port import destination_write_signature
from .accumulator_port import ACCUMULATOR_READ_LATENCY, AccumulatorPort, AccumulatorReads
from .compute_constants import ComputeConstants
from .config import MacEngineConfig
from .core import ACCUMULATE_LATENCY, TOTAL_LATENCY, Core
from .isa import BANKS, BRICK_CHANNELS, COMPUTE, WEIGHT_WORD_BYTES, Mode
from .padding import PADDING_LATENCY, PaddingMask
from .pixel_walk import PixelWalk
from .step_walk import StepWalk
from .tile_halves import TileHalves
from .tile_walk import TileWalk
from .vector_unit import VECTOR_LATENCY, VectorUnit
from .weight_loader import WeightLoader, weight_word_layout
from .weight_store import WeightPort, WeightReads
from .window_slot import WINDOW

SETUP_CYCLES = 7
"""From the first cycle of a command to the earliest start of its first step, when the constants have settled."""

WINDOW_LATENCY = 1 + GATHER_LATENCY + 1
"""From the cycle that counts as a read to the window in front of the cores: address, buffer, padding."""

FILL_LATENCY = WINDOW_LATENCY + ACCUMULATE_LATENCY - 1
"""From a tile's last read to the first cycle in which it is `filled`; ACTIVATE's read takes one cycle to arrive."""

_WALK_DELAY = 3
_WEIGHT_DELAY = WINDOW_LATENCY - 2
"""A word is read so much later than the loader says that it arrives as the next step's first window leaves."""

_ONES = 1 | 1 << BRICK_CHANNELS * 8
"""A word of two outputs' weights: 1 in lane 0, 0 in the others."""

assert TOTAL_LATENCY == VECTOR_LATENCY + 1


class ComputeUnit(wiring.Component):
    """Executes COMPUTE commands, one at a time.

    One window is read in every cycle of a step; steps and tiles follow each other without a gap unless a step has
    fewer windows than two or than its weights have words, or a tile waits for an accumulator half.
    `compute_timing.ComputeTiming` says the cycles.

    Members:
        command: the payload is held until `ready`, which comes when the last tile is handed to ACTIVATE.
        table_writes: WEIGHTS' port, for the operand tables.
        gather: reads of the unified buffer.
        weights: reads of the weight store.
        accumulators: where ACTIVATE reads the tiles.
        cause: `Cause` of this cycle while a command is valid: ACTIVE for a read; IFM never.
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
        """Loops, windows, weights, cores."""
        m = Module()
        command = self.command.payload
        m.submodules.constants = constants = ComputeConstants(self._config)
        m.submodules.tile_walk = tile_walk = TileWalk()
        m.submodules.step_walk = step_walk = StepWalk()
        m.submodules.pixel_walk = pixel_walk = PixelWalk()
        m.submodules.weight_loader = loader = WeightLoader(self._config)
        m.submodules.halves = halves = TileHalves()
        m.d.comb += constants.command.eq(command)
        for part in (tile_walk, step_walk, pixel_walk, loader):
            m.d.comb += [part.command.eq(command), part.constants.eq(constants.constants)]
        wiring.connect(m, tile_walk.o, step_walk.i)
        wiring.connect(m, step_walk.o, pixel_walk.i)
        step = pixel_walk.i
        step_starts = step.valid & step.ready
        m.d.comb += [
            loader.step_taken.eq(step_starts),
            loader.step_ends_tile.eq(step.payload.last_of_tile),
            loader.step_ends_blocks.eq(step.payload.last_of_blocks),
            loader.step_is_last.eq(step.payload.last),
            pixel_walk.weights_ready.eq(loader.ready),
            pixel_walk.half_free.eq(halves.free),
            pixel_walk.half.eq(halves.fill_half),
            halves.take.eq(step_starts & step.payload.first_of_tile & ~command.accumulate),
            halves.leave.eq(step_starts & step.payload.last_of_tile & ~command.partial),
        ]
        slots = _delay_line(m, pixel_walk.slot, FILL_LATENCY - 1, "slot")
        done = slots[-1]
        m.d.comb += halves.hand_over.eq(done.hand_over)
        self._control(m, loader, tile_walk, done.complete)
        self._explain(m, pixel_walk, step_walk, loader, halves)
        window = self._read_window(m, pixel_walk, slots)
        self._compute(m, constants.constants, loader, window, slots[WINDOW_LATENCY], halves)
        return m

    def _control(self, m: Module, loader: WeightLoader, tile_walk: TileWalk, complete: Value) -> None:
        """Start the loops once per command; the command is complete a cycle after its last tile is."""
        running = Signal()
        starts = Signal(_WALK_DELAY)
        m.d.comb += [
            loader.start.eq(self.command.valid & ~running),
            tile_walk.start.eq(starts[-1]),
        ]
        m.d.sync += [
            starts.eq(Cat(loader.start, starts)),
            self.command.ready.eq(complete),
        ]
        with m.If(self.command.ready):
            m.d.sync += running.eq(0)
        with m.Elif(self.command.valid):
            m.d.sync += running.eq(1)

    def _explain(
        self, m: Module, pixel_walk: PixelWalk, step_walk: StepWalk, loader: WeightLoader, halves: TileHalves
    ) -> None:
        """Why there is no read is decided a cycle before, when none started."""
        step = step_walk.o
        reason = Signal(Shape.cast(Cause), init=Cause.DMA)
        m.d.sync += reason.eq(Cause.DMA)
        with m.If(step_walk.busy & ~loader.ready):
            m.d.sync += reason.eq(Cause.WEIGHTS)
        with m.Elif(step.valid & step.payload.first_of_tile & ~halves.free):
            m.d.sync += reason.eq(Cause.OFM)
        m.d.comb += self.cause.eq(Mux(pixel_walk.reading, Cause.ACTIVE, reason))

    def _read_window(self, m: Module, pixel_walk: PixelWalk, slots: list[data.View]) -> data.View:
        """Address the buffer, and put padding in place of what lies outside of the ifm."""
        command, read = self.command.payload, pixel_walk.read
        m.submodules.padding = padding = PaddingMask()
        m.d.comb += [
            padding.x.eq(read.x),
            padding.y.eq(read.y),
            padding.width.eq(command.ifm_width),
            padding.height.eq(command.ifm_height),
            padding.enable.eq(~pixel_walk.slot.second_operand),
            self.gather.count.eq(command.window),
        ]
        m.d.sync += [
            self.gather.enable.eq(pixel_walk.reading),
            self.gather.address.eq(read.row + read.column),
        ]
        masks = _delay_line(m, padding.padding, WINDOW_LATENCY - 1 - PADDING_LATENCY, "padding")
        window = Signal(WINDOW, reset_less=True)
        pad_brick = command.pad_value.as_unsigned().replicate(BRICK_CHANNELS)
        for brick in range(BANKS):
            m.d.sync += window[brick].eq(Mux(masks[-1][brick], pad_brick, self.gather.bricks[brick]))
        return window

    def _compute(
        self,
        m: Module,
        constants: data.View,
        loader: WeightLoader,
        window: data.View,
        slot: data.View,
        halves: TileHalves,
    ) -> None:
        command = self.command.payload
        m.submodules.vector_unit = vector_unit = VectorUnit(self._config)
        wiring.connect(m, wiring.flipped(self.table_writes), vector_unit.writes)
        m.d.comb += [
            vector_unit.brick.eq(window[0]),
            vector_unit.second_operand.eq(slot.second_operand),
            vector_unit.odd_block.eq(slot.odd_block),
            vector_unit.broadcast.eq(command.ifm2_broadcast_channels),
            vector_unit.multiply.eq(command.mode == Mode.MULTIPLY),
        ]
        word, enables = self._read_weights(m, loader)
        cores = []
        for index in range(self._config.cores):
            m.submodules[f"core_{index}"] = core = Core(self._config)
            cores.append(core)
            if index:
                pixel = index & ((1 << command.pixel_cores_log2) - 1)
                m.d.sync += core.offset.eq(_small_product(pixel, command.stride_x))
            else:
                m.d.comb += [core.use_vector.eq(constants.two_operands), core.vector.eq(vector_unit.result)]
            m.d.comb += [
                core.window.eq(window),
                core.slot.eq(slot),
                core.dilated.eq(command.dilation_x == 2),
                core.transposed.eq(constants.transposed),
                core.packed_channels.eq(command.packed_channels),
                core.maximum.eq(command.mode == Mode.MAXIMUM),
                core.weights.eq(word),
                core.weights_enable.eq(enables[index]),
                core.drain_half.eq(halves.drain_half),
                core.drain_address.eq(self.accumulators.address),
            ]
        core_read = _delay_line(m, self.accumulators.core, ACCUMULATOR_READ_LATENCY - 1, "core_read")[-1]
        m.d.sync += self.accumulators.values.eq(Array(core.values for core in cores)[core_read])
        m.d.comb += [
            self.accumulators.filled.eq(halves.filled),
            halves.drained.eq(self.accumulators.drained),
        ]

    def _read_weights(self, m: Module, loader: WeightLoader) -> tuple[Signal, list[Signal]]:
        """Words of the weight store, and for each core which part of its weights they are, if any."""
        command = self.command.payload
        read = Signal(
            data.StructLayout(
                {
                    "address": loader.address.shape(),
                    "word": weight_word_layout(self._config),
                    "reading": 1,
                    "ones": 1,
                }
            )
        )
        m.d.comb += [
            read.address.eq(loader.address),
            read.word.eq(loader.word),
            read.reading.eq(loader.reading),
            read.ones.eq(loader.ones),
        ]
        *_, asked, answered = _delay_line(m, read, _WEIGHT_DELAY + 1, "weights")
        word = Signal(WEIGHT_WORD_BYTES * 8, reset_less=True)
        m.d.comb += self.weights.address.eq(asked.address)
        m.d.sync += word.eq(Mux(answered.ones, _ONES, self.weights.data))
        enables = []
        for index in range(self._config.cores):
            block = Signal.like(answered.word.block, name=f"block_{index}")
            enable = Signal(self._config.block_words, name=f"weights_enable_{index}")
            if index:
                m.d.sync += block.eq(index >> command.pixel_cores_log2)
            wanted = answered.reading & (answered.word.block == block)
            m.d.sync += enable.eq(Mux(answered.ones, -1, Mux(wanted, 1 << answered.word.part, 0)))
            enables.append(enable)
        return word, enables


def _small_product(factor: Value, stride: Value) -> Value:
    """`factor` times 0..3, without a multiplier."""
    return Mux(stride[0], factor, 0) + (Mux(stride[1], factor, 0) << 1)


def _delay_line(m: Module, signal: Any, cycles: int, name: str) -> list[Any]:
    """`signal`, and `signal` 1, 2, .. `cycles` cycles later."""
    stages: list[Any] = [signal]
    for cycle in range(1, cycles + 1):
        stage = Signal(signal.shape(), name=f"{name}_{cycle}")
        m.d.sync += stage.eq(stages[-1])
        stages.append(stage)
    return stages
