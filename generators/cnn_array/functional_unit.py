"""One functional unit of the CNN array, and a column of them."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...hdl.multiplier import MULTIPLIER_LATENCY, Multiplier
from ...hdl.shared_module import shared_module
from ..chassis.tiles.commands import BRICK_CHANNELS
from .config import CnnArrayConfig

UNIT_LATENCY = MULTIPLIER_LATENCY + 1
"""Cycles from an operand at a unit until its register holds the product."""

DRAIN_LATENCY = 2
"""Cycles from a register being asked for to its value."""

_HALVES = 2


def visit_layout(config: CnnArrayConfig) -> data.StructLayout:
    """What a column does in a cycle: every lane of a group of bricks is one visit of the same register, or two.

    valid: accumulate.
    starts: lane 0.
    first: replace what is there, which is so in lane 0 of a tile's first step.
    half, register: where.
    turn: with two turns, which of the lane's words of weights this is.
    moves: with two turns, the lane's last one.
    """
    turns = {"turn": unsigned(1), "moves": unsigned(1)} if config.turns > 1 else {}
    return data.StructLayout(
        {
            "valid": unsigned(1),
            "starts": unsigned(1),
            "first": unsigned(1),
            "half": unsigned(1),
            "register": range(config.registers // config.turns),
            **turns,
        }
    )


class FunctionalUnit(wiring.Component):
    """Multiplies and adds to one of its registers, every cycle; the sum is there in the next. Sums wrap at `sum_bits`.

    Latency: `UNIT_LATENCY` from operand and weight; `places`, `writes` and `first` come with the product,
    `MULTIPLIER_LATENCY` cycles after them.

    Cost: one multiplier, one adder of `sum_bits`, 2 x `registers` x `sum_bits` of LUT RAM.

    Members:
        operand, weight: factors.
        weight_out: the weight, in the next cycle.
        places: the register of each half: that to add to, or that to read.
        writes: a bit for each half, at most one set: add to it.
        first: the product replaces the sum.
        drain_half: of `places`, for `value`.
        value: what is there, in the next cycle.
    """

    operand: Signal
    weight: Signal
    weight_out: Signal
    places: data.View
    writes: Signal
    first: Signal
    drain_half: Signal
    value: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._registers = config.registers
        self._operand, self._sum = signed(config.element_bits), signed(config.sum_bits)
        super().__init__(
            {
                "operand": In(self._operand),
                "weight": In(self._operand),
                "weight_out": Out(self._operand),
                "places": In(data.ArrayLayout(range(config.registers), _HALVES)),
                "writes": In(_HALVES),
                "first": In(1),
                "drain_half": In(1),
                "value": Out(self._sum),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Read, add and write in one cycle."""
        m = Module()
        m.submodules.multiplier = multiplier = Multiplier(self._operand, self._operand)
        total, before = Signal(self._sum), Signal(self._sum)
        weight, value = (
            Signal(shape, name=name, reset_less=True)
            for shape, name in ((self._operand, "passing"), (self._sum, "read"))
        )
        stored = [self._half(m, half, total) for half in range(_HALVES)]
        m.d.comb += [
            multiplier.a.eq(self.operand),
            multiplier.b.eq(self.weight),
            before.eq(Mux(self.writes[1], stored[1], stored[0])),
            total.eq(Mux(self.first, 0, before) + multiplier.product),
            self.weight_out.eq(weight),
            self.value.eq(value),
        ]
        m.d.sync += [weight.eq(self.weight), value.eq(Mux(self.drain_half, stored[1], stored[0]))]
        return m

    def _half(self, m: Module, half: int, total: Signal) -> Value:
        memory = Memory(
            shape=unsigned(self._sum.width),
            depth=self._registers,
            init=[],
            attrs={"ram_style": "distributed"},
        )
        m.submodules[f"half_{half}"] = memory
        read, write = memory.read_port(domain="comb"), memory.write_port()
        m.d.comb += [
            read.addr.eq(self.places[half]),
            write.addr.eq(self.places[half]),
            write.data.eq(total),
            write.en.eq(self.writes[half]),
        ]
        return read.data.as_signed()


class Column(wiring.Component):
    """R units that share their input: one pixel, a channel a cycle. Its operand store is one brick.

    All lanes of a port are one plain value: a layout would give each of them wires of its own in the netlist.

    Members:
        brick, load: all channels of the pixel that is next; its lane 0 meets the weights of the cycle after `load`.
        weights, weights_out: an operand for each row, and the same in the next cycle, for the next column.
        visit, visit_out: what to do with these weights, likewise. Nothing is accumulated without a `load` in the cycle
            before lane 0.
        drain_half, drain_register: read by ACTIVATE; `drain_turn` likewise, there only with two turns.
        drain_core: which eight channels of those asked for `DRAIN_LATENCY` cycles ago.
        values: their partial sums.
    """

    brick: Signal
    load: Signal
    weights: Signal
    weights_out: Signal
    visit: data.View
    visit_out: data.View
    drain_half: Signal
    drain_register: Signal
    drain_turn: Signal
    drain_core: Signal
    values: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        self._visit = visit_layout(config)
        super().__init__(
            {
                "brick": In(config.element_bits * config.brick_channels),
                "load": In(1),
                "weights": In(config.element_bits * config.channel_units),
                "weights_out": Out(config.element_bits * config.channel_units),
                "visit": In(self._visit),
                "visit_out": Out(self._visit),
                "drain_half": In(1),
                "drain_register": In(range(config.registers // config.turns)),
                **({"drain_turn": In(1)} if config.turns > 1 else {}),
                "drain_core": In(range(max(2, config.channel_units // BRICK_CHANNELS))),
                "values": Out(config.sum_bits * BRICK_CHANNELS),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """The operand store shifts; one control serves all units."""
        m = Module()
        config = self._config
        bits = config.element_bits
        operands = Signal(bits * config.brick_channels, reset_less=True)
        shifted = operands >> bits
        if config.turns > 1:
            shifted = Mux(self.visit.moves, shifted, operands)
        m.d.sync += operands.eq(Mux(self.load, self.brick, shifted))
        places, writes, first, drain_half = self._control(m)
        weights_out, values = [], []
        for row in range(config.channel_units):
            m.submodules[f"unit_{row}"] = unit = FunctionalUnit(config)
            m.d.comb += [
                unit.operand.eq(operands[:bits].as_signed()),
                unit.weight.eq(self.weights.word_select(row, bits).as_signed()),
                unit.places.eq(places),
                unit.writes.eq(writes),
                unit.first.eq(first),
                unit.drain_half.eq(drain_half),
            ]
            weights_out.append(unit.weight_out)
            values.append(unit.value)
        blocks = [
            Cat(values[low : low + BRICK_CHANNELS]) for low in range(0, config.channel_units, BRICK_CHANNELS)
        ]
        m.d.comb += [
            self.weights_out.eq(Cat(weights_out)),
            self.values.eq(blocks[0] if len(blocks) == 1 else Array(blocks)[self.drain_core]),
        ]
        return m

    def _control(self, m: Module) -> tuple[data.View, Signal, Signal, Signal]:
        """The visit at the time of its product; elsewhere ACTIVATE may read."""
        assert MULTIPLIER_LATENCY == 2
        layout = self._visit
        loaded, was_present, is_present = Signal(), Signal(), Signal()
        here, passing = Signal(layout), Signal(layout)
        places = Signal(data.ArrayLayout(range(self._config.registers), _HALVES))
        writes, first, drain_half = Signal(_HALVES), Signal(), Signal()
        m.d.comb += [
            is_present.eq(Mux(self.visit.starts, loaded, was_present)),
            self.visit_out.eq(passing),
        ]
        m.d.sync += [
            loaded.eq(self.load),
            was_present.eq(is_present),
            passing.eq(self.visit),
            here.eq(self.visit),
            here.valid.eq(self.visit.valid & is_present),
            first.eq(here.first),
            drain_half.eq(self.drain_half),
        ]
        filled, drained = here.register, self.drain_register
        if self._config.turns > 1:
            filled, drained = Cat(here.turn, filled), Cat(self.drain_turn, drained)
        for half in range(_HALVES):
            fills = here.valid & (here.half == half)
            m.d.sync += [
                writes[half].eq(fills),
                places[half].eq(Mux(fills, filled, drained)),
            ]
        return places, writes, first, drain_half
