"""Sums of two numbers and a bit in one carry chain."""

from amaranth.hdl import Cat, Const, Signal, Value


def add_with_carry(total: Signal, addend: Value, carry: Value) -> Value:
    """`total` + `addend` + the bit `carry`, as wide as `total`: one adder, where synthesis would make two in a row.

    `addend` is extended by its sign, if it has one.
    """
    below = Cat(carry, addend)
    if addend.shape().signed:
        below = below.as_signed()
    return (Cat(Const(1, 1), total) + below)[1 : len(total) + 1]
