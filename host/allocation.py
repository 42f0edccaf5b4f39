"""Which feature maps stay in the unified buffer, where, and in how many stripes a layer runs.

Maps are placed in the order in which the layers run, first fit, for as long as they are needed. When there
is no room, the largest map alive gives way and placement starts again. If only the next layer reads it, the two
layers join a chain, which passes the map's rows on through a ring (`stripes.py`). Otherwise, or if the chain
finds no room either, it moves to memory; a layer whose ifm or ofm is not in the buffer streams it: rows of a ring
come in or go out stripe by stripe.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from celosia.generators.chassis.layer import Layer, MapShape
from celosia.generators.chassis.placement import Placement, UnifiedBuffer

from .stripe_choice import Cycles, hide_loading, stripe_heights
from .stripes import Turns, passed_rows, rows_read, streamed_rows, take_turns, tallest

FITTING_RULE = "Its feature maps must fit the unified buffer, as a whole or row by row"
"""What a layer that raises `AllocationError` breaks, as the user reads it."""


class AllocationError(ValueError):
    """A `layer` that does not fit the unified buffer even alone.

    `assembled` are the maps written by several layers that lie there at that time, the largest first.
    """

    def __init__(self, layer: Layer, buffer: UnifiedBuffer, assembled: Sequence[str] = ()) -> None:
        super().__init__(
            f"{FITTING_RULE} (found {_text(layer.ifm_shape)} "
            f"in, {_text(layer.ofm_shape)} out for {buffer.size} bytes)"
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
class Chain:
    """Layers first..last-1, of which each passes rows on to the next; `order` as in `Turns`."""

    first: int
    last: int
    order: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """The result.

    Attributes:
        layers: one entry a layer.
        chains: all layers in the order in which they run; most are alone.
        spilled: maps that move through memory.
        peak: bricks in use.
    """

    layers: tuple[LayerPlaces, ...]
    chains: tuple[Chain, ...]
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
    layers: Sequence[Layer],
    maps: Mapping[str, MapUse],
    buffer: UnifiedBuffer,
    cycles: Cycles,
    cramped: Collection[int] = (),
) -> Allocation:
    """Place every map.

    Args:
        layers: in the order in which they run.
        maps: what they do with each map.
        buffer: the unified buffer.
        cycles: estimate of a layer's time, by which the stripes are chosen.
        cramped: operators whose layers stream row by row, each of them moved and worked on in turn.

    Raises:
        AllocationError: a layer does not fit by itself; the message says what it needs.
    """
    spilled = frozenset(_needs_memory(layers, maps))
    passed = hide_loading(
        layers, lambda name: maps[name].in_memory, lambda name: _can_pass(name, layers, maps), cycles, buffer
    )
    while True:
        try:
            return _place(layers, maps, spilled, passed, buffer, cycles, cramped)
        except _NoRoom as failure:
            largest = sorted(failure.alive, key=failure.alive.__getitem__, reverse=True)
            movable = [name for name in largest if len(maps[name].writers) == 1 and name not in spilled]
            if not movable:
                assembled = [name for name in largest if len(maps[name].writers) > 1]
                raise AllocationError(failure.layer, buffer, assembled) from None
            name = next((name for name in movable if name not in passed), movable[0])
            if name not in passed and _can_pass(name, layers, maps):
                passed |= {name}
            else:
                passed -= {name}
                spilled |= {name}


def _can_pass(name: str, layers: Sequence[Layer], maps: Mapping[str, MapUse]) -> bool:
    """Whether a map can pass from the layer that writes it to the next one row by row."""
    use = maps[name]
    if use.in_memory or use.to_memory or len(use.writers) != 1 or use.readers != (use.writers[0] + 1,):
        return False
    reader = layers[use.readers[0]]
    shapes = [shape for operand, shape in _operands(reader) if operand == name]
    is_whole = layers[use.writers[0]].ofm_shape == use.shape
    return (
        shapes == [use.shape]
        and is_whole
        and rows_read(reader) == use.shape.height
        and not reader.broadcast.rows
    )


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
    passed: frozenset[str],
    buffer: UnifiedBuffer,
    cycles: Cycles,
    cramped: Collection[int],
) -> Allocation:
    free = _FreeList(buffer.bricks)
    resident: dict[str, Placement] = {}
    places: list[LayerPlaces] = []
    chains: list[Chain] = []
    while len(places) < len(layers):
        first = last = len(places)
        while layers[last].ofm in passed:
            last += 1
        chain = layers[first : last + 1]
        kept = 1 if any(layer.operator in cramped for layer in chain) else 2
        fitted = _place_chain(chain, kept, maps, spilled, cycles, resident, free, buffer)
        if fitted is None:
            raise _NoRoom(chain[-1], _alive(chain, maps, resident, buffer))
        turns, placed = fitted
        places += placed
        chains.append(Chain(first, last + 1, turns.order))
        for name in list(resident):
            if max(maps[name].readers, default=-1) <= last and max(maps[name].writers) <= last:
                placement = resident.pop(name)
                free.give(placement.base, placement.bricks)
    return Allocation(tuple(places), tuple(chains), spilled, free.peak)


def _place_chain(
    chain: Sequence[Layer],
    kept: int,
    maps: Mapping[str, MapUse],
    spilled: frozenset[str],
    cycles: Cycles,
    resident: dict[str, Placement],
    free: _FreeList,
    buffer: UnifiedBuffer,
) -> tuple[Turns, list[LayerPlaces]] | None:
    """Place what the layers need; of what they stream the buffer keeps `kept` stripes. `None`: there is no room."""
    layer = chain[-1]
    if layer.ofm not in resident and (layer.ofm not in spilled or len(maps[layer.ofm].writers) > 1):
        whole = buffer.whole(maps[layer.ofm].shape)
        base = free.take(whole.bricks)
        if base is None:
            return None
        resident[layer.ofm] = replace(whole, base=base)
    streamed = _streamed(chain, resident)
    streams_ofm = layer.ofm not in resident
    if len(chain) == 1 and not streamed and not streams_ofm:
        heights = [layer.ofm_shape.height]
    elif kept == 1:
        heights = [1]
    else:
        places = [place for place, role in streamed if role is _Role.IFM]
        heights = stripe_heights(chain, places, streams_ofm, cycles, buffer)
    for height in heights:
        turns = take_turns(chain, height)
        rings = _take_rings(_rings(chain, turns, streamed, streams_ofm, kept, buffer), free)
        if rings is not None:
            return turns, [_layer_places(chain, place, turns, rings, resident) for place in range(len(chain))]
    return None


class _Role(enum.Enum):
    """What a map is to a layer."""

    IFM = enum.auto()
    IFM2 = enum.auto()
    OFM = enum.auto()


_Rings = dict[tuple[int, _Role], Placement]
"""By place in the chain and role. The ofm of all but the last layer is the ring that the next one reads."""


def _streamed(chain: Sequence[Layer], resident: Mapping[str, Placement]) -> list[tuple[int, _Role]]:
    """Operands that come from memory."""
    passed = {layer.ofm for layer in chain[:-1]}
    return [
        (place, role)
        for place, layer in enumerate(chain)
        for role, (name, shape) in zip((_Role.IFM, _Role.IFM2), _operands(layer), strict=False)
        if name not in passed and (name not in resident or shape != resident[name].shape)
    ]


def _rings(
    chain: Sequence[Layer],
    turns: Turns,
    streamed: Sequence[tuple[int, _Role]],
    streams_ofm: bool,
    kept: int,
    buffer: UnifiedBuffer,
) -> _Rings:
    """Rings, as if at 0: for rows passed on, and for `kept` stripes of what streams: of two, one moves while the other
    is worked on.
    """
    rings = {
        (place, _Role.OFM): buffer.ring(layer.ofm_shape, passed_rows(chain, turns, place))
        for place, layer in enumerate(chain[:-1])
    }
    for place, role in streamed:
        layer, stripes = chain[place], turns.stripes[place]
        if role is _Role.IFM:
            rings[place, role] = buffer.ring(layer.ifm_shape, streamed_rows(layer, stripes, kept))
        elif layer.ifm2_shape is not None:
            rings[place, role] = buffer.ring(layer.ifm2_shape, kept * tallest(stripes))
    if streams_ofm:
        last = len(chain) - 1
        rings[last, _Role.OFM] = buffer.ring(chain[last].ofm_shape, kept * tallest(turns.stripes[last]))
    return rings


def _take_rings(rings: _Rings, free: _FreeList) -> _Rings | None:
    """The rings where there is room beside each other, free again once the chain has run; `None` if there is not."""
    taken: _Rings = {}
    for key, ring in rings.items():
        base = free.take(ring.bricks)
        if base is None:
            break
        taken[key] = replace(ring, base=base)
    for ring in taken.values():
        free.give(ring.base, ring.bricks)
    return taken if len(taken) == len(rings) else None


def _layer_places(
    chain: Sequence[Layer], place: int, turns: Turns, rings: _Rings, resident: Mapping[str, Placement]
) -> LayerPlaces:
    layer = chain[place]
    ifm, ifm2 = rings.get((place, _Role.IFM)), rings.get((place, _Role.IFM2))
    kept = dict(resident)
    if (place - 1, _Role.OFM) in rings:
        kept[chain[place - 1].ofm] = rings[place - 1, _Role.OFM]
    return LayerPlaces(
        ifm=ifm or kept[layer.ifm],
        ofm=rings.get((place, _Role.OFM)) or kept[layer.ofm],
        ifm2=ifm2 or (None if layer.ifm2 is None else kept[layer.ifm2]),
        stripes=turns.stripes[place],
        streams_ifm=ifm is not None,
        streams_ifm2=ifm2 is not None,
    )


def _alive(
    chain: Sequence[Layer],
    maps: Mapping[str, MapUse],
    resident: Mapping[str, Placement],
    buffer: UnifiedBuffer,
) -> dict[str, int]:
    """Maps in the buffer at this chain and the ofms of its layers, with the bricks of all their rows."""
    alive = {name: placement.bricks for name, placement in resident.items()}
    for layer in chain:
        alive.setdefault(layer.ofm, buffer.whole(maps[layer.ofm].shape).bricks)
    return alive
