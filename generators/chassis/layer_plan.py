"""A layer whose feature maps have their places: what lowering gets, whatever the family."""

from dataclasses import dataclass

from .layer import Layer
from .placement import MemoryTensor, Placement


@dataclass(frozen=True, slots=True)
class Operand:
    """A feature map as one layer sees it: its place in the buffer and, if it is streamed, in memory."""

    placement: Placement
    memory: MemoryTensor | None = None


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """A layer with its operands placed; `stripes` are the ofm rows (of the layer's part) in each round."""

    layer: Layer
    index: int
    ifm: Operand
    ofm: Operand
    stripes: tuple[tuple[int, int], ...]
    ifm2: Operand | None = None


def needed_rows(layer: Layer, stripe: tuple[int, int]) -> tuple[int, int]:
    """Ifm rows first..last-1, without padding, that a stripe of the ofm reads."""
    window = layer.window
    top, bottom = layer.row_bounds
    first = stripe[0] * window.stride_y - window.pad_top
    last = (stripe[1] - 1) * window.stride_y - window.pad_top + window.span_y
    return max(first, top), min(last, bottom)
