"""Operands of 16 bits in an array that multiplies bytes: a pass for each byte of the one and each of the other.

A feature map of b bytes an element lies as b planes: each channel brick is b bricks, one for each byte, the highest
first, `plane_pitch` apart. Only the highest byte has a sign. A reduction step of 16-bit operands becomes 2 or 4 steps,
the passes, innermost in the loop nest; in its order, the bytes of the weights run fastest:

    ifm high * weights high, ifm high * weights low, ifm low * weights high, ifm low * weights low

Each sum has up to three accumulators, neighbours, one for each weight of its passes: 2**16, 2**8, 1. The middle one
takes both passes of that weight. So the value is ((first << 8) + second << 8) + third, in 48 bits.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data

STEP_FIELDS = {"ifm_low": unsigned(1), "weights_low": unsigned(1), "replaces": unsigned(1)}
"""Of a step: it takes the lower bytes of either operand; it is the first of its tile to reach its accumulators."""

LARGEST_REDUCTION = 1 << 15
"""Products that the int32 accumulators of 16-bit operands have room for, whatever they are: 2 * 255 * 128 each."""


class Pass(NamedTuple):
    """Which bytes a pass multiplies."""

    ifm_low: bool
    weights_low: bool

    @property
    def place(self) -> int:
        """Of its accumulator among those of a sum."""
        return self.ifm_low + self.weights_low


def passes_of(fields: Mapping[str, int]) -> tuple[Pass, ...]:
    """The passes of each reduction step of a COMPUTE, in order; one where nothing is split."""
    ifm, weights = ((False, True)[: 1 + fields.get(name, 0)] for name in ("ifm_int16", "weights_int16"))
    return tuple(Pass(ifm_low, weights_low) for ifm_low in ifm for weights_low in weights)


def places_of(fields: Mapping[str, int]) -> int:
    """Accumulators of each sum of a COMPUTE."""
    return 1 + fields.get("ifm_int16", 0) + fields.get("weights_int16", 0)


def split(values: npt.NDArray[np.integer], count: int) -> npt.NDArray[np.uint8]:
    """The `count` lowest bytes of each value, the highest of them first, on a new first axis."""
    wide = values.astype(np.int64)
    return np.stack([(wide >> 8 * byte & 0xFF).astype(np.uint8) for byte in reversed(range(count))])


def joined(planes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The signed values whose bytes these are, the inverse of `split`."""
    total = planes[0].view(np.int8).astype(np.int64)
    for plane in planes[1:]:
        total = (total << 8) + plane
    return total


def place(step: data.View) -> Value:
    """Of a step's accumulators, the first pixel's."""
    return step.ifm_low + step.weights_low


def places(command: data.View) -> Value:
    """Accumulators of each sum."""
    return command.ifm_int16 + command.weights_int16 + 1


def walk_passes(
    m: Module, command: data.View, step: data.View, restart: Value, taken: Value, in_last: Value
) -> tuple[Value, Value]:
    """The innermost of the loops of `StepWalk`: `restart` begins a tile, `taken` ends a pass, `in_last` the last one.

    Returns:
        Whether this is the last pass, and how far its bricks are from those of the highest bytes. They follow
        `taken` by a cycle, as all of a step does, and `in_last` follows them by one more.
    """
    in_first_brick = Signal()
    next_weights_low = command.weights_int16 & ~step.weights_low
    with m.If(restart):
        m.d.sync += [step.ifm_low.eq(0), step.weights_low.eq(0), in_first_brick.eq(1)]
    with m.Elif(taken):
        m.d.sync += [
            step.weights_low.eq(next_weights_low),
            step.ifm_low.eq(Mux(next_weights_low, step.ifm_low, command.ifm_int16 & ~step.ifm_low)),
            in_first_brick.eq(in_first_brick & ~in_last),
        ]
    # The middle accumulators are reached by the weights' lower bytes first, if those have any.
    again = step.ifm_low & ~step.weights_low & command.weights_int16
    m.d.sync += step.replaces.eq(in_first_brick & ~again)
    is_last = (step.ifm_low | ~command.ifm_int16) & (step.weights_low | ~command.weights_int16)
    return is_last, Mux(step.ifm_low, command.ifm_plane_pitch, 0)
