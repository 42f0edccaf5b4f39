"""Images of a batch lie one below the other; a layer sees one of them, or all where their windows never meet."""

import numpy as np
import pytest

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window
from celosia.host.graph import Tensor
from celosia.host.layering.batch import image_view, images_of, over_images


def layer(rows: int, ofm_rows: int, window: Window) -> Layer:
    """A depthwise convolution of one image."""
    return Layer(
        name="layer",
        operator=0,
        kind=LayerKind.DEPTHWISE,
        ifm="ifm",
        ofm="ofm",
        ifm_shape=MapShape(rows, 5, 8),
        ofm_shape=MapShape(ofm_rows, 5, 8),
        requantization=Requantization.identity(8),
        window=window,
        weights=np.ones((8, window.height, window.width), np.int8),
        macs=100,
    )


def test_only_four_dimensions_have_a_batch() -> None:
    batch = Tensor(name="batch", shape=(3, 4, 5, 6), dtype="int8")
    assert (images_of(batch), image_view(batch)) == (3, MapShape(4, 5, 6))
    rows = Tensor(name="rows", shape=(3, 6), dtype="int8")
    assert (images_of(rows), image_view(rows)) == (1, MapShape(1, 3, 6))


def test_one_image_is_left_alone() -> None:
    one = layer(6, 6, Window(3, 3, pad_top=1, pad_left=1))
    assert over_images([one], 1) == [one]


def test_an_image_reads_the_rows_around_it_as_padding() -> None:
    first, second = over_images([layer(6, 6, Window(3, 3, pad_top=1, pad_left=1))], 2)
    assert first.ifm_shape == second.ifm_shape == MapShape(12, 5, 8)
    assert (first.row_bounds, second.row_bounds) == ((0, 6), (6, 12))
    assert (first.window.pad_top, second.window.pad_top) == (1, 1 - 6)
    assert (first.ofm_y, second.ofm_y) == (0, 6)
    assert first.macs + second.macs == 200


@pytest.mark.parametrize(
    ("rows", "ofm_rows", "window"),
    [(6, 6, Window(1, 3, pad_left=1)), (6, 3, Window(2, 2, stride_y=2, stride_x=2)), (6, 2, Window(2, 2, 3))],
)
def test_windows_that_stay_in_their_image_are_one_layer(rows: int, ofm_rows: int, window: Window) -> None:
    (both,) = over_images([layer(rows, ofm_rows, window)], 2)
    assert (both.ifm_shape.height, both.ofm_shape.height) == (2 * rows, 2 * ofm_rows)
    assert both.ifm_rows is None
    assert both.macs == 200


@pytest.mark.parametrize(
    ("rows", "ofm_rows", "window"),
    [
        (7, 3, Window(2, 2, stride_y=2)),  # a row is left over between the images
        (6, 3, Window(3, 3, stride_y=2)),  # the last window of an image would reach into the next
        (6, 6, Window(1, 1, pad_top=1)),
    ],
)
def test_windows_that_do_not_are_a_layer_for_each_image(rows: int, ofm_rows: int, window: Window) -> None:
    assert len(over_images([layer(rows, ofm_rows, window)], 2)) == 2
