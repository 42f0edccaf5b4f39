"""Integer multiplier of fixed latency: the one place where a multiplication becomes a DSP block."""

from amaranth.hdl import Module, Shape, ShapeLike, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .shared_module import shared_module

MULTIPLIER_LATENCY = 2
"""Cycles from `a` and `b` to their `product`: an input register and a product register."""

_OPERAND_BITS = 18
"""Widest signed operand of the DSP blocks in common: 18 x 18 (ECP5), 25 x 18 (7-series), 27 x 18."""


class Multiplier(wiring.Component):
    """`product` = `a` * `b`, exact, `MULTIPLIER_LATENCY` cycles later, a new pair every cycle.

    Inferred from generic Verilog. A platform with a method `get_multiplier(multiplier)`, which returns
    an elaboratable that drives `multiplier.product`, puts its own DSP block there instead, with the same
    latency. The registers hold garbage until `MULTIPLIER_LATENCY` cycles have passed: they have no reset.

    Cost: one DSP block of at least 18 x 18 bits.

    Args:
        a_shape, b_shape: signed of at most 18 bits or unsigned of at most 17.

    Members:
        a, b: the operands.
        product: signed if either operand is, as wide as the widths of both together.

    Raises:
        ValueError: an operand that does not fit a signed 18-bit input.
    """

    a: Signal
    b: Signal
    product: Signal

    def __init__(self, a_shape: ShapeLike, b_shape: ShapeLike) -> None:
        a, b = _operand("a_shape", a_shape), _operand("b_shape", b_shape)
        product = Shape(a.width + b.width, signed=a.signed or b.signed)
        super().__init__({"a": In(a), "b": In(b), "product": Out(product)})

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """Registers around one product, or what the platform has for it."""
        if (get_multiplier := getattr(platform, "get_multiplier", None)) is not None:
            return get_multiplier(self)
        m = Module()
        a = Signal.like(self.a, reset_less=True)
        b = Signal.like(self.b, reset_less=True)
        product = Signal.like(self.product, reset_less=True)
        m.d.sync += [a.eq(self.a), b.eq(self.b), product.eq(a * b)]
        m.d.comb += self.product.eq(product)
        return m


def _operand(name: str, shape_like: ShapeLike) -> Shape:
    shape = Shape.cast(shape_like)
    limit = _OPERAND_BITS if shape.signed else _OPERAND_BITS - 1
    if not 1 <= shape.width <= limit:
        raise ValueError(f"{name} must be of 1..{limit} bits when {_kind(shape)}, not {shape.width}")
    return shape


def _kind(shape: Shape) -> str:
    return "signed" if shape.signed else "unsigned"
