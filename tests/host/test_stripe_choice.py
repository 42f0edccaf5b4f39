"""Stripes are chosen by estimated cycles, and a long load hides behind more than one layer."""

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization
from celosia.generators.chassis.placement import UnifiedBuffer
from celosia.host.stripe_choice import hide_loading, stripe_heights


def copies(count: int, shape: MapShape) -> list[Layer]:
    return [
        Layer(
            name=f"layer {number}",
            operator=number,
            kind=LayerKind.MAXIMUM,
            ifm=f"map {number}",
            ofm=f"map {number + 1}",
            ifm_shape=shape,
            ofm_shape=shape,
            requantization=Requantization.identity(shape.channels),
        )
        for number in range(count)
    ]


BUFFER = UnifiedBuffer(1024)
SHAPE = MapShape(40, 8, 8)  # 8 bricks a row, 320 in all


def passed(cycles_a_row: int, passable: int = 10) -> frozenset[str]:
    return hide_loading(
        copies(8, SHAPE),
        from_memory=lambda name: name == "map 0",
        can_pass=lambda name: int(name.split()[1]) <= passable,
        cycles=lambda layer, rows: rows * cycles_a_row,
        buffer=BUFFER,
    )


def test_a_layer_that_computes_longer_than_it_loads_runs_alone() -> None:
    assert passed(cycles_a_row=9) == frozenset()


def test_layers_are_joined_until_they_compute_as_long_as_the_first_one_loads() -> None:
    assert passed(cycles_a_row=2) == {"map 1", "map 2", "map 3", "map 4"}


def test_at_least_three_layers_are_joined() -> None:
    assert passed(cycles_a_row=8) == {"map 1", "map 2"}


def test_joining_ends_at_a_map_that_cannot_be_passed_on() -> None:
    assert passed(cycles_a_row=2, passable=2) == {"map 1", "map 2"}


def test_few_stripes_when_they_cost_more_than_the_load_that_they_hide() -> None:
    def cycles(layer: Layer, rows: int) -> int:
        return 1000 * rows

    small, large = copies(1, MapShape(40, 1, 8)), copies(1, MapShape(40, 100, 8))
    assert (
        stripe_heights(small, [0], False, cycles, BUFFER)[0]
        > stripe_heights(large, [0], False, cycles, BUFFER)[0]
    )


def test_heights_whose_tiles_fit_are_preferred() -> None:
    def cycles(layer: Layer, rows: int) -> int:
        return -(-rows // 4) * 1000

    assert stripe_heights(copies(1, SHAPE), [0], False, cycles, BUFFER)[0] % 4 == 0


def test_every_number_of_stripes_is_tried_once_down_to_single_rows() -> None:
    heights = stripe_heights(copies(3, SHAPE), [0], True, lambda layer, rows: 10 * rows, BUFFER)
    assert sorted(heights) == sorted({-(-40 // count) for count in range(1, 41)})
    assert heights[-1] == 1
