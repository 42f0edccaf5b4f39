"""The output stage of a fixed-point layer: a wide accumulator is rounded once and saturated."""

from amaranth.hdl import Cat, Const, Module, Mux, ShapeLike, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .shared_module import shared_module

ROUND_LATENCY = 6
"""Cycles from an accumulator at `accumulators` to its result at `results`."""

_SHIFT_BITS = 5


def accumulator_layout(sum_bits: int, metadata: ShapeLike) -> data.StructLayout:
    """What `FixedPointRound` takes: one accumulator with its bias and its shift to the right, 0..31."""
    return data.StructLayout(
        {
            "accumulator": signed(sum_bits),
            "bias": signed(sum_bits),
            "shift": unsigned(_SHIFT_BITS),
            "metadata": metadata,
        }
    )


def result_layout(bits: int, metadata: ShapeLike) -> data.StructLayout:
    """What it gives: the value and the metadata that came with its accumulator."""
    return data.StructLayout({"value": signed(bits), "metadata": metadata})


class FixedPointRound(wiring.Component):
    """clamp((accumulator + bias) / 2**shift, rounded), one result a cycle, without back-pressure.

    The sum wraps at `sum_bits`. The quotient is rounded to the nearest integer, halves to the even one or away from
    zero.

    Latency: `ROUND_LATENCY` cycles::

        1 + bias   2 >> 16, 8   3 >> 4, 2, 1   4 round up?   5 + 1   6 clamp

    The shifts keep the bit below the quotient, and whether any below that one was set.

    Cost: two adders and two comparators of `sum_bits`, a shifter; no multiplier.

    Args:
        bits: of a result.
        sum_bits: of an accumulator and its bias.
        metadata: shape of what rides along with each accumulator to its result.

    Members:
        accumulators: one accumulator with its parameters in every cycle in which `valid` is high.
        results: the results, in order.
        to_even, minimum, maximum: constants of the layer; hold them while results are on their way.
    """

    accumulators: stream.Interface
    results: stream.Interface
    to_even: Signal
    minimum: Signal
    maximum: Signal

    def __init__(self, bits: int, sum_bits: int, metadata: ShapeLike) -> None:
        self._bits, self._sum_bits = bits, sum_bits
        super().__init__(
            {
                "accumulators": In(
                    stream.Signature(accumulator_layout(sum_bits, metadata), always_ready=True)
                ),
                "results": Out(stream.Signature(result_layout(bits, metadata), always_ready=True)),
                "to_even": In(1),
                "minimum": In(signed(bits)),
                "maximum": In(signed(bits)),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """A straight pipeline; the number in a signal's name is the stage that registers it."""
        m = Module()
        sum_bits = self._sum_bits
        given = self.accumulators.payload
        sum_1 = Signal(signed(sum_bits), reset_less=True)
        shift_1, shift_2 = Signal(_SHIFT_BITS, reset_less=True), Signal(3, reset_less=True)
        m.d.sync += [
            sum_1.eq(given.accumulator + given.bias),
            shift_1.eq(given.shift),
            shift_2.eq(shift_1[:3]),
        ]
        # Twice the sum: the lowest bit is what the quotient leaves out first.
        doubled_2, doubled_3 = (
            Signal(signed(sum_bits + 1), name=f"doubled_{n}", reset_less=True) for n in (2, 3)
        )
        lost_2, lost_3 = Signal(reset_less=True), Signal(reset_less=True)
        coarse, coarse_lost = _shifted(m, Cat(Const(0, 1), sum_1).as_signed(), Const(0, 1), shift_1, (16, 8))
        fine, fine_lost = _shifted(m, doubled_2, lost_2, shift_2, (4, 2, 1))
        m.d.sync += [doubled_2.eq(coarse), lost_2.eq(coarse_lost), doubled_3.eq(fine), lost_3.eq(fine_lost)]

        quotient_4, quotient_5 = (
            Signal(signed(sum_bits), name=f"quotient_{n}", reset_less=True) for n in (4, 5)
        )
        rises_4, value_6 = Signal(reset_less=True), Signal(signed(self._bits), reset_less=True)
        middle_rises = Mux(self.to_even, doubled_3[1], ~doubled_3[-1])
        m.d.sync += [
            quotient_4.eq(doubled_3 >> 1),
            rises_4.eq(doubled_3[0] & (lost_3 | middle_rises)),
            # A quotient that a shift made has room for one more; without a shift nothing rises.
            quotient_5.eq(quotient_4 + rises_4),
            value_6.eq(quotient_5),
        ]
        with m.If(quotient_5 < self.minimum):
            m.d.sync += value_6.eq(self.minimum)
        with m.Elif(quotient_5 > self.maximum):
            m.d.sync += value_6.eq(self.maximum)

        valid, metadata = self.accumulators.valid, Value.cast(given.metadata)
        for stage in range(1, ROUND_LATENCY + 1):
            valid, valid_before = Signal(name=f"valid_{stage}"), valid
            metadata, metadata_before = (
                Signal(len(metadata), name=f"metadata_{stage}", reset_less=True),
                metadata,
            )
            m.d.sync += [valid.eq(valid_before), metadata.eq(metadata_before)]
        m.d.comb += [
            self.results.valid.eq(valid),
            self.results.payload.value.eq(value_6),
            self.results.payload.metadata.eq(metadata),
        ]
        return m


def _shifted(
    m: Module, value: Value, lost: Value, count: Value, powers: tuple[int, ...]
) -> tuple[Value, Value]:
    """`value` >> those of `powers` that `count` has, and whether a bit that was set, or `lost`, is gone."""
    for power in powers:
        here = count[power.bit_length() - 1]
        stage, stage_lost = Signal(signed(len(value)), name=f"by_{power}"), Signal(name=f"lost_by_{power}")
        m.d.comb += [
            stage.eq(Mux(here, value >> power, value)),
            stage_lost.eq(lost | (here & value[:power].any())),
        ]
        value, lost = stage, stage_lost
    return value, lost
