"""The innermost of the loops of COMPUTE where 16-bit operands are split: the passes that `planes` tells."""

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data

STEP_FIELDS = {"ifm_low": unsigned(1), "weights_low": unsigned(1), "replaces": unsigned(1)}
"""Of a step: it takes the lower bytes of either operand; it is the first of its tile to reach its accumulators."""


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
