"""The inner loops of COMPUTE: rows and pixel groups of a step, one window of bricks a cycle."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from . import pass_walk
from .compute_constants import constants_layout
from .ring_pointer import ADDRESS_BITS, advance
from .step_walk import step_layout
from .tile_config import TileConfig
from .tile_walk import COORDINATE
from .window_slot import window_slot_layout

WINDOW_READ = data.StructLayout(
    {"row": unsigned(ADDRESS_BITS), "column": unsigned(ADDRESS_BITS), "x": COORDINATE, "y": COORDINATE}
)
"""Where a window is: pointer to its row, bricks from there to its first brick; the ifm pixel and row of that brick."""

_EVENTS = ("pixel_ends", "row_ends", "in_last_row")


class PixelWalk(wiring.Component):
    """Walks the pixel groups of every step; reads their windows in consecutive cycles from the cycle after its start.

    A step starts, from the cycle after it is taken on, once its predecessor is in its last cycle or over, its weights
    are ready and, if it is its tile's first, there is an accumulator half for the tile. All of that is decided in the
    cycle before, because half of COMPUTE hangs on the start. Two steps never start in consecutive cycles.

    Members:
        command, constants: held from the first step to completion.
        i: steps; `ready` is a register: none is held.
        weights_coming: in the next cycle the next step's weights will be ready, unless one starts now.
        pausing: no window may be read in the next cycle; there only with `can_pause`.
        half_coming: in the next cycle there will be a half for the next tile, unless one starts now.
        half: the half for the next tile, or the one of the tile in progress.
        held: `step` waits for its start, or starts.
        starts: `step` starts in this cycle; a register.
        step: the last one taken.
        step_ends: the one that started last is in its last read, or over.
        reading: `read` and `slot` hold a window in this cycle.
        read: where it is.
        slot: what it is for.
    """

    command: data.View
    constants: data.View
    i: stream.Interface
    weights_coming: Signal
    pausing: Signal
    half_coming: Signal
    half: Signal
    held: Signal
    starts: Signal
    step: data.View
    step_ends: Signal
    reading: Signal
    read: data.View
    slot: data.View

    def __init__(self, config: TileConfig) -> None:
        self._tile_pixels = config.tile_pixels
        self._splits_int16 = config.splits_int16
        self._can_pause = config.can_pause
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "constants": In(constants_layout(config)),
                "i": In(stream.Signature(step_layout(config))),
                "weights_coming": In(1),
                **({"pausing": In(1)} if config.can_pause else {}),
                "half_coming": In(1),
                "half": In(1),
                "held": Out(1),
                "starts": Out(1),
                "step": Out(step_layout(config)),
                "step_ends": Out(1),
                "reading": Out(1),
                "read": Out(WINDOW_READ),
                "slot": Out(window_slot_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Registers describe the window of this cycle."""
        m = Module()
        constants, step, start = self.constants, self.step, self.starts
        pixel_ends, row_ends, in_last_row = (Signal(name=name) for name in _EVENTS)
        groups_left, rows_left = Signal(range(self._tile_pixels)), Signal(range(self._tile_pixels))
        last_group = Signal(range(self._tile_pixels))
        # Everybody waits for a step to end, so its end is a register too; it stays high until the next one starts.
        step_ends = Signal(init=1)
        next_step_ends = Signal()
        pending, paused = self._pause(m, step_ends)
        self._hold(m, self._next_end(next_step_ends, step_ends, pending, paused))
        next_pixel_ends, next_row_ends, next_in_last_row = (Signal(name=f"next_{name}") for name in _EVENTS)
        m.d.comb += [
            next_pixel_ends.eq(~constants.two_operands | ~pixel_ends),
            next_row_ends.eq(row_ends),
            next_in_last_row.eq(in_last_row),
            next_step_ends.eq(step_ends | (next_pixel_ends & next_row_ends & next_in_last_row)),
        ]
        with m.If(_unless(paused, pixel_ends & row_ends)):
            m.d.comb += [next_row_ends.eq(last_group == 0), next_in_last_row.eq(rows_left == 1)]
            m.d.sync += [groups_left.eq(last_group), rows_left.eq(rows_left - 1)]
        with m.Elif(_unless(paused, pixel_ends)):
            m.d.comb += next_row_ends.eq(groups_left == 1)
            m.d.sync += groups_left.eq(groups_left - 1)
        with m.If(start):
            one_group, one_row = step.last_group == 0, step.last_row == 0
            m.d.sync += [
                pending.eq(1),
                groups_left.eq(step.last_group),
                rows_left.eq(step.last_row),
                last_group.eq(step.last_group),
                pixel_ends.eq(~constants.two_operands),
                row_ends.eq(one_group),
                in_last_row.eq(one_row),
                step_ends.eq(~constants.two_operands & one_group & one_row),
            ]
        with m.Else() if paused is None else m.Elif(~paused):
            m.d.sync += [
                pending.eq(pending & ~step_ends),
                pixel_ends.eq(next_pixel_ends),
                row_ends.eq(next_row_ends),
                in_last_row.eq(next_in_last_row),
                step_ends.eq(next_step_ends),
            ]
        self._place(m, _unless(paused, pixel_ends), row_ends)
        self._describe(m, pixel_ends, step_ends, paused)
        return m

    def _pause(self, m: Module, step_ends: Signal) -> tuple[Signal, Signal | None]:
        """Whether a window is in the registers, and whether it must wait; nothing waits without `can_pause`."""
        if not self._can_pause:
            m.d.comb += self.step_ends.eq(step_ends)
            return self.reading, None
        pending, paused = Signal(), Signal()
        m.d.sync += paused.eq(self.pausing)
        m.d.comb += [
            self.reading.eq(pending & ~paused),
            self.step_ends.eq(step_ends & ~(pending & paused)),
        ]
        return pending, paused

    def _next_end(
        self, next_step_ends: Signal, step_ends: Signal, pending: Signal, paused: Signal | None
    ) -> Value:
        """`step_ends` as it will be in the next cycle: a window that waits is not over."""
        if paused is None:
            return next_step_ends
        waits = step_ends & ~(pending & self.pausing)
        return Mux(paused, waits, step_ends | (next_step_ends & ~self.pausing))

    def _hold(self, m: Module, next_step_ends: Value) -> None:
        """Keep the next step, and decide whether it starts in the next cycle."""
        empty = Signal(init=1)  # not `held`, in a register of its own: the walk of the steps hangs on it
        needs_half, next_needs_half = Signal(), Signal()
        next_held = Mux(self.held, ~self.starts, self.i.valid)
        m.d.comb += [
            self.i.ready.eq(empty),
            next_needs_half.eq(
                Mux(self.held, needs_half, self.i.payload.first_of_tile & ~self.command.accumulate)
            ),
        ]
        m.d.sync += [
            self.held.eq(next_held),
            empty.eq(~next_held),
            needs_half.eq(next_needs_half),
            self.starts.eq(
                ~self.starts
                & (self.held | self.i.valid)
                & next_step_ends
                & self.weights_coming
                & (self.half_coming | ~next_needs_half)
            ),
        ]
        with m.If(~self.held):
            m.d.sync += self.step.eq(self.i.payload)

    def _place(self, m: Module, pixel_ends: Value, row_ends: Value) -> None:
        command, constants, step, start = self.command, self.constants, self.step, self.starts
        place, first = Signal(WINDOW_READ), Signal(WINDOW_READ)
        row2 = Signal(ADDRESS_BITS)
        column2, first_column2 = Signal(ADDRESS_BITS), Signal(ADDRESS_BITS)
        with m.If(start):
            for name in ("row", "column", "x", "y"):
                m.d.sync += [place[name].eq(step[name]), first[name].eq(step[name])]
            m.d.sync += [
                row2.eq(step.ifm2_row),
                column2.eq(step.ifm2_column),
                first_column2.eq(step.ifm2_column),
            ]
        with m.Elif(pixel_ends & row_ends):
            m.d.sync += [
                place.row.eq(advance(place.row, constants.ofm_row_step)),
                place.y.eq(place.y + command.stride_y),
                place.column.eq(first.column),
                place.x.eq(first.x),
                row2.eq(advance(row2, constants.ifm2_row_step)),
                column2.eq(first_column2),
            ]
        with m.Elif(pixel_ends):
            m.d.sync += [
                place.column.eq(place.column + constants.group_pixels),
                place.x.eq(place.x + constants.group_pixels),
                column2.eq(column2 + ~command.ifm2_broadcast_x),
            ]
        second = self.slot.second_operand
        m.d.comb += [
            self.read.x.eq(place.x),
            self.read.y.eq(place.y),
            self.read.row.eq(Mux(second, row2, place.row)),
            self.read.column.eq(Mux(second, column2, place.column)),
        ]

    def _describe(self, m: Module, pixel_ends: Value, step_ends: Value, paused: Signal | None) -> None:
        command, step, slot = self.command, self.step, self.slot
        tile_ends, command_ends = Signal(), Signal()
        replaces, place, step_size = step.first_of_tile, Const(0), pixel_ends
        if self._splits_int16:
            replaces, place = step.replaces, pass_walk.place(step)
            step_size = Mux(pixel_ends, pass_walk.places(command), 0)
            with m.If(self.starts):
                m.d.sync += slot.low_bytes.eq(step.ifm_low)
        with m.If(self.starts):
            m.d.sync += [
                slot.new_weights.eq(1),
                slot.second_operand.eq(0),
                slot.odd_block.eq(step.odd_block),
                slot.first.eq(replaces & ~command.accumulate),
                slot.half.eq(self.half),
                slot.address.eq(place),
                tile_ends.eq(step.last_of_tile & ~command.partial),
                command_ends.eq(step.last),
            ]
        with m.Else() if paused is None else m.Elif(~paused):
            m.d.sync += [
                slot.new_weights.eq(0),
                slot.second_operand.eq(~pixel_ends),
                slot.address.eq(slot.address + step_size),
            ]
        m.d.comb += [
            slot.accumulate.eq(self.reading & pixel_ends),
            slot.hand_over.eq(self.reading & step_ends & tile_ends),
            slot.complete.eq(self.reading & step_ends & command_ends),
        ]


def _unless(paused: Signal | None, event: Value) -> Value:
    """The event, unless the walk is paused."""
    return event if paused is None else event & ~paused
