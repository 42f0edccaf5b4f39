"""Layers that run in turns, stripe by stripe: who runs when, and how many rows of each map that needs.

A layer of its own runs its stripes one after the other. In a chain, each layer passes the rows that it
computes on to the next, which works on them soon after; of the maps between them only some rows are ever there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from celosia.generators.chassis.layer import Layer
from celosia.generators.chassis.layer_plan import needed_rows

Rows = tuple[int, int]
"""Rows low..high-1."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How a chain of layers (or one layer alone) runs.

    Attributes:
        stripes: for each layer its ofm rows, stripe by stripe, none of them empty.
        order: (place in the chain, stripe of that layer), in the order in which they run.
    """

    stripes: tuple[tuple[Rows, ...], ...]
    order: tuple[tuple[int, int], ...]


def cut(height: int, part: int) -> list[Rows]:
    """`height` rows in pieces of `part`."""
    return [(low, min(low + part, height)) for low in range(0, height, part)]


def rows_read(layer: Layer) -> int:
    """Rows of its ifm from the first one on that a layer reaches."""
    return needed_rows(layer, (0, layer.ofm_shape.height))[1]


def take_turns(layers: Sequence[Layer], height: int) -> Turns:
    """Stripes of `height` ofm rows of the last layer, and before each of them what the layers above must add for it.

    A layer should not read what the one before it has computed in the turn just before, since that is still being
    drained. Two layers therefore alternate with the first one a stripe ahead; of more layers, the later ones go
    first in each round, which leaves another turn between any two neighbours and fewer rows to keep.
    """
    rounds = [cut(layers[-1].ofm_shape.height, height)]
    for layer in reversed(layers[1:]):
        done, added = 0, []
        for stripe in rounds[0]:
            last = max(done, needed_rows(layer, stripe)[1])
            added.append((done, last))
            done = last
        rounds.insert(0, added)
    count = len(rounds[0])
    places = range(len(layers)) if len(layers) == 2 else range(len(layers) - 1, -1, -1)
    order = [
        (place, step - place)
        for step in range(count + len(layers) - 1)
        for place in places
        if 0 <= step - place < count and rounds[place][step - place][0] < rounds[place][step - place][1]
    ]
    stripes = [[rows for rows in added if rows[0] < rows[1]] for added in rounds]
    numbers = [{rows: number for number, rows in enumerate(kept)} for kept in stripes]
    return Turns(
        tuple(tuple(kept) for kept in stripes),
        tuple((place, numbers[place][rounds[place][turn]]) for place, turn in order),
    )


def passed_rows(layers: Sequence[Layer], turns: Turns, place: int) -> int:
    """Rows of a ring for what the layer at `place` passes on to the one behind it."""
    reader = layers[place + 1]
    waiting = [needed_rows(reader, stripe)[0] for stripe in turns.stripes[place + 1]]
    rows, read = 0, 0
    for member, number in turns.order:
        if member == place:
            rows = max(rows, turns.stripes[place][number][1] - waiting[read])
        elif member == place + 1:
            read += 1
    return max(rows, _pointer_step(reader, turns.stripes[place + 1]))


def streamed_rows(layer: Layer, stripes: Sequence[Rows], kept: int) -> int:
    """Rows of a ring for an ifm from memory: those of `kept` stripes, which may overlap."""
    window, height = layer.window, tallest(stripes)
    rows = (kept * height - 1) * window.stride_y + window.span_y
    return max(rows, window.stride_y)


def tallest(stripes: Sequence[Rows]) -> int:
    """Rows of the tallest stripe."""
    return max(high - low for low, high in stripes)


def _pointer_step(reader: Layer, stripes: Sequence[Rows]) -> int:
    """Rows by which COMPUTE's row pointer may advance at once, which must not be more than the ring has."""
    return max(tallest(stripes) * reader.window.stride_y, reader.window.dilation_y)
