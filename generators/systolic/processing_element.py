"""One multiplier of the systolic array with its two weights; rows of them, and blocks of rows."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.multiplier import MULTIPLIER_LATENCY, Multiplier
from ...hdl.shared_module import shared_module

OPERAND_BITS = 9
"""Signed: an int8, or one of the two bytes of an int16, of which the lower is unsigned."""

SUM_BITS = 32

SUM_LATENCY = MULTIPLIER_LATENCY + 1
"""Cycles from an activation at a PE to the sum that it adds its product to leaving below."""

ACTIVATION = data.StructLayout({"value": signed(OPERAND_BITS), "switch": 1})
"""`switch`: from this activation on, the PE multiplies by the weight that waits beside the old one."""

WEIGHT = data.StructLayout({"value": signed(OPERAND_BITS), "valid": 1})


class ProcessingElement(wiring.Component):
    """Multiplies what comes from the left by its weight and adds that to what comes from above.

                      weight, sum
                          |
        activation --> [ PE ] --> activation_out     next cycle
                          |
              weight_out (next cycle), sum_out

    The weight is held twice: one multiplies, the other waits for `switch`. A row's weights fall through a column of
    PEs in order, one a cycle at most; each PE keeps the first that finds its waiting place empty and passes on the
    others, so R weights in order fill a column of R, in R cycles. `switch` empties the place, and takes the weight
    that waits; a weight may come in that cycle. `weight` while the place is full falls through.

    Latency: `SUM_LATENCY` from `activation` to `sum_out`; `sum` is added in the last of these cycles, so that the PE
    below, which gets its activation a cycle later, adds to this one's `sum_out`. Sums wrap at 32 bits.

    Cost: one multiplier (9 x 9 bits), about 70 registers.
    """

    activation: data.View
    activation_out: data.View
    weight: data.View
    weight_out: data.View
    sum: Signal
    sum_out: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "activation": In(ACTIVATION),
                "activation_out": Out(ACTIVATION),
                "weight": In(WEIGHT),
                "weight_out": Out(WEIGHT),
                "sum": In(signed(SUM_BITS)),
                "sum_out": Out(signed(SUM_BITS)),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Two weights, one multiplier, one adder."""
        m = Module()
        m.submodules.multiplier = multiplier = Multiplier(signed(OPERAND_BITS), signed(OPERAND_BITS))
        active = Signal(signed(OPERAND_BITS), reset_less=True)
        waiting = Signal(signed(OPERAND_BITS), reset_less=True)
        is_full = Signal()
        weight, sum_out = Signal.like(active), Signal(signed(SUM_BITS), reset_less=True)
        captures = Signal()
        switch = self.activation.switch
        m.d.comb += [
            weight.eq(Mux(switch, waiting, active)),
            captures.eq(self.weight.valid & (~is_full | switch)),
            multiplier.a.eq(self.activation.value),
            multiplier.b.eq(weight),
            self.sum_out.eq(sum_out),
        ]
        m.d.sync += [
            active.eq(weight),
            is_full.eq(captures | (is_full & ~switch)),
            sum_out.eq(self.sum + multiplier.product),
            self.activation_out.eq(self.activation),
            self.weight_out.value.eq(self.weight.value),
            self.weight_out.valid.eq(self.weight.valid & ~captures),
        ]
        with m.If(captures):
            m.d.sync += waiting.eq(self.weight.value)
        return m


class ArrayRow(wiring.Component):
    """`columns` PEs side by side; the activation passes a PE a cycle, from left to right.

    All lanes of a port are one plain value: a layout would give each of them wires of its own in the netlist.

    Members:
        activation: into the first PE, `ACTIVATION`.
        weights, weights_out: a `WEIGHT` for each column, from above and below.
        sums, sums_out: an int32 for each column, from above and below.
    """

    activation: Signal
    weights: Signal
    weights_out: Signal
    sums: Signal
    sums_out: Signal

    def __init__(self, columns: int) -> None:
        self._columns = columns
        super().__init__(
            {
                "activation": In(ACTIVATION.size),
                "weights": In(WEIGHT.size * columns),
                "weights_out": Out(WEIGHT.size * columns),
                "sums": In(SUM_BITS * columns),
                "sums_out": Out(SUM_BITS * columns),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Each PE from the same module."""
        m = Module()
        activation: Value = self.activation
        weights_out, sums_out = [], []
        for column in range(self._columns):
            element = ProcessingElement()
            m.submodules[f"pe_{column}"] = element
            m.d.comb += [
                element.activation.eq(activation),
                element.weight.eq(self.weights.word_select(column, WEIGHT.size)),
                element.sum.eq(self.sums.word_select(column, SUM_BITS)),
            ]
            activation = element.activation_out.as_value()
            weights_out.append(element.weight_out.as_value())
            sums_out.append(element.sum_out)
        m.d.comb += [self.weights_out.eq(Cat(weights_out)), self.sums_out.eq(Cat(sums_out))]
        return m


class ArrayBlock(wiring.Component):
    """`rows` rows, a power of two, one below the other: two blocks of half as many, or one row.

    Made so, because generating a module takes time by the wires in it: two times a row's, not `rows` times.

    Members: as those of `ArrayRow`, but
        activations: an `ACTIVATION` for each row.
    """

    activations: Signal
    weights: Signal
    weights_out: Signal
    sums: Signal
    sums_out: Signal

    def __init__(self, rows: int, columns: int) -> None:
        self._rows = rows
        self._columns = columns
        super().__init__(
            {
                "activations": In(ACTIVATION.size * rows),
                "weights": In(WEIGHT.size * columns),
                "weights_out": Out(WEIGHT.size * columns),
                "sums": In(SUM_BITS * columns),
                "sums_out": Out(SUM_BITS * columns),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Upper and lower half."""
        m = Module()
        if self._rows == 1:
            m.submodules.row = row = ArrayRow(self._columns)
            m.d.comb += [
                row.activation.eq(self.activations),
                row.weights.eq(self.weights),
                row.sums.eq(self.sums),
                self.weights_out.eq(row.weights_out),
                self.sums_out.eq(row.sums_out),
            ]
            return m
        half = self._rows // 2
        m.submodules.upper = upper = ArrayBlock(half, self._columns)
        m.submodules.lower = lower = ArrayBlock(half, self._columns)
        m.d.comb += [
            upper.activations.eq(self.activations[: half * ACTIVATION.size]),
            lower.activations.eq(self.activations[half * ACTIVATION.size :]),
            upper.weights.eq(self.weights),
            upper.sums.eq(self.sums),
            lower.weights.eq(upper.weights_out),
            lower.sums.eq(upper.sums_out),
            self.weights_out.eq(lower.weights_out),
            self.sums_out.eq(lower.sums_out),
        ]
        return m
