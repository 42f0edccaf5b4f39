"""A dot-product core: `core_outputs` channels of one pixel, eight products each, a pixel a cycle."""

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.multiplier import MULTIPLIER_LATENCY, Multiplier
from ...hdl.shared_module import shared_module
from ..chassis.tiles.window_slot import WINDOW, window_slot_layout
from .accumulators import Accumulators
from .config import MacEngineConfig
from .isa import BRICK_CHANNELS, LARGEST_PACKED_CHANNELS, TILE_PIXELS, WEIGHT_WORD_BYTES

_TREE_LATENCY = 2
TOTAL_LATENCY = 1 + MULTIPLIER_LATENCY + _TREE_LATENCY
"""Cycles from a window to its totals, and so from a window's second operand to `vector`."""

ACCUMULATE_LATENCY = TOTAL_LATENCY + 2
"""Cycles from a window until the accumulators hold its totals."""

_TOTAL_BITS = 16 + 3


class Core(wiring.Component):
    """Lanes, weights, multipliers, adder trees and accumulators.

    Everything that differs between the cores of an engine is an input.

    Members:
        window, slot: eight bricks and what they are for, each cycle.
        offset: brick of the window that is this core's first; steady.
        dilated: kernel taps are two bricks apart; steady.
        transposed: lane l of output r is channel r of brick l instead of channel l of brick 0; steady.
        packed_channels: when not 0, lane l is channel l % packed_channels of the brick of kernel tap
            l // packed_channels instead; steady.
        maximum, use_vector: accumulate maxima; accumulate `vector` instead of products; steady.
        vector: `TOTAL_LATENCY` - 1 cycles after its window.
        weights, weights_enable: 16 bytes for outputs 2i and 2i + 1, if bit i is set; they are used from the
            next slot with `new_weights` on, if they came before it.
        drain_half, drain_address, values: see `Accumulators`.
    """

    window: data.View
    slot: data.View
    offset: Signal
    dilated: Signal
    transposed: Signal
    packed_channels: Signal
    maximum: Signal
    use_vector: Signal
    vector: data.View
    weights: Signal
    weights_enable: Signal
    drain_half: Signal
    drain_address: Signal
    values: data.View

    def __init__(self, config: MacEngineConfig) -> None:
        self._outputs = config.core_outputs
        self._slot_layout = window_slot_layout(config)
        values = data.ArrayLayout(signed(32), config.core_outputs)
        super().__init__(
            {
                "window": In(WINDOW),
                "slot": In(window_slot_layout(config)),
                "offset": In(3),
                "dilated": In(1),
                "transposed": In(1),
                "packed_channels": In(3),
                "maximum": In(1),
                "use_vector": In(1),
                "vector": In(values),
                "weights": In(WEIGHT_WORD_BYTES * 8),
                "weights_enable": In(config.block_words),
                "drain_half": In(1),
                "drain_address": In(range(TILE_PIXELS)),
                "values": Out(values),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Lanes, products, trees, accumulators: one after the other."""
        m = Module()
        m.submodules.accumulators = accumulators = Accumulators(self._outputs)
        lanes, dense, odd_block = self._lanes(m)
        weights = self._weights(m)
        for output in range(self._outputs):
            products = []
            for lane in range(BRICK_CHANNELS):
                multiplier = Multiplier(signed(8), signed(8))
                m.submodules[f"multiplier_{output}_{lane}"] = multiplier
                m.d.comb += [
                    multiplier.a.eq(self._operand(lanes[lane], dense[lane], output, odd_block)),
                    multiplier.b.eq(weights[output * BRICK_CHANNELS + lane]),
                ]
                products.append(multiplier.product)
            m.d.sync += accumulators.totals[output].eq(
                Mux(self.use_vector, self.vector[output], _tree(m, products, output))
            )
        slot = self._delayed_slot(m)
        m.d.comb += [
            accumulators.visit.valid.eq(slot.accumulate),
            accumulators.visit.first.eq(slot.first),
            accumulators.visit.half.eq(slot.half),
            accumulators.visit.address.eq(slot.address),
            accumulators.maximum.eq(self.maximum),
            accumulators.drain_half.eq(self.drain_half),
            accumulators.drain_address.eq(self.drain_address),
            self.values.eq(accumulators.values),
        ]
        return m

    def _lanes(self, m: Module) -> tuple[data.View, data.View, Signal]:
        """The brick of each lane's kernel tap, the byte that each lane has in all outputs, `odd_block`; registered."""
        own = []
        for brick in range(BRICK_CHANNELS):
            choice = Array(self.window[min(brick + n, BRICK_CHANNELS - 1)] for n in range(BRICK_CHANNELS))
            own.append(choice[self.offset])
        lanes = Signal(WINDOW, reset_less=True)
        odd_block = Signal()
        m.d.sync += odd_block.eq(self.slot.odd_block)
        taps = []
        for tap in range(BRICK_CHANNELS):
            brick = Signal(64, name=f"tap_{tap}")
            # Taps two bricks apart: there are four of them at most, and the weights of other lanes are zero.
            is_far = self.dilated if 2 * tap < BRICK_CHANNELS else Const(0, 1)
            m.d.comb += brick.eq(Mux(is_far, own[2 * tap % BRICK_CHANNELS], own[tap]))
            m.d.sync += lanes[tap].eq(brick)
            taps.append(brick)
        dense = Signal(data.ArrayLayout(8, BRICK_CHANNELS), reset_less=True)
        for lane in range(BRICK_CHANNELS):
            packed = [
                taps[lane // channels].word_select(lane % channels, 8)
                for channels in range(1, LARGEST_PACKED_CHANNELS + 1)
            ]
            choice = Array([taps[0].word_select(lane, 8), *packed])
            m.d.sync += dense[lane].eq(choice[self.packed_channels])
        return lanes, dense, odd_block

    def _operand(self, lane: Value, dense: Value, output: int, odd_block: Signal) -> Value:
        own_channel = lane.word_select(output, 8)
        if self._outputs < BRICK_CHANNELS:
            own_channel = Mux(odd_block, lane.word_select(output + self._outputs, 8), own_channel)
        return Mux(self.transposed, own_channel, dense).as_signed()

    def _weights(self, m: Module) -> list[Value]:
        """Weight of each output and lane: those in use, beside those being loaded."""
        count = self._outputs * BRICK_CHANNELS
        loaded = Signal(data.ArrayLayout(WEIGHT_WORD_BYTES * 8, len(self.weights_enable)), reset_less=True)
        used = Signal(data.ArrayLayout(signed(8), count), reset_less=True)
        for part in range(len(self.weights_enable)):
            with m.If(self.weights_enable[part]):
                m.d.sync += loaded[part].eq(self.weights)
        with m.If(self.slot.new_weights):
            m.d.sync += used.eq(loaded)
        return [used[n] for n in range(count)]

    def _delayed_slot(self, m: Module) -> data.View:
        """The slot, one cycle before its totals."""
        slot = self.slot
        for stage in range(TOTAL_LATENCY - 1):
            delayed = Signal(self._slot_layout, name=f"slot_{stage}")
            m.d.sync += delayed.eq(slot)
            slot = delayed
        return slot


def _tree(m: Module, products: list[Signal], output: int) -> Signal:
    """Sum of the products: a register behind the first level, the other two in one cycle."""
    pairs = []
    for pair in range(len(products) // 2):
        total = Signal(signed(17), name=f"pair_{output}_{pair}", reset_less=True)
        m.d.sync += total.eq(products[2 * pair] + products[2 * pair + 1])
        pairs.append(total)
    total = Signal(signed(_TOTAL_BITS), name=f"total_{output}")
    m.d.comb += total.eq((pairs[0] + pairs[1]) + (pairs[2] + pairs[3]))
    return total
