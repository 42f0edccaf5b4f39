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
) -> Value:
    """The innermost of the loops of `StepWalk`: `restart` begins a tile, `taken` ends a pass, `in_last` the last one.

    Returns:
        Whether this is the last pass; it follows `taken` by a cycle, and `in_last` follows it by one more.
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
    return (step.ifm_low | ~command.ifm_int16) & (step.weights_low | ~command.weights_int16)


def plane_offset(
    m: Module,
    command: data.View,
    step: data.View,
    tile: data.View,
    restart: Value,
    next_column: Value,
    next_brick: Value,
    offset: Signal,
) -> Value:
    """`offset` of the channel brick in `StepWalk`, or that of its low bytes, kept beside it to spare an adder."""
    low, tile_low = Signal.like(offset, name="low_offset"), Signal.like(offset, name="tile_low_offset")
    first = Signal.like(offset, name="first_low_offset")
    m.d.comb += first.eq(tile.channel_offset + command.ifm_plane_pitch)
    with m.If(restart):
        m.d.sync += [tile_low.eq(first), low.eq(first)]
    with m.Elif(next_column):
        m.d.sync += low.eq(tile_low)
    with m.Elif(next_brick):
        m.d.sync += low.eq(low + command.ifm_channel_pitch)
    return Mux(step.ifm_low, low, offset)
