"""Batches of several images, which lie in a feature map one below the other."""

from collections.abc import Sequence
from dataclasses import replace

from celosia.generators.chassis.layer import Layer, MapShape

from ..graph import Tensor
from .views import view


def images_of(tensor: Tensor) -> int:
    """Images in a batch; what has fewer than four dimensions is one image."""
    return tensor.shape[0] if len(tensor.shape) == 4 else 1


def image_view(tensor: Tensor) -> MapShape:
    """The feature map of one image."""
    return view(tensor.shape[-3:])


def over_images(layers: Sequence[Layer], images: int) -> list[Layer]:
    """What `layers` do with one image done with each of `images`.

    A layer whose windows never leave their image remains one layer over all rows; any other becomes one for each image,
    which sees the rows around it as padding.
    """
    height = max(layer.ofm_y + layer.ofm_shape.height for layer in layers)
    if images == 1:
        return list(layers)
    return [
        part
        for layer in layers
        for part in (
            [_over_all(layer, images)]
            if _stays_inside(layer, height)
            else [_over_one(layer, images, image, height) for image in range(images)]
        )
    ]


def _stays_inside(layer: Layer, height: int) -> bool:
    """Whether the windows of all images, `height` rows of the ofm each, are at even distances and within an image."""
    window = layer.window
    return (
        layer.ofm_shape.height == height
        and window.pad_top == 0
        and window.stride_y * height == layer.ifm_shape.height
        and window.span_y <= window.stride_y
    )


def _tall(shape: MapShape, images: int) -> MapShape:
    return MapShape(images * shape.height, shape.width, shape.channels)


def _over_all(layer: Layer, images: int) -> Layer:
    return replace(
        layer,
        ifm_shape=_tall(layer.ifm_shape, images),
        ofm_shape=_tall(layer.ofm_shape, images),
        macs=images * layer.macs,
    )


def _over_one(layer: Layer, images: int, image: int, height: int) -> Layer:
    rows, window = layer.ifm_shape.height, layer.window
    return replace(
        layer,
        ifm_shape=_tall(layer.ifm_shape, images),
        ifm_rows=(image * rows, (image + 1) * rows),
        ofm_y=layer.ofm_y + image * height,
        window=replace(window, pad_top=window.pad_top - image * rows),
    )
