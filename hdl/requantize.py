"""The output stage of a quantised layer: an int32 accumulator becomes an int8 value."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, ShapeLike, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .delay_line import delayed_without_reset
from .multiplier import MULTIPLIER_LATENCY, Multiplier
from .shared_module import shared_module

REQUANTIZE_LATENCY = 9 + MULTIPLIER_LATENCY
"""Cycles from an accumulator at `accumulators` to its result at `results`."""

SCALED_LATENCY = REQUANTIZE_LATENCY - 2
"""Cycles from an accumulator at `accumulators` to its scaled value at `scaled`."""

_LOW_BITS = 17
"""Where the 32 x 31 bit product is cut: the unsigned low part fills a signed 18-bit multiplier."""


def accumulator_layout(metadata: ShapeLike) -> data.StructLayout:
    """What `Requantize` takes: one accumulator with the parameters of its channel.

    `multiplier` is a fraction of 2**31 and `shift` in -31..31 a power of two (positive is left), as
    `arithmetic_model.quantize_multiplier` gives them.
    """
    return data.StructLayout(
        {
            "accumulator": signed(32),
            "bias": signed(32),
            "multiplier": unsigned(31),
            "shift": signed(6),
            "metadata": metadata,
        }
    )


def result_layout(metadata: ShapeLike) -> data.StructLayout:
    """What `Requantize` gives: the int8 value and the metadata that came with its accumulator."""
    return data.StructLayout({"value": signed(8), "metadata": metadata})


class Requantize(wiring.Component):
    """TensorFlow Lite's requantisation with double rounding, one result a cycle, without back-pressure.

    `value` = clamp(`arithmetic_model.requantize`(wrap_int32(accumulator + bias), multiplier, shift,
    zero_point, minimum, maximum)): the bias, the left shift and the zero point wrap at 32 bits.

    Latency: `REQUANTIZE_LATENCY` cycles, every stage short of a 47-bit addition or an eight-way choice::

        1 + bias   2 << 8n   3 << 0..7, multiplier in   4 four products   5 two sums   6 their sum
        7 >> 8n    8 >> 0..7   9 round, + zero point   10 saturate to int8   11 clamp

    Cost: four 18 x 18 multipliers.

    The halves of gemmlowp's second rounding go away from zero. With `s` = 1 for a negative product, else 0,
    that is `((2*x - s) >> n) + 1 >> 1` for every n in 0..31: `x - s` comes from the rounding constant of the
    first division, and `s` itself is the bit below it. (A negative product that rounds to x = 0 gives 0 too.)

    Args:
        metadata: shape of what rides along with each accumulator to its result.

    Members:
        accumulators: one accumulator with its parameters in every cycle in which `valid` is high.
        results: the results, in order.
        scaled: the int32 value, zero point added, before it is saturated; two cycles before its result, and
            there for every accumulator, `valid` or not.
        zero_point, minimum, maximum: constants of the layer; hold them while results are on their way.
    """

    accumulators: stream.Interface
    results: stream.Interface
    scaled: Signal
    zero_point: Signal
    minimum: Signal
    maximum: Signal

    def __init__(self, metadata: ShapeLike) -> None:
        super().__init__(
            {
                "accumulators": In(stream.Signature(accumulator_layout(metadata), always_ready=True)),
                "results": Out(stream.Signature(result_layout(metadata), always_ready=True)),
                "scaled": Out(signed(32)),
                "zero_point": In(signed(8)),
                "minimum": In(signed(8)),
                "maximum": In(signed(8)),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """A straight pipeline; the number in a signal's name is the stage that registers it."""
        m = Module()
        given = self.accumulators.payload

        sum_1 = Signal(signed(32), reset_less=True)
        left_1 = Signal(5, reset_less=True)
        right_1 = Signal(5, reset_less=True)
        m.d.sync += sum_1.eq(given.accumulator + given.bias)
        with m.If(given.shift < 0):
            m.d.sync += [left_1.eq(0), right_1.eq(-given.shift)]
        with m.Else():
            m.d.sync += [left_1.eq(given.shift), right_1.eq(0)]
        multiplier_2 = delayed_without_reset(m, given.multiplier, 2)
        right_6 = delayed_without_reset(m, right_1, 5)

        shifted_2 = Signal(signed(32), reset_less=True)
        factor_2 = Signal(signed(32))
        left_2 = delayed_without_reset(m, left_1[:3], 1)
        m.d.sync += shifted_2.eq(_shifted_left(m, sum_1, left_1, (16, 8)))
        m.d.comb += factor_2.eq(_shifted_left(m, shifted_2, left_2, (4, 2, 1)))

        # Stages 3 and 4 are the multipliers': product = high_high << 34 | low_low, + (low_high + high_low) << 17.
        factor_parts = factor_2[:_LOW_BITS], factor_2[_LOW_BITS:].as_signed()
        multiplier_parts = multiplier_2[:_LOW_BITS], multiplier_2[_LOW_BITS:]
        low_low_4 = _product(m, "low_low", factor_parts[0], multiplier_parts[0])
        low_high_4 = _product(m, "low_high", factor_parts[0], multiplier_parts[1])
        high_low_4 = _product(m, "high_low", factor_parts[1], multiplier_parts[0])
        high_high_4 = _product(m, "high_high", factor_parts[1], multiplier_parts[1])
        negative_4 = delayed_without_reset(m, factor_2[-1], MULTIPLIER_LATENCY)
        negative_5 = delayed_without_reset(m, negative_4, 1)

        # Only bits 31 and up of the product are wanted, so its lowest 17 bits, which nothing is added to, are left out.
        half = 1 << (30 - _LOW_BITS)
        outer_4 = Signal(signed(46))
        outer_5 = Signal(signed(46), reset_less=True)
        inner_5 = Signal(signed(33), reset_less=True)
        total_5 = Signal(signed(46))
        doubled_6 = Signal(signed(33), reset_less=True)
        m.d.comb += outer_4.eq(Cat(low_low_4[_LOW_BITS:], high_high_4))
        m.d.sync += outer_5.eq(outer_4 + Mux(negative_4, -half, half))
        m.d.sync += inner_5.eq(low_high_4 + high_low_4)
        m.d.comb += total_5.eq(outer_5 + inner_5)
        m.d.sync += doubled_6.eq(Cat(negative_5, total_5[31 - _LOW_BITS :]))

        shifted_7 = Signal(signed(33), reset_less=True)
        shifted_8 = Signal(signed(33), reset_less=True)
        right_7 = delayed_without_reset(m, right_6[:3], 1)
        m.d.sync += shifted_7.eq(_shifted_right(m, doubled_6, right_6, (16, 8)))
        m.d.sync += shifted_8.eq(_shifted_right(m, shifted_7, right_7, (4, 2, 1)))

        scaled_9 = Signal(signed(32), reset_less=True)
        byte_10 = Signal(signed(8), reset_less=True)
        value_11 = Signal(signed(8), reset_less=True)
        # Half a step more rounds up: one sum for both.
        m.d.sync += scaled_9.eq((shifted_8 + Cat(Const(1, 1), self.zero_point).as_signed()) >> 1)
        m.d.sync += byte_10.eq(scaled_9)
        with m.If(scaled_9[7:] != scaled_9[-1].replicate(25)):
            m.d.sync += byte_10.eq(Mux(scaled_9[-1], -128, 127))
        m.d.sync += value_11.eq(byte_10)
        with m.If(byte_10 < self.minimum):
            m.d.sync += value_11.eq(self.minimum)
        with m.Elif(byte_10 > self.maximum):
            m.d.sync += value_11.eq(self.maximum)

        valid = self.accumulators.valid
        for _ in range(REQUANTIZE_LATENCY):
            valid, previous = Signal(name="valid_delayed"), valid
            m.d.sync += valid.eq(previous)
        m.d.comb += [
            self.scaled.eq(scaled_9),
            self.results.valid.eq(valid),
            self.results.payload.value.eq(value_11),
            self.results.payload.metadata.eq(delayed_without_reset(m, given.metadata, REQUANTIZE_LATENCY)),
        ]
        return m


def _shifted_left(m: Module, value: Value, count: Value, powers: Sequence[int]) -> Value:
    """`value` << those of `powers` that `count` has, as wide as it was.

    A two-way choice for each power: a choice among all counts at once takes half as many cells again.
    """
    for power in powers:
        stage = Signal(len(value), name=f"left_by_{power}")
        m.d.comb += stage.eq(Mux(count[power.bit_length() - 1], value << power, value))
        value = stage
    return value


def _shifted_right(m: Module, value: Value, count: Value, powers: Sequence[int]) -> Value:
    """As `_shifted_left`, but >>, repeating the sign."""
    for power in powers:
        stage = Signal(signed(len(value)), name=f"right_by_{power}")
        m.d.comb += stage.eq(Mux(count[power.bit_length() - 1], value >> power, value))
        value = stage
    return value


def _product(m: Module, name: str, a: Value, b: Value) -> Signal:
    m.submodules[name] = multiplier = Multiplier(a.shape(), b.shape())
    m.d.comb += [multiplier.a.eq(a), multiplier.b.eq(b)]
    return multiplier.product
