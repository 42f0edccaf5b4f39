"""Tensors as feature maps: the height, width and channels that an engine sees."""

import math

from celosia.generators.chassis.layer import MapShape

from ..graph import Tensor


def view(shape: tuple[int, ...]) -> MapShape:
    """Last dimension as channels, the one before as width, all others as height."""
    padded = (1,) * max(0, 3 - len(shape)) + shape
    return MapShape(math.prod(padded[:-2]), padded[-2], padded[-1])


def map_name(index: int) -> str:
    """Name of the feature map of tensor `index`."""
    return f"tensor {index}"


def tensor_view(tensor: Tensor) -> MapShape:
    """As `view`, of a tensor."""
    return view(tensor.shape)
