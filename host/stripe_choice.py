"""In how many stripes layers run, and where loading hides behind more than one of them: by estimated cycles."""

from collections.abc import Callable, Sequence

from celosia.generators.chassis.layer import Layer
from celosia.generators.chassis.layer_plan import needed_rows
from celosia.generators.chassis.placement import UnifiedBuffer

from .stripes import Turns, take_turns

Cycles = Callable[[Layer, int], int]
"""Estimated cycles of so many ofm rows of a layer."""

MOST_STRIPES = 16
"""Beyond these, stripes are too many to be worth a choice; only a lack of room leads there."""
STRIPE_CYCLES = 20
"""What every stripe costs besides its rows: the start of its commands."""
_FULL_PORT = 1.1
"""Loading takes that much longer than a brick a cycle, since results are written first."""


def stripe_heights(
    chain: Sequence[Layer],
    streamed: Sequence[int],
    streams_ofm: bool,
    cycles: Cycles,
    buffer: UnifiedBuffer,
) -> list[int]:
    """Heights of the last layer's stripes to try, those with the fewest estimated cycles first.

    Args:
        chain: layers that run in turns.
        streamed: places in the chain of layers whose ifm comes from memory.
        streams_ofm: the last ofm goes to memory.
        cycles: of each layer.
        buffer: the unified buffer.
    """
    height = chain[-1].ofm_shape.height
    heights = list(dict.fromkeys(-(-height // count) for count in range(1, height + 1)))
    worth_a_choice = [part for part in heights if -(-height // part) <= MOST_STRIPES]

    def estimate(part: int) -> int:
        turns = take_turns(chain, part)
        work = sum(
            cycles(chain[place], turns.stripes[place][number][1] - turns.stripes[place][number][0])
            + STRIPE_CYCLES
            for place, number in turns.order
        )
        loads = [_loads(chain[place], turns, place, buffer) for place in streamed]
        exposed = sum(rows[0] for rows in loads)
        stored = buffer.row_bricks(chain[-1].ofm_shape) * min(part, height) if streams_ofm else 0
        return exposed + max(work, sum(map(sum, loads)) - exposed) + stored

    return [*sorted(worth_a_choice, key=estimate), *heights[len(worth_a_choice) :]]


def hide_loading(
    layers: Sequence[Layer],
    from_memory: Callable[[str], bool],
    can_pass: Callable[[str], bool],
    cycles: Cycles,
    buffer: UnifiedBuffer,
) -> frozenset[str]:
    """Maps to pass on, though there may be room, so that the layers behind compute while a first ifm is loaded.

    Without, a layer that loads longer than it computes makes all others wait. If any, three layers or more are
    joined: two have to wait for each other's last tiles.
    """
    passed: set[str] = set()
    for first, layer in enumerate(layers):
        load = _FULL_PORT * buffer.row_bricks(layer.ifm_shape) * layer.ifm_shape.height
        work = cycles(layer, layer.ofm_shape.height)
        if not from_memory(layer.ifm) or work >= load:
            continue
        last = first
        while (work < load or last == first + 1) and can_pass(layers[last].ofm):
            passed.add(layers[last].ofm)
            last += 1
            work += cycles(layers[last], layers[last].ofm_shape.height)
    return frozenset(passed)


def _loads(layer: Layer, turns: Turns, place: int, buffer: UnifiedBuffer) -> list[int]:
    """Bricks that each stripe needs besides those that the ones before it have loaded."""
    ends = [needed_rows(layer, stripe)[1] for stripe in turns.stripes[place]]
    return [
        (end - start) * buffer.row_bricks(layer.ifm_shape)
        for start, end in zip([0, *ends], ends, strict=False)
    ]
