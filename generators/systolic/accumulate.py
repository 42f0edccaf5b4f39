"""From bricks and weights to accumulators: the array, the vector unit beside it, the accumulator memory."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.destination_port import destination_write_signature
from ..chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.compute_constants import constants_layout
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.tile_memory import TOTALS_DELAY, visit_layout
from ..chassis.tiles.vector_path import VectorPath
from ..chassis.tiles.vector_unit import VECTOR_LATENCY
from ..chassis.tiles.window_slot import window_slot_layout
from .accumulators import COLUMNS, Accumulators
from .array import SystolicArray, column_latency
from .config import SystolicConfig
from .skew import Delay
from .timing_constants import VECTOR_VISIT

DONE_CYCLES = 2
"""Cycles from a visit until its accumulators may be asked for in the next one."""

_FLAGS = ("accumulate", "hand_over", "complete")


def first_visit(config: SystolicConfig) -> int:
    """Cycles from a brick to the visit of the accumulators of the first eight columns, through the array."""
    return column_latency(config) + COLUMNS - 1 - TOTALS_DELAY


def array_visit(config: SystolicConfig) -> int:
    """Cycles from a brick to the visit of the last eight columns' accumulators."""
    return first_visit(config) + config.columns - COLUMNS


class Accumulate(wiring.Component):
    """Products of the array, or what the vector unit computes of eight channels, into the accumulators.

    Members:
        command, constants: held from the first brick to the last one's `done`.
        brick, slot: R channels and what they are for.
        row, row_valid, row_low: of weights; whether they are unsigned, the low bytes of int16.
        table_writes: WEIGHTS' port, for the operand tables.
        hand_over, complete: the tile, the command is complete; `DONE_CYCLES` after the last visit.
        drain_half, drain_core, drain_address: read by ACTIVATE.
        values: those eight columns' accumulators, `ACCUMULATOR_READ_LATENCY` cycles later.
    """

    command: data.View
    constants: data.View
    brick: Signal
    slot: data.View
    row: Signal
    row_valid: Signal
    row_low: Signal
    table_writes: stream.Interface
    hand_over: Signal
    complete: Signal
    drain_half: Signal
    drain_core: Signal
    drain_address: Signal
    values: data.View

    def __init__(self, config: SystolicConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "constants": In(constants_layout(config)),
                "brick": In(8 * config.rows),
                "slot": In(window_slot_layout(config)),
                "row": In(8 * config.columns),
                "row_valid": In(1),
                "row_low": In(1),
                "table_writes": In(destination_write_signature()),
                "hand_over": Out(1),
                "complete": Out(1),
                "drain_half": In(1),
                "drain_core": In(range(max(2, config.cores))),
                "drain_address": In(range(config.tile_pixels)),
                "values": Out(data.ArrayLayout(signed(32), COLUMNS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Only the first eight columns accumulate what the vector unit computes."""
        m = Module()
        config = self._config
        uses_array = self.constants.reads_weights
        m.submodules.array = array = SystolicArray(config)
        m.d.comb += [
            array.activations.eq(self.brick),
            array.switch.eq(self.slot.accumulate & self.slot.new_weights & uses_array),
            array.weights.eq(self.row),
            array.weights_valid.eq(self.row_valid),
            array.weights_unsigned.eq(self.row_low),
        ]
        if config.int16:
            m.d.comb += array.activations_unsigned.eq(self.slot.low_bytes)
        vector = self._vector(m)
        visit = self._visit(m, uses_array)
        cores: list[Accumulators] = []
        for index in range(config.cores):
            m.submodules[f"accumulators_{index}"] = core = Accumulators(config)
            m.d.comb += [
                core.visit.eq(cores[-1].visit_out if index else visit),
                core.sums.eq(array.sums.word_select(index, 32 * COLUMNS)),
                core.vector.eq(0 if index else vector),
                core.uses_vector.eq(0 if index else ~uses_array),
                core.maximum.eq(self.command.mode == Mode.MAXIMUM if index == 0 else 0),
                core.drain_half.eq(self.drain_half),
                core.drain_address.eq(self.drain_address),
            ]
            cores.append(core)
        drain_core = delayed(m, self.drain_core, ACCUMULATOR_READ_LATENCY - 1, "drain_core")
        m.d.sync += self.values.eq(Array(core.values.as_value() for core in cores)[drain_core])
        return m

    def _vector(self, m: Module) -> Value:
        """Eight channels of the brick: combined with the second operand's, or as they are."""
        m.submodules.vector_path = path = VectorPath(self._config)
        wiring.connect(m, wiring.flipped(self.table_writes), path.writes)
        m.d.comb += [
            path.command.eq(self.command),
            path.constants.eq(self.constants),
            path.brick.eq(self.brick),
            path.slot.eq(self.slot),
        ]
        result = path.result.as_value()
        return delayed(m, result, VECTOR_VISIT + TOTALS_DELAY - VECTOR_LATENCY, "vector")

    def _visit(self, m: Module, uses_array: Value) -> data.View:
        """The slot as a visit of the first columns, later by the way that the results take; what is done with it."""
        first, through_array = first_visit(self._config), array_visit(self._config)
        place = Cat(self.slot.first, self.slot.half, self.slot.address)
        near = delayed(m, place, VECTOR_VISIT, "place")
        far = _later(m, near, first - VECTOR_VISIT)
        flags = {}
        for name in _FLAGS:
            line = Signal(through_array + DONE_CYCLES, name=f"{name}_line")
            # What turns off before the array must not come out of it when the next command uses it.
            last = VECTOR_VISIT + DONE_CYCLES - 1
            m.d.sync += line.eq(Cat(self.slot[name], line[:last], line[last] & uses_array, line[last + 1 :]))
            flags[name] = line
        visit = Signal(visit_layout(self._config))
        valid = flags["accumulate"]
        m.d.comb += [
            Cat(visit.first, visit.half, visit.address).eq(Mux(uses_array, far, near)),
            visit.valid.eq(Mux(uses_array, valid[first - 1], valid[VECTOR_VISIT - 1])),
        ]
        for name in ("hand_over", "complete"):
            line = flags[name]
            m.d.comb += getattr(self, name).eq(
                Mux(
                    uses_array,
                    line[through_array + DONE_CYCLES - 1],
                    line[VECTOR_VISIT + DONE_CYCLES - 1],
                )
            )
        return visit


def _later(m: Module, value: Value, cycles: int) -> Value:
    """`value`, so many cycles later, through as few modules as `cycles` has bits set."""
    bit = 0
    while cycles >> bit:
        if cycles >> bit & 1:
            m.submodules[f"delay_{1 << bit}"] = delay = Delay(len(value), 1 << bit)
            m.d.comb += delay.i.eq(value)
            value = delay.o
        bit += 1
    return value
