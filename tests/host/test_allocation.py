"""Feature maps in the unified buffer: none overlap while alive, and what does not fit moves through memory."""

from collections.abc import Sequence

import numpy as np
import pytest

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window
from celosia.generators.chassis.placement import Placement, UnifiedBuffer
from celosia.host.allocation import Allocation, AllocationError, MapUse, allocate

SEEDS = 100


def copy(name: str, ifm: str, ofm: str, shape: MapShape, rows: int = 1, ofm_y: int = 0) -> Layer:
    """A layer from `ifm` to `ofm` of one shape, with a kernel of `rows` rows."""
    return Layer(
        name=name,
        operator=0,
        kind=LayerKind.MAXIMUM,
        ifm=ifm,
        ofm=ofm,
        ifm_shape=shape,
        ofm_shape=shape,
        requantization=Requantization.identity(shape.channels),
        window=Window(height=rows, pad_top=(rows - 1) // 2),
        ofm_y=ofm_y,
    )


def uses_of(layers: Sequence[Layer], inputs: set[str], outputs: set[str]) -> dict[str, MapUse]:
    names = {name for layer in layers for name in (layer.ifm, layer.ofm)}
    return {
        name: MapUse(
            shape=next(
                layer.ofm_shape if layer.ofm == name else layer.ifm_shape
                for layer in layers
                if name in (layer.ifm, layer.ofm)
            ),
            in_memory=name in inputs,
            to_memory=name in outputs,
            writers=tuple(index for index, layer in enumerate(layers) if layer.ofm == name),
            readers=tuple(index for index, layer in enumerate(layers) if layer.ifm == name),
        )
        for name in names
    }


def chain(shapes: Sequence[MapShape]) -> list[Layer]:
    return [copy(f"layer {n}", f"map {n}", f"map {n + 1}", shape) for n, shape in enumerate(shapes)]


def rows_alone(layer: Layer, rows: int) -> int:
    """An engine that takes ten cycles a brick."""
    return 10 * rows * layer.ofm_shape.width * -(-layer.ofm_shape.channels // 8)


def bricks_of(placement: Placement) -> set[int]:
    return set(range(placement.base, placement.base + placement.bricks))


def check_disjoint(
    layers: Sequence[Layer], uses: dict[str, MapUse], allocation: Allocation, room: int
) -> None:
    """While a chain runs, its own maps and those kept for later ones share no brick, and all lie in the buffer."""
    kept: dict[str, set[int]] = {}
    for chain in allocation.chains:
        members = [(layers[index], allocation.layers[index]) for index in range(chain.first, chain.last)]
        alive = dict(kept)
        for number, (layer, places) in enumerate(members):
            ofm = bricks_of(places.ofm)
            if places.streams_ifm:
                alive[f"{number} streams"] = bricks_of(places.ifm)
            else:
                assert bricks_of(places.ifm) == alive[layer.ifm], f"{layer.name} reads another place"
            alive[layer.ofm] = kept.get(layer.ofm, ofm)
            assert ofm == alive[layer.ofm], f"{layer.name} writes another place"
        assert sum(map(len, alive.values())) == len(set().union(*alive.values())), f"overlap in {chain}"
        assert max(set().union(*alive.values())) < room
        last = members[-1][0].ofm
        if last not in allocation.spilled:
            kept[last] = alive[last]
        kept = {
            name: bricks for name, bricks in kept.items() if max(uses[name].readers, default=-1) >= chain.last
        }


def test_a_map_that_fits_stays_in_the_buffer() -> None:
    layers = chain([MapShape(8, 8, 16)] * 3)
    uses = uses_of(layers, {"map 0"}, {"map 3"})
    allocation = allocate(layers, uses, UnifiedBuffer(1024), rows_alone)
    assert allocation.spilled == frozenset()
    assert [places.streams_ifm for places in allocation.layers] == [True, False, False]
    check_disjoint(layers, uses, allocation, 1024)


def test_an_input_streams_in_stripes_that_cover_the_map_once() -> None:
    layers = chain([MapShape(30, 8, 16)])
    (places,) = allocate(
        layers, uses_of(layers, {"map 0"}, {"map 1"}), UnifiedBuffer(1024), rows_alone
    ).layers
    assert len(places.stripes) > 1
    assert [row for low, high in places.stripes for row in range(low, high)] == list(range(30))
    assert places.ifm.is_ring


def test_a_layer_within_the_buffer_runs_in_one_stripe() -> None:
    layers = chain([MapShape(8, 8, 16)] * 2)
    allocation = allocate(layers, uses_of(layers, {"map 0"}, {"map 2"}), UnifiedBuffer(1024), rows_alone)
    assert allocation.layers[1].stripes == ((0, 8),)


def test_a_map_without_room_passes_row_by_row_to_the_only_layer_that_reads_it() -> None:
    layers = chain([MapShape(32, 8, 8)] * 2)
    uses = uses_of(layers, {"map 0"}, {"map 2"})
    allocation = allocate(layers, uses, UnifiedBuffer(300), rows_alone)
    assert allocation.spilled == frozenset()
    assert [(chain.first, chain.last) for chain in allocation.chains] == [(0, 2)]
    assert allocation.layers[0].ofm == allocation.layers[1].ifm
    assert allocation.layers[0].ofm.is_ring
    check_disjoint(layers, uses, allocation, 300)


def test_a_map_without_room_that_two_layers_read_moves_to_memory() -> None:
    shape = MapShape(32, 8, 8)
    layers = [*chain([shape] * 2), copy("again", "map 1", "map 3", shape)]
    uses = uses_of(layers, {"map 0"}, {"map 2", "map 3"})
    allocation = allocate(layers, uses, UnifiedBuffer(300), rows_alone)
    assert allocation.spilled
    check_disjoint(layers, uses, allocation, 300)


def test_a_map_that_another_layer_reads_in_another_shape_moves_to_memory() -> None:
    layers = [*chain([MapShape(32, 8, 8)]), copy("flat", "map 1", "map 2", MapShape(8, 32, 8))]
    uses = uses_of(layers, {"map 0"}, {"map 2"})
    assert "map 1" in allocate(layers, uses, UnifiedBuffer(600), rows_alone).spilled


def test_rings_hold_the_rows_that_a_stripe_and_the_next_need() -> None:
    layer = copy("tall", "map 0", "map 1", MapShape(64, 4, 8), rows=5)
    uses = uses_of([layer], {"map 0"}, {"map 1"})
    for room in (2048, 128, 64, 40):
        (places,) = allocate([layer], uses, UnifiedBuffer(room), rows_alone).layers
        tallest = max(high - low for low, high in places.stripes)
        assert places.ifm.rows >= min(64, tallest - 1 + 5)


def test_a_layer_that_does_not_fit_alone_is_named() -> None:
    layers = chain([MapShape(8, 8, 80)])
    with pytest.raises(AllocationError, match="feature maps must fit the unified buffer") as caught:
        allocate(layers, uses_of(layers, {"map 0"}, {"map 1"}), UnifiedBuffer(100), rows_alone)
    assert caught.value.layer is layers[0]


@pytest.mark.parametrize("first", range(0, SEEDS, 10))
def test_random_chains_with_branches_never_overlap(first: int) -> None:
    for seed in range(first, first + 10):
        generator = np.random.default_rng(seed)
        height, width, channels = (int(size) for size in generator.integers(1, (20, 20, 40)))
        shape = MapShape(height, width, channels)
        layers: list[Layer] = []
        for number in range(int(generator.integers(2, 10))):
            source = number if generator.random() < 0.7 else int(generator.integers(0, number + 1))
            kernel = int(generator.integers(1, 4))
            layers.append(copy(f"layer {number}", f"map {source}", f"map {number + 1}", shape, kernel))
        outputs = {layer.ofm for layer in layers} - {layer.ifm for layer in layers}
        uses = uses_of(layers, {"map 0"}, outputs)
        row = shape.width * -(-shape.channels // 8)
        room = int(row * generator.integers(8, 60))
        try:
            allocation = allocate(layers, uses, UnifiedBuffer(room), rows_alone)
        except AllocationError:
            assert room < 10 * row, f"seed {seed}"
            continue
        check_disjoint(layers, uses, allocation, room)
        assert allocation.peak <= room


@pytest.mark.parametrize(("brick_channels", "fits"), [(8, False), (16, True)])
def test_maps_are_counted_in_bricks_of_the_family(brick_channels: int, fits: bool) -> None:
    """16 rows of 8 pixels and 16 channels: 256 bricks of 8 channels, or 128 of 16."""
    layers = chain([MapShape(16, 8, 16)] * 2)
    uses = uses_of(layers, {"map 0"}, {"map 2"})
    allocation = allocate(layers, uses, UnifiedBuffer(270, brick_channels), rows_alone)
    assert (not any(member.ofm.is_ring for member in allocation.layers)) is fits
    assert all(member.ifm.brick_channels == brick_channels for member in allocation.layers)
