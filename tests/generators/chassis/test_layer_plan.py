"""The rows that a stripe reads."""

import pytest

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window
from celosia.generators.chassis.layer_plan import needed_rows


def maximum(window: Window, ifm_rows: tuple[int, int] | None = None) -> Layer:
    return Layer(
        name="maximum",
        operator=0,
        kind=LayerKind.MAXIMUM,
        ifm="ifm",
        ofm="ofm",
        ifm_shape=MapShape(20, 4, 8),
        ofm_shape=MapShape(20, 4, 8),
        requantization=Requantization.identity(8),
        window=window,
        ifm_rows=ifm_rows,
    )


@pytest.mark.parametrize(
    ("window", "stripe", "rows"),
    [
        (Window(), (3, 7), (3, 7)),
        (Window(height=3, pad_top=1), (0, 2), (0, 3)),
        (Window(height=3, pad_top=1), (5, 7), (4, 8)),
        (Window(height=3, pad_top=1), (18, 20), (17, 20)),
        (Window(height=3, stride_y=2), (2, 4), (4, 9)),
        (Window(height=3, dilation_y=2), (1, 2), (1, 6)),
    ],
)
def test_rows_are_those_under_the_kernel_without_padding(
    window: Window, stripe: tuple[int, int], rows: tuple[int, int]
) -> None:
    assert needed_rows(maximum(window), stripe) == rows


def test_rows_of_other_images_are_padding() -> None:
    assert needed_rows(maximum(Window(height=3, pad_top=1), ifm_rows=(8, 12)), (7, 13)) == (8, 12)
