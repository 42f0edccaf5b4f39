"""The multipliers of the systolic array with their two weights each, in rectangular blocks."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...hdl.multiplier import MULTIPLIER_LATENCY, Multiplier
from ...hdl.shared_module import shared_module

OPERAND_BITS = 9
"""Signed: an int8, or one of the two bytes of an int16, of which the lower is unsigned."""

SUM_BITS = 32

SUM_LATENCY = MULTIPLIER_LATENCY + 1
"""Cycles from an activation at a PE to the sum that it adds its product to leaving below."""

_ROW_COLUMNS = 4
"""PEs in one module: their operands together are registers of 36 bits, which a simulator keeps in one word."""


class ArrayBlock(wiring.Component):
    """`rows` x `columns` PEs; weights and sums fall, activations go from left to right.

                       weights, sums
                           |
        activations --> [ block ] --> activations_out
                           |
                  weights_out, sums_out

    Each PE multiplies what comes from the left by its weight and adds that to what comes from above. It holds the
    weight twice: one multiplies, the other waits for `switches`. A row's weights fall through a column of PEs in
    order, one a cycle at most; each PE keeps the first that finds its waiting place empty and passes on the others,
    so R weights in order fill a column of R, in R cycles. `switches` empties the place, and takes the weight that
    waits; a weight may come in that cycle. A weight while the place is full falls through.

    Activations and weights pass a PE a cycle. From an activation at a PE to the sum below it takes `SUM_LATENCY`;
    the sum from above is added in the last of these cycles, so that the PE below, which gets its activation a cycle
    later, adds to this one's. Sums wrap at 32 bits. No output depends on an input of the same cycle.

    A block is two halves beside or below each other, down to a few PEs, so that text and time to generate grow with
    the logarithm of its size. Cost of a PE: one multiplier (9 x 9 bits), about 70 registers.

    Args:
        rows, columns: powers of two.

    Members, each one plain value, since a layout would give every lane wires of its own in the netlist:
        activations, activations_out: an operand for each row.
        switches, switches_out: a bit for each row: from this activation on, PEs multiply by the weight that waits.
        weights, weights_out: an operand for each column.
        valid, valid_out: a bit for each column: a weight comes in this cycle.
        sums, sums_out: an int32 for each column.
    """

    activations: Signal
    activations_out: Signal
    switches: Signal
    switches_out: Signal
    weights: Signal
    weights_out: Signal
    valid: Signal
    valid_out: Signal
    sums: Signal
    sums_out: Signal

    def __init__(self, rows: int, columns: int) -> None:
        self._rows = rows
        self._columns = columns
        lanes = {
            "activations": OPERAND_BITS * rows,
            "switches": rows,
            "weights": OPERAND_BITS * columns,
            "valid": columns,
            "sums": SUM_BITS * columns,
        }
        super().__init__(
            {name: In(width) for name, width in lanes.items()}
            | {f"{name}_out": Out(width) for name, width in lanes.items()}
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """A row of few PEs, or two blocks: the longer side is cut."""
        m = Module()
        if self._rows == 1 and self._columns <= _ROW_COLUMNS:
            self._elaborate_elements(m)
        elif self._rows > self._columns // _ROW_COLUMNS:
            self._elaborate_upper_and_lower(m)
        else:
            self._elaborate_left_and_right(m)
        return m

    def _elaborate_elements(self, m: Module) -> None:
        columns = self._columns
        activations, weights, active, waiting = (
            Signal(OPERAND_BITS * columns, name=name, reset_less=True)
            for name in ("passed_activations", "passed_weights", "active", "waiting")
        )
        switches, valid, is_full, captures = (
            Signal(columns, name=name) for name in ("passed_switches", "passed_valid", "is_full", "captures")
        )
        # What comes to PE c from the left.
        arriving, switched = Cat(self.activations, activations), Cat(self.switches, switches)
        multiplied = Signal.like(active)
        multiplied_lanes, waiting_lanes, sums = [], [], []
        for column in range(columns):
            multiplied_lanes.append(
                Mux(switched[column], _operand(waiting, column), _operand(active, column))
            )
            waiting_lanes.append(
                Mux(captures[column], _operand(self.weights, column), _operand(waiting, column))
            )
            multiplier = Multiplier(signed(OPERAND_BITS), signed(OPERAND_BITS))
            m.submodules[f"multiplier_{column}"] = multiplier
            m.d.comb += [
                multiplier.a.eq(_operand(arriving, column)),
                multiplier.b.eq(_operand(multiplied, column)),
            ]
            sum_above = self.sums.word_select(column, SUM_BITS).as_signed()
            sum_out = Signal(SUM_BITS, name=f"sum_{column}", reset_less=True)
            m.d.sync += sum_out.eq(sum_above + multiplier.product)
            sums.append(sum_out)
        m.d.comb += [
            multiplied.eq(Cat(multiplied_lanes)),
            captures.eq(self.valid & (~is_full | switched[:columns])),
            self.activations_out.eq(_operand(activations, columns - 1)),
            self.switches_out.eq(switches[-1]),
            self.weights_out.eq(weights),
            self.valid_out.eq(valid),
            self.sums_out.eq(Cat(sums)),
        ]
        m.d.sync += [
            activations.eq(arriving),
            switches.eq(switched),
            active.eq(multiplied),
            waiting.eq(Cat(waiting_lanes)),
            is_full.eq(captures | (is_full & ~switched[:columns])),
            weights.eq(self.weights),
            valid.eq(self.valid & ~captures),
        ]

    def _elaborate_upper_and_lower(self, m: Module) -> None:
        half = self._rows // 2
        m.submodules.upper = upper = ArrayBlock(half, self._columns)
        m.submodules.lower = lower = ArrayBlock(half, self._columns)
        m.d.comb += [
            Cat(upper.activations, lower.activations).eq(self.activations),
            Cat(upper.switches, lower.switches).eq(self.switches),
            self.activations_out.eq(Cat(upper.activations_out, lower.activations_out)),
            self.switches_out.eq(Cat(upper.switches_out, lower.switches_out)),
        ]
        for name in ("weights", "valid", "sums"):
            m.d.comb += [
                getattr(upper, name).eq(getattr(self, name)),
                getattr(lower, name).eq(getattr(upper, f"{name}_out")),
                getattr(self, f"{name}_out").eq(getattr(lower, f"{name}_out")),
            ]

    def _elaborate_left_and_right(self, m: Module) -> None:
        half = self._columns // 2
        m.submodules.left = left = ArrayBlock(self._rows, half)
        m.submodules.right = right = ArrayBlock(self._rows, half)
        for name in ("activations", "switches"):
            m.d.comb += [
                getattr(left, name).eq(getattr(self, name)),
                getattr(right, name).eq(getattr(left, f"{name}_out")),
                getattr(self, f"{name}_out").eq(getattr(right, f"{name}_out")),
            ]
        m.d.comb += [
            Cat(left.weights, right.weights).eq(self.weights),
            Cat(left.valid, right.valid).eq(self.valid),
            Cat(left.sums, right.sums).eq(self.sums),
            self.weights_out.eq(Cat(left.weights_out, right.weights_out)),
            self.valid_out.eq(Cat(left.valid_out, right.valid_out)),
            self.sums_out.eq(Cat(left.sums_out, right.sums_out)),
        ]


def _operand(lanes: Value, lane: int) -> Value:
    return lanes[OPERAND_BITS * lane : OPERAND_BITS * (lane + 1)].as_signed()
