"""The output stage of 16-bit operands: a 48-bit sum is scaled, rounded once and clamped, or left as it is."""

from amaranth.hdl import Cat, Const, Module, Mux, ShapeLike, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arithmetic_model import REDUCED_MULTIPLIER_BITS, WIDE_SUM_BITS
from .delay_line import delayed_without_reset
from .multiplier import MULTIPLIER_LATENCY, Multiplier
from .shared_module import shared_module

WIDE_VALUE_BITS = 16
"""Of a clamped result."""

LARGEST_RIGHT_SHIFT = 38

WIDE_REQUANTIZE_LATENCY = 7 + MULTIPLIER_LATENCY
"""Cycles from a sum at `sums` to its result at `results`."""

_LOW_BITS = 17
"""Of a part of the sum: an unsigned operand of an 18 x 18 multiplier."""
_DROPPED_BITS = 7
"""Of the product: every shift is by so many and more."""
_WRAPPED_BITS = 32


def wide_sum_layout(metadata: ShapeLike) -> data.StructLayout:
    """What `WideRequantize` takes: a sum with the parameters of its channel.

    `multiplier` is `arithmetic_model.reduced_multiplier`'s, and `right_shift` is 7 less the shift that comes with it:
    0..`LARGEST_RIGHT_SHIFT`.
    """
    return data.StructLayout(
        {
            "sum": signed(WIDE_SUM_BITS),
            "bias": signed(WIDE_SUM_BITS),
            "multiplier": unsigned(REDUCED_MULTIPLIER_BITS),
            "right_shift": unsigned(6),
            "metadata": metadata,
        }
    )


def wide_result_layout(metadata: ShapeLike) -> data.StructLayout:
    """What it gives: the value and the metadata that came with its sum."""
    return data.StructLayout({"value": signed(WIDE_SUM_BITS), "metadata": metadata})


class WideRequantize(wiring.Component):
    """TensorFlow Lite's requantization of sums of int16 activations, one result a cycle, without back-pressure.

    `value` = clamp(`arithmetic_model.multiply_wide_by_quantized_multiplier`(sum + bias, multiplier, shift), minimum,
    maximum); sum + bias wraps at 48 bits. With `is_raw` the scaled value is neither wrapped to 32 bits nor clamped: a
    multiplier of 2**14 with a `right_shift` of 6 then leaves the sum as it is, all of its 48 bits.

    Latency: `WIDE_REQUANTIZE_LATENCY` cycles, every stage short of a 49-bit addition::

        1 + bias   2 multiplier in   3 three products   4 their sum   5 >> 32, 16, 8   6 >> 4, 2, 1   7 round
        8 saturate to int16   9 clamp

    Cost: three 18 x 18 multipliers.

    Args:
        metadata: shape of what rides along with each sum to its result.

    Members:
        sums: one sum with its parameters in every cycle in which `valid` is high.
        results: the results, in order.
        is_raw, minimum, maximum: constants of the layer; hold them while results are on their way.
    """

    sums: stream.Interface
    results: stream.Interface
    is_raw: Signal
    minimum: Signal
    maximum: Signal

    def __init__(self, metadata: ShapeLike) -> None:
        super().__init__(
            {
                "sums": In(stream.Signature(wide_sum_layout(metadata), always_ready=True)),
                "results": Out(stream.Signature(wide_result_layout(metadata), always_ready=True)),
                "is_raw": In(1),
                "minimum": In(signed(WIDE_VALUE_BITS)),
                "maximum": In(signed(WIDE_VALUE_BITS)),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """A straight pipeline; the number in a signal's name is the stage that registers it."""
        m = Module()
        given = self.sums.payload
        sum_1 = Signal(signed(WIDE_SUM_BITS), reset_less=True)
        m.d.sync += sum_1.eq(given.sum + given.bias)
        product_4 = self._product(m, sum_1, delayed_without_reset(m, given.multiplier, 1))

        right_4 = delayed_without_reset(m, given.right_shift, 4)
        shifted_5, shifted_6 = (
            Signal(signed(len(product_4)), name=f"shifted_{n}", reset_less=True) for n in (5, 6)
        )
        m.d.sync += [
            shifted_5.eq(_shifted_right(m, product_4, right_4, (32, 16, 8))),
            shifted_6.eq(_shifted_right(m, shifted_5, delayed_without_reset(m, right_4[:3], 1), (4, 2, 1))),
        ]
        # Half a step more rounds up; the bit below the result's lowest is that half.
        rounded_7, scaled_8, value_9 = (
            Signal(signed(WIDE_SUM_BITS), name=name, reset_less=True)
            for name in ("rounded_7", "scaled_8", "value_9")
        )
        m.d.sync += rounded_7.eq((shifted_6 + Const(1)) >> 1)
        wrapped = rounded_7[:_WRAPPED_BITS].as_signed()
        sign = wrapped[-1]
        m.d.sync += scaled_8.eq(Mux(self.is_raw, rounded_7, wrapped))
        above = wrapped[WIDE_VALUE_BITS - 1 :]
        with m.If(~self.is_raw & (above != sign.replicate(len(above)))):
            m.d.sync += scaled_8.eq(Mux(sign, -(1 << 15), (1 << 15) - 1))
        narrow = scaled_8[:WIDE_VALUE_BITS].as_signed()
        m.d.sync += value_9.eq(scaled_8)
        with m.If(~self.is_raw & (narrow < self.minimum)):
            m.d.sync += value_9.eq(self.minimum)
        with m.Elif(~self.is_raw & (narrow > self.maximum)):
            m.d.sync += value_9.eq(self.maximum)

        valid = self.sums.valid
        for _ in range(WIDE_REQUANTIZE_LATENCY):
            valid, previous = Signal(name="valid_delayed"), valid
            m.d.sync += valid.eq(previous)
        m.d.comb += [
            self.results.valid.eq(valid),
            self.results.payload.value.eq(value_9),
            self.results.payload.metadata.eq(
                delayed_without_reset(m, given.metadata, WIDE_REQUANTIZE_LATENCY)
            ),
        ]
        return m

    def _product(self, m: Module, sum_1: Value, multiplier_1: Value) -> Signal:
        """The product in stage 4, without its lowest bits, which no result depends on."""
        parts = (
            sum_1[:_LOW_BITS],
            sum_1[_LOW_BITS : 2 * _LOW_BITS],
            sum_1[2 * _LOW_BITS :].as_signed(),
        )
        products = []
        for name, part in zip(("low", "middle", "high"), parts, strict=True):
            m.submodules[name] = multiplier = Multiplier(part.shape(), unsigned(REDUCED_MULTIPLIER_BITS))
            m.d.comb += [multiplier.a.eq(part), multiplier.b.eq(multiplier_1)]
            products.append(multiplier.product)
        low, middle, high = products
        bits = WIDE_SUM_BITS + REDUCED_MULTIPLIER_BITS
        outer = Signal(signed(bits - _LOW_BITS))
        total = Signal(signed(bits - _LOW_BITS))
        product_4 = Signal(signed(bits - _DROPPED_BITS), reset_less=True)
        # low and high do not meet: high counts from bit 34 on, and low has 32.
        m.d.comb += [
            outer.eq(Cat(low[_LOW_BITS:], Const(0, 2 * _LOW_BITS - len(low)), high).as_signed()),
            total.eq(outer + middle),
        ]
        m.d.sync += product_4.eq(Cat(low[_DROPPED_BITS:_LOW_BITS], total))
        return product_4


def _shifted_right(m: Module, value: Value, count: Value, powers: tuple[int, ...]) -> Value:
    """`value` >> those of `powers` that `count` has, repeating the sign."""
    for power in powers:
        stage = Signal(signed(len(value)), name=f"right_by_{power}")
        m.d.comb += stage.eq(Mux(count[power.bit_length() - 1], value >> power, value))
        value = stage
    return value
