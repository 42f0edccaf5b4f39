"""Values that travel beside a pipeline."""

from amaranth.hdl import Module, Signal, Value, ValueLike


def delayed_without_reset(m: Module, value: ValueLike, cycles: int) -> Value:
    """`value`, `cycles` clock cycles ago, in registers without a reset."""
    delayed = Value.cast(value)
    for _ in range(cycles):
        delayed, previous = Signal(delayed.shape(), name="delayed", reset_less=True), delayed
        m.d.sync += delayed.eq(previous)
    return delayed
