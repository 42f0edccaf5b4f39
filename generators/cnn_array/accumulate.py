"""From bricks and weights to accumulator tiles: the array, or the vector unit beside it, and the way out of both."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.destination_port import destination_write_signature
from ..chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY, FREEING_CYCLES
from ..chassis.tiles.brick_reader import BRICK_LATENCY
from ..chassis.tiles.commands import BRICK_CHANNELS
from ..chassis.tiles.compute_constants import constants_layout
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.window_slot import window_slot_layout
from .array import CnnArray, brick_cycles
from .config import CnnArrayConfig
from .functional_unit import DRAIN_LATENCY, UNIT_LATENCY
from .timing_constants import ARRAY_DELAY, VECTOR_VISIT
from .vector_tiles import VECTOR_CYCLES, VectorTiles

# The next tile reads two cycles after `freeing`: what it writes to must not be asked for any more.
assert FREEING_CYCLES + 1 < 2 + BRICK_LATENCY + ARRAY_DELAY + UNIT_LATENCY
assert FREEING_CYCLES < 2 + BRICK_LATENCY + VECTOR_VISIT
assert DRAIN_LATENCY == ACCUMULATOR_READ_LATENCY - 1

ARRAY_ENDS_DELAY = BRICK_LATENCY + ARRAY_DELAY
"""Cycles from the last word of a command's weights until nothing of the command is needed any more."""

WEIGHTS_DELAY = ARRAY_DELAY + 1
"""Cycles from a pixel's brick, the first of up to C, to the weights of its lane 0."""


def done_latency(config: CnnArrayConfig, round_cycles: int) -> int:
    """Cycles from a tile's last brick until its first partial sum may be asked for in the next one: with rounds of so
    many cycles; 0 if the vector unit computes it.

    With rounds a COMPUTE is complete before its last tile is; a tile of the vector unit must not overtake that.
    """
    if round_cycles:
        return ARRAY_DELAY + brick_cycles(round_cycles) - 2
    return VECTOR_CYCLES + (config.pixel_units if config.has_rounds else 0)


class Accumulate(wiring.Component):
    """Fills tiles, in the units' registers or in the vector tiles, and reads them.

    Members:
        command, constants: held from the first brick to the last one's `complete`.
        brick, slot: all channels of a pixel and what they are for.
        weights: an operand for each output channel, see `WEIGHTS_DELAY`.
        table_writes: WEIGHTS' port, for the operand tables.
        hand_over, complete: the tile, the command is complete.
        array_ends: the last word of a command's weights is asked for; there only with rounds.
        drain_half, drain_core, drain_pixel: read by ACTIVATE.
        values: of those eight channels, `ACCUMULATOR_READ_LATENCY` cycles later.
    """

    command: data.View
    constants: data.View
    brick: Signal
    slot: data.View
    weights: Signal
    table_writes: stream.Interface
    hand_over: Signal
    complete: Signal
    array_ends: Signal
    drain_half: Signal
    drain_core: Signal
    drain_pixel: Signal
    values: data.View

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "constants": In(constants_layout(config)),
                "brick": In(8 * config.brick_bytes),
                "slot": In(window_slot_layout(config)),
                "weights": In(config.element_bits * config.channel_units),
                "table_writes": In(destination_write_signature()),
                "hand_over": Out(1),
                "complete": Out(1),
                **({"array_ends": In(1)} if config.has_rounds else {}),
                "drain_half": In(1),
                "drain_core": In(range(max(2, config.cores))),
                "drain_pixel": In(range(config.tile_pixels)),
                "values": Out(data.ArrayLayout(signed(config.sum_bits), BRICK_CHANNELS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Both side by side."""
        m = Module()
        m.submodules.array = array = CnnArray(self._config)
        m.submodules.vector_tiles = vector_tiles = VectorTiles(self._config)
        uses_array = self.constants.reads_weights
        bits, stored_bits = self._config.element_bits, 8 * self._config.element_bytes
        elements = Signal(bits * self._config.brick_channels)
        m.d.comb += elements.eq(
            Cat(self.brick.word_select(n, stored_bits)[:bits] for n in range(self._config.brick_channels))
        )
        wiring.connect(m, wiring.flipped(self.table_writes), vector_tiles.table_writes)
        m.d.comb += [
            array.brick.eq(delayed(m, elements, ARRAY_DELAY, "brick")),
            array.slot.eq(delayed(m, self.slot, ARRAY_DELAY, "slot")),
            array.enable.eq(uses_array),
            array.weights.eq(self.weights),
            array.drain_half.eq(self.drain_half),
            array.drain_core.eq(self.drain_core),
            array.drain_pixel.eq(self.drain_pixel),
            *([array.round_last.eq(self.command.round_last)] if self._config.has_rounds else []),
            *([array.two_turns.eq(self.command.two_turns)] if self._config.turns > 1 else []),
            vector_tiles.command.eq(self.command),
            vector_tiles.constants.eq(self.constants),
            vector_tiles.brick.eq(elements),
            vector_tiles.slot.eq(self.slot),
            vector_tiles.enable.eq(~uses_array),
            vector_tiles.drain_half.eq(self.drain_half),
            vector_tiles.drain_pixel.eq(self.drain_pixel),
        ]
        was_uses_array = uses_array
        if self._config.has_rounds:
            was_uses_array = self._done_in_rounds(m)
        else:
            for name in ("hand_over", "complete"):
                m.d.comb += getattr(self, name).eq(self._done(m, name))
        # Tiles take halves in turn, and each half remembers where its tile is.
        half, in_array, is_in_array = Signal(), Signal(2), Signal()
        with m.If(self.hand_over):
            m.d.sync += [in_array.bit_select(half, 1).eq(was_uses_array), half.eq(~half)]
        m.d.comb += is_in_array.eq(Mux(self.drain_half, in_array[1], in_array[0]))
        was_in_array = delayed(m, is_in_array, DRAIN_LATENCY, "in_array")
        m.d.sync += self.values.eq(Mux(was_in_array, array.values, vector_tiles.values))
        return m

    def _done(self, m: Module, name: str) -> Signal:
        """A flag of the slot, later by the way that its tile takes; a command is all in the array, or not at all."""
        near, far = (done_latency(self._config, cycles) for cycles in (0, self._config.columns))
        line = Signal(far, name=f"{name}_line")
        shifted = Cat(self.slot[name], line[: near - 1], line[near - 1] & self.constants.reads_weights)
        m.d.sync += line.eq(Cat(shifted, line[near:-1]))
        done = Signal(name=f"{name}_done")
        m.d.comb += done.eq(Mux(self.constants.reads_weights, line[far - 1], line[near - 1]))
        return done

    def _done_in_rounds(self, m: Module) -> Value:
        """Flags of tiles enter their lines as far from the end as their commands say, for the next one may have begun
        when they arrive. The result: the tile that is handed over is in the array.
        """
        config, uses_array = self._config, self.constants.reads_weights
        longest = done_latency(config, config.brick_channels * config.turns)
        near = done_latency(config, 0)
        tiles, array_tiles, vector_ends = Signal(longest), Signal(longest), Signal(near)
        place, entering = Signal(range(longest)), Signal(longest)
        in_array = self.command.round_last + (done_latency(config, 1) - 1)
        m.d.sync += [
            place.eq(Mux(uses_array, in_array, near - 1)),
            tiles.eq((tiles >> 1) | entering),
            array_tiles.eq((array_tiles >> 1) | Mux(uses_array, entering, 0)),
            vector_ends.eq(Cat(self.slot.complete & ~uses_array, vector_ends)),
        ]
        m.d.comb += [
            entering.eq(self.slot.hand_over << place),
            self.hand_over.eq(tiles[0]),
            self.complete.eq(vector_ends[-1] | delayed(m, self.array_ends, ARRAY_ENDS_DELAY, "array_ends")),
        ]
        return array_tiles[0]
