"""Row pointers into a ring of rows, advanced in one cycle by a step that is known beforehand."""

from amaranth.hdl import Module, Mux, Value, signed, unsigned
from amaranth.lib import data

ADDRESS_BITS = 16

RING_STEP = data.StructLayout(
    {
        "forward": unsigned(ADDRESS_BITS),
        "wrapped": unsigned(ADDRESS_BITS),
        "past_end": signed(ADDRESS_BITS + 3),
    }
)
"""A step through a ring: its bricks, these less the ring's size, these less the ring's end."""


def prepare_step(m: Module, step: data.View, bricks: Value, ring_end: Value, ring_size: Value) -> None:
    """Register `bricks` (at most 17 bits count) as a `RING_STEP`, a cycle later."""
    m.d.sync += [
        step.forward.eq(bricks),
        step.wrapped.eq(bricks - ring_size),
        step.past_end.eq(bricks[: ADDRESS_BITS + 1] - ring_end),
    ]


def advance(pointer: Value, step: data.View) -> Value:
    """`pointer` + step, less the ring's size if that lies at or past the ring's end; modulo 2**16.

    Three adders side by side and a multiplexer.
    """
    at_or_past_end = (pointer + step.past_end) >= 0
    return Mux(at_or_past_end, pointer + step.wrapped, pointer + step.forward)[:ADDRESS_BITS]
