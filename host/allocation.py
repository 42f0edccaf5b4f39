"""Which feature maps stay in the unified buffer, where, and in how many stripes a layer runs.

Maps are placed in the order in which the layers run, first fit, for as long as they are needed. A layer
whose ifm or ofm is not in the buffer streams it: rows of a ring come in or go out stripe by stripe. When there
is no room, the largest map alive is moved to memory and placement starts again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from celosia.generators.chassis.layer import Layer, MapShape
from celosia.generators.chassis.placement import Placement

STREAMED_STRIPES = 6
"""Stripes into which a layer that streams is cut, so that moving rows hides behind computing."""


class AllocationError(ValueError):
    """A `layer` that does not fit the unified buffer even alone.

    `assembled` are the maps written by several layers that lie there at that time, the largest first.
    """

    def __init__(self, layer: Layer, buffer_bricks: int, assembled: Sequence[str] = ()) -> None:
        super().__init__(
            f"its feature maps must fit the unified buffer, as a whole or row by row (found {_text(layer.ifm_shape)} "
            f"in, {_text(layer.ofm_shape)} out for {buffer_bricks * 8} bytes)"
        )
        self.layer = layer
        self.assembled = tuple(assembled)


def _text(shape: MapShape) -> str:
    return f"{shape.height} x {shape.width} x {shape.channels}"


@dataclass(frozen=True, slots=True)
class MapUse:
    """What the allocation must know of a feature map.

    Attributes:
        shape: as it is written (or as it lies in memory).
        in_memory: it comes from memory: an input or a constant.
        to_memory: it must be in memory at the end: an output.
        writers, readers: indices of layers.
    """

    shape: MapShape
    in_memory: bool
    to_memory: bool
    writers: tuple[int, ...]
    readers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LayerPlaces:
    """Places of one layer's maps and its stripes; which of them move through memory follows from `Allocation`."""

    ifm: Placement
    ofm: Placement
    ifm2: Placement | None
    stripes: tuple[tuple[int, int], ...]
    streams_ifm: bool
    streams_ifm2: bool


@dataclass(frozen=True, slots=True)
class Allocation:
    """The result: one entry a layer; `spilled` maps move through memory; `peak` is in bricks."""

    layers: tuple[LayerPlaces, ...]
    spilled: frozenset[str]
    peak: int


@dataclass(slots=True)
class _FreeList:
    """Free bricks as sorted (low, high) ranges."""

    bricks: int
    ranges: list[tuple[int, int]] = field(default_factory=list)
    peak: int = 0

    def __post_init__(self) -> None:
        self.ranges = [(0, self.bricks)]

    @property
    def largest(self) -> int:
        return max((high - low for low, high in self.ranges), default=0)

    def take(self, size: int) -> int | None:
        for index, (low, high) in enumerate(self.ranges):
            if high - low >= size:
                self.ranges[index : index + 1] = [(low + size, high)] if high - low > size else []
                self.peak = max(self.peak, low + size)
                return low
        return None

    def give(self, low: int, size: int) -> None:
        merged: list[tuple[int, int]] = []
        for start, end in sorted([*self.ranges, (low, low + size)]):
            if merged and merged[-1][1] == start:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((start, end))
        self.ranges = merged


class _NoRoom(Exception):
    """Placement failed at a layer; `alive` are the maps that want to be in the buffer, with their bricks."""

    def __init__(self, layer: Layer, alive: dict[str, int]) -> None:
        super().__init__(layer.name)
        self.layer = layer
        self.alive = alive


def allocate(
    layers: Sequence[Layer], maps: Mapping[str, MapUse], buffer_bricks: int, cramped: Collection[int] = ()
) -> Allocation:
    """Place every map.

    The layers of the operators `cramped` stream row by row, each of them moved and worked on in turn.

    Raises:
        AllocationError: a layer does not fit by itself; the message says what it needs.
    """
    spilled = frozenset(_needs_memory(layers, maps))
    while True:
        try:
            return _place(layers, maps, spilled, buffer_bricks, cramped)
        except _NoRoom as failure:
            largest = sorted(failure.alive, key=failure.alive.__getitem__, reverse=True)
            movable = [name for name in largest if len(maps[name].writers) == 1 and name not in spilled]
            if not movable:
                assembled = [name for name in largest if len(maps[name].writers) > 1]
                raise AllocationError(failure.layer, buffer_bricks, assembled) from None
            spilled |= {movable[0]}


def _operands(layer: Layer) -> list[tuple[str, MapShape]]:
    """Names of the maps that a layer reads, and the shapes as which it reads them."""
    operands = [(layer.ifm, layer.ifm_shape)]
    if layer.ifm2 is not None and layer.ifm2_shape is not None:
        operands.append((layer.ifm2, layer.ifm2_shape))
    return operands


def _needs_memory(layers: Sequence[Layer], maps: Mapping[str, MapUse]) -> list[str]:
    """Maps that a layer reads in another shape than they were written in: they are packed anew through memory."""
    return [
        name
        for layer in layers
        for name, shape in _operands(layer)
        if not maps[name].in_memory and shape != maps[name].shape
    ]


def _place(
    layers: Sequence[Layer],
    maps: Mapping[str, MapUse],
    spilled: frozenset[str],
    buffer_bricks: int,
    cramped: Collection[int],
) -> Allocation:
    free = _FreeList(buffer_bricks)
    resident: dict[str, Placement] = {}
    places = []
    for index, layer in enumerate(layers):
        kept = 1 if layer.operator in cramped else 2
        places.append(_place_layer(layer, kept, maps, spilled, resident, free))
        for name in list(resident):
            if max(maps[name].readers, default=-1) <= index and max(maps[name].writers) <= index:
                placement = resident.pop(name)
                free.give(placement.base, placement.bricks)
    return Allocation(tuple(places), spilled, free.peak)


def _whole(shape: MapShape, base: int = 0) -> Placement:
    return Placement(base, shape, shape.height)


def _place_layer(
    layer: Layer,
    kept: int,
    maps: Mapping[str, MapUse],
    spilled: frozenset[str],
    resident: dict[str, Placement],
    free: _FreeList,
) -> LayerPlaces:
    """Place what `layer` needs; of what it streams the buffer keeps `kept` stripes."""
    ofm_use = maps[layer.ofm]
    if layer.ofm not in resident and (layer.ofm not in spilled or len(ofm_use.writers) > 1):
        size = _whole(ofm_use.shape)
        base = free.take(size.bricks)
        if base is None:
            raise _NoRoom(layer, _alive(layer, maps, resident))
        resident[layer.ofm] = _whole(ofm_use.shape, base)
    ofm = resident.get(layer.ofm)
    streams_ifm = layer.ifm not in resident or layer.ifm_shape != resident[layer.ifm].shape
    streams_ifm2 = layer.ifm2 is not None and (
        layer.ifm2 not in resident or layer.ifm2_shape != resident[layer.ifm2].shape
    )
    streams = streams_ifm or streams_ifm2 or ofm is None
    for height in _stripe_choice(layer.ofm_shape.height, kept) if streams else [layer.ofm_shape.height]:
        rings = _rings(layer, height, kept, streams_ifm, streams_ifm2, ofm is None)
        taken: list[tuple[int, Placement]] = []
        for ring in rings:
            base = free.take(ring.bricks) if ring is not None else None
            if ring is not None and base is None:
                break
            if ring is not None and base is not None:
                taken.append((base, ring))
        needed = [ring for ring in rings if ring is not None]
        for base, ring in taken:
            free.give(base, ring.bricks)
        if len(taken) == len(needed):
            bases = iter([base for base, _ in taken])
            placed = [
                None if ring is None else Placement(next(bases), ring.shape, ring.rows) for ring in rings
            ]
            second = placed[1]
            if second is None and layer.ifm2 is not None:
                second = resident[layer.ifm2]
            return LayerPlaces(
                ifm=placed[0] or resident[layer.ifm],
                ofm=placed[2] or resident[layer.ofm],
                ifm2=second,
                stripes=_cut(layer.ofm_shape.height, height),
                streams_ifm=streams_ifm,
                streams_ifm2=streams_ifm2,
            )
    raise _NoRoom(layer, _alive(layer, maps, resident))


def _alive(layer: Layer, maps: Mapping[str, MapUse], resident: Mapping[str, Placement]) -> dict[str, int]:
    """Maps in the buffer at this layer, with their bricks; its own ofm too if it is not there yet."""
    alive = {name: placement.bricks for name, placement in resident.items()}
    alive.setdefault(layer.ofm, _whole(maps[layer.ofm].shape).bricks)
    return alive


def _cut(height: int, part: int) -> tuple[tuple[int, int], ...]:
    return tuple((low, min(low + part, height)) for low in range(0, height, part))


def _stripe_choice(height: int, kept: int) -> list[int]:
    """Stripe heights to try, best first."""
    best = max(1, -(-height // STREAMED_STRIPES)) if kept > 1 else 1
    smaller = [size for size in (best // 2, best // 4, best // 8, 2, 1) if 0 < size < best]
    return [best, *smaller]


def _rings(
    layer: Layer, height: int, kept: int, streams_ifm: bool, streams_ifm2: bool, streams_ofm: bool
) -> tuple[Placement | None, Placement | None, Placement | None]:
    """Rings for what streams: of two stripes kept, one moves while the other is worked on."""
    window = layer.window
    ifm = ifm2 = ofm = None
    if streams_ifm:
        rows = (height - 1) * window.stride_y + window.span_y + (kept - 1) * height * window.stride_y
        ifm = _ring(layer.ifm_shape, max(rows, window.stride_y))
    if streams_ifm2 and layer.ifm2_shape is not None:
        ifm2 = _ring(layer.ifm2_shape, kept * height)
    if streams_ofm:
        ofm = _ring(layer.ofm_shape, kept * height)
    return ifm, ifm2, ofm


def _ring(shape: MapShape, rows: int) -> Placement:
    return Placement(0, shape, min(rows, shape.height))
