"""The cores side by side, with the vector unit and the way out of their accumulators."""

from amaranth.hdl import Array, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.destination_port import destination_write_signature
from ..chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY
from ..chassis.tiles.compute_constants import constants_layout
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.vector_unit import VECTOR_LATENCY, VectorUnit
from ..chassis.tiles.window_slot import WINDOW, window_slot_layout
from .config import MacEngineConfig
from .core import ACCUMULATE_LATENCY, TOTAL_LATENCY, Core
from .isa import COMPUTE, TILE_PIXELS, WEIGHT_WORD_BYTES, Mode

DONE_LATENCY = ACCUMULATE_LATENCY - 2
"""Cycles from a window until its accumulators may be asked for in the next one."""

assert TOTAL_LATENCY == VECTOR_LATENCY + 1


class CoreArray(wiring.Component):
    """Every core gets the same window; core c works on pixel c % P and output block c // P.

    Members:
        command, constants: held from the first window to the last one's `done`.
        window, slot: eight bricks and what they are for.
        weights, weights_enables: see `WeightFeed`.
        table_writes: WEIGHTS' port, for the operand tables.
        done: the slot, `DONE_LATENCY` cycles later.
        drain_half, drain_core, drain_address: read by ACTIVATE.
        values: that core's accumulators, `ACCUMULATOR_READ_LATENCY` cycles later.
    """

    command: data.View
    constants: data.View
    window: data.View
    slot: data.View
    weights: Signal
    weights_enables: data.View
    table_writes: stream.Interface
    done: data.View
    drain_half: Signal
    drain_core: Signal
    drain_address: Signal
    values: data.View

    def __init__(self, config: MacEngineConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(COMPUTE.struct()),
                "constants": In(constants_layout(config)),
                "window": In(WINDOW),
                "slot": In(window_slot_layout(config)),
                "weights": In(WEIGHT_WORD_BYTES * 8),
                "weights_enables": In(data.ArrayLayout(config.block_words, config.cores)),
                "table_writes": In(destination_write_signature()),
                "done": Out(window_slot_layout(config)),
                "drain_half": In(1),
                "drain_core": In(range(max(2, config.cores))),
                "drain_address": In(range(TILE_PIXELS)),
                "values": Out(data.ArrayLayout(signed(32), config.core_outputs)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Only core 0 accumulates what the vector unit computes."""
        m = Module()
        m.submodules.vector_unit = vector_unit = VectorUnit(self._config)
        wiring.connect(m, wiring.flipped(self.table_writes), vector_unit.writes)
        m.d.comb += [
            vector_unit.brick.eq(self.window[0]),
            vector_unit.second_operand.eq(self.slot.second_operand),
            vector_unit.odd_block.eq(self.slot.odd_block),
            vector_unit.broadcast.eq(self.command.ifm2_broadcast_channels),
            vector_unit.multiply.eq(self.command.mode == Mode.MULTIPLY),
            self.done.eq(delayed(m, self.slot, DONE_LATENCY, "slot")),
        ]
        cores = [self._core(m, index) for index in range(self._config.cores)]
        m.d.comb += [
            cores[0].use_vector.eq(self.constants.two_operands),
            cores[0].vector.eq(vector_unit.result),
        ]
        drain_core = delayed(m, self.drain_core, ACCUMULATOR_READ_LATENCY - 1, "drain_core")
        m.d.sync += self.values.eq(Array(core.values for core in cores)[drain_core])
        return m

    def _core(self, m: Module, index: int) -> Core:
        m.submodules[f"core_{index}"] = core = Core(self._config)
        if index:
            pixel = index & ((1 << self.command.pixel_cores_log2) - 1)
            m.d.sync += core.offset.eq(_small_product(pixel, self.command.stride_x))
        m.d.comb += [
            core.window.eq(self.window),
            core.slot.eq(self.slot),
            core.dilated.eq(self.command.dilation_x == 2),
            core.transposed.eq(self.constants.transposed),
            core.packed_channels.eq(self.command.packed_channels),
            core.maximum.eq(self.command.mode == Mode.MAXIMUM),
            core.weights.eq(self.weights),
            core.weights_enable.eq(self.weights_enables[index]),
            core.drain_half.eq(self.drain_half),
            core.drain_address.eq(self.drain_address),
        ]
        return core


def _small_product(factor: Value, stride: Value) -> Value:
    """`factor` times 0..3, without a multiplier."""
    return Mux(stride[0], factor, 0) + (Mux(stride[1], factor, 0) << 1)
