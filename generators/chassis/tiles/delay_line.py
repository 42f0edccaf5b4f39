"""Values that travel beside a pipeline."""

from typing import Any

from amaranth.hdl import Module, Signal


def delayed(m: Module, value: Any, cycles: int, name: str) -> Any:
    """`value`, `cycles` cycles later and of the same shape; the registers are called after `name`."""
    for cycle in range(1, cycles + 1):
        stage = Signal(value.shape(), name=f"{name}_{cycle}")
        m.d.sync += stage.eq(value)
        value = stage
    return value
