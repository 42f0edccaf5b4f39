"""The systolic array with its edges: vectors in, vectors of sums out."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .config import SystolicConfig
from .processing_element import OPERAND_BITS, SUM_BITS, SUM_LATENCY, ArrayBlock
from .skew import Skew

BYTE_BITS = 8


def column_latency(config: SystolicConfig) -> int:
    """Cycles from a vector of activations to its sum in column 0: through all rows. Column c is c cycles later."""
    return config.rows - 1 + SUM_LATENCY


class SystolicArray(wiring.Component):
    """sums[c] = sum over r of activations[r] * weight[r][c], a vector a cycle, `column_latency` + c cycles later.

        activations --> skew --> R rows of C PEs --> sums
        weights ------> skew ------^

    A tile's R rows of weights come in order, row 0 first, one a cycle, with or without gaps. The vector with
    `switch` is the first that meets them. It comes in cycle t, after the last row of weights. The first row
    of the tile after it comes in cycle t at the earliest. So tiles may follow each other every R cycles, and the
    weights of one always shift in while those before still multiply.

    Members:
        activations: bytes of one vector, channel r in byte r.
        activations_unsigned: they are 0..255, not -128..127.
        switch: see above.
        weights: bytes of one row of a tile, output channel c in byte c.
        weights_unsigned: they are 0..255.
        weights_valid: a row comes in this cycle.
        sums: int32, wrapping, of column c in bits 32 c and up; a plain value, since there are many.
    """

    activations: data.View
    activations_unsigned: Signal
    switch: Signal
    weights: data.View
    weights_unsigned: Signal
    weights_valid: Signal
    sums: Signal

    def __init__(self, config: SystolicConfig) -> None:
        self._config = config
        super().__init__(
            {
                "activations": In(data.ArrayLayout(BYTE_BITS, config.rows)),
                "activations_unsigned": In(1),
                "switch": In(1),
                "weights": In(data.ArrayLayout(BYTE_BITS, config.columns)),
                "weights_unsigned": In(1),
                "weights_valid": In(1),
                "sums": Out(SUM_BITS * config.columns),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Flags travel along the edges, a lane a cycle, beside the skewed bytes."""
        m = Module()
        rows, columns = self._config.rows, self._config.columns
        m.submodules.skew_activations = skew_activations = Skew(rows, BYTE_BITS)
        m.submodules.skew_weights = skew_weights = Skew(columns, BYTE_BITS)
        m.d.comb += [
            skew_activations.i.eq(self.activations),
            skew_weights.i.eq(self.weights),
        ]
        switches = _taps(m, self.switch, rows, "switch")
        unsigned_rows = _taps(m, self.activations_unsigned, rows, "activations_unsigned")
        valid_columns = _taps(m, self.weights_valid, columns, "weights_valid")
        unsigned_columns = _taps(m, self.weights_unsigned, columns, "weights_unsigned")

        m.submodules.block = block = ArrayBlock(rows, columns)
        m.d.comb += [
            block.weights.eq(Cat(_operand(skew_weights.o, c, unsigned_columns[c]) for c in range(columns))),
            block.valid.eq(Cat(valid_columns)),
            block.activations.eq(Cat(_operand(skew_activations.o, r, unsigned_rows[r]) for r in range(rows))),
            block.switches.eq(Cat(switches)),
            self.sums.eq(block.sums_out),
        ]
        return m


def _operand(lanes: Signal, lane: int, is_unsigned: Value) -> Value:
    """A byte as the 9 bits of an operand."""
    byte = lanes[BYTE_BITS * lane : BYTE_BITS * (lane + 1)]
    assert OPERAND_BITS == BYTE_BITS + 1
    return Cat(byte, byte[-1] & ~is_unsigned)


def _taps(m: Module, flag: Signal, count: int, name: str) -> list[Value]:
    """`flag`, delayed by 0, 1, .. count - 1 cycles."""
    delayed = Signal(count - 1, name=f"{name}_delayed")
    m.d.sync += delayed.eq(Cat(flag, delayed))
    return [flag, *delayed]
