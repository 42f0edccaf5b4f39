"""The reciprocal of SOFTMAX's sum of exponentials, by gemmlowp's three Newton steps."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ....hdl.requantize import SCALED_LATENCY

_TERM_SHIFT = 12
"""The sum of the exponentials is in Q12.19."""
_NORMALISE_CYCLES = 12
"""The sum is at least 2**19, the term of the maximum, so that at most 12 leading zeros are to be found, one a cycle."""
_OUTPUT_SHIFT = 31 - 8 + _TERM_SHIFT
"""Less the leading zeros: bits from the product of two fractions of 2**31 to 1/256."""

_48_OVER_17_IN_Q2 = 1515870810
_MINUS_32_OVER_17_IN_Q2 = -1010580540
_ONE_IN_Q2 = 1 << 29
_LAST_PRODUCT = 6
"""Seven products: the first guess, and three Newton steps of two."""
_PRODUCT_CYCLES = SCALED_LATENCY + 2
"""Cycles of one of them: its operands are registered, multiplied, used."""

RECIPROCAL_CYCLES = _NORMALISE_CYCLES + (_LAST_PRODUCT + 1) * _PRODUCT_CYCLES
"""Cycles from `start` to `done`."""


def product_layout() -> data.StructLayout:
    """What a requantizer multiplies: its accumulator, multiplier and shift."""
    return data.StructLayout({"factor": signed(32), "multiplier": unsigned(31), "shift": signed(6)})


class SoftmaxReciprocal(wiring.Component):
    """Adds up exponentials and finds what to scale them with, `RECIPROCAL_CYCLES` after `start`; no multipliers.

    Members:
        clear: start a sum.
        exponential, add: add this one, in Q0.31.
        start: the sum is complete with what is added in this cycle.
        product: for a requantizer, in the next cycle.
        scaled: its product, `SCALED_LATENCY` + 1 cycles after `product`.
        done: high in the last cycle; from the next one on, until `clear`, the results hold:
        multiplier, shift: of the requantizer that makes an exponential a result in units of 1/256.
    """

    clear: Signal
    exponential: Signal
    add: Signal
    start: Signal
    product: data.View
    scaled: Signal
    done: Signal
    multiplier: Signal
    shift: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "clear": In(1),
                "exponential": In(31),
                "add": In(1),
                "start": In(1),
                "product": Out(product_layout()),
                "scaled": In(signed(32)),
                "done": Out(1),
                "multiplier": Out(31),
                "shift": Out(signed(6)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Sum, leading zeros, products."""
        m = Module()
        total = Signal(32)
        leading_zeros = Signal(4)
        count = Signal(range(max(_NORMALISE_CYCLES, _PRODUCT_CYCLES)))
        number = Signal(range(_LAST_PRODUCT + 1))
        guess = Signal(signed(32))  # 2 / the normalised sum, in Q2.29
        error = Signal(signed(32))
        with m.If(self.add):
            rounding = self.exponential[_TERM_SHIFT - 1]
            m.d.sync += total.eq(total + self.exponential[_TERM_SHIFT:] + rounding)
        with m.If(self.clear):
            m.d.sync += [
                total.eq(0),
                leading_zeros.eq(0),
                number.eq(0),
                guess.eq(_48_OVER_17_IN_Q2),
                error.eq(_MINUS_32_OVER_17_IN_Q2),
            ]
        with m.FSM():
            with m.State("ADD"), m.If(self.start):
                m.next = "NORMALISE"
            with m.State("NORMALISE"):
                m.d.sync += count.eq(count + 1)
                with m.If(~total[-1]):
                    m.d.sync += [total.eq(total << 1), leading_zeros.eq(leading_zeros + 1)]
                with m.If(count == _NORMALISE_CYCLES - 1):
                    m.d.sync += count.eq(0)
                    m.next = "MULTIPLY"
            with m.State("MULTIPLY"):
                m.d.sync += count.eq(count + 1)
                with m.If(count == _PRODUCT_CYCLES - 1):
                    m.d.sync += [count.eq(0), number.eq(number + 1)]
                    self._use(m, number, guess, error)
                    with m.If(number == _LAST_PRODUCT):
                        m.d.comb += self.done.eq(1)
                        m.next = "ADD"

        half = total[1:]
        m.d.comb += [
            self.product.factor.eq(Mux(number[0], guess, error)),
            self.product.multiplier.eq(Mux(number[0] | (number == 0), half, guess)),
            self.shift.eq(leading_zeros - _OUTPUT_SHIFT),
        ]
        # With fewer than four leading zeros every result rounds to 0, but by more than a requantizer can shift.
        with m.If(leading_zeros[2:] != 0):
            m.d.comb += self.multiplier.eq(Mux(guess[30], (1 << 31) - 1, Cat(0, guess[:30])))
        return m

    def _use(self, m: Module, number: Value, guess: Signal, error: Signal) -> None:
        """Products in turn: the slope of the first guess; half the sum times the guess, the guess times its error."""
        with m.If(number[0]):
            m.d.sync += error.eq(_ONE_IN_Q2 - self.scaled)
        with m.Elif(number == 0):
            m.d.sync += guess.eq(guess + self.scaled)
        with m.Else():
            # Two numbers in Q2.29 multiply to Q4.27.
            m.d.sync += guess.eq(guess + (self.scaled << 2))
