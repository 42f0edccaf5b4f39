"""How the elements of a tensor lie in an engine's memory.

As NumPy has them, row after row; but those of 16 bits and more, where they are no fixed-point numbers, lie in planes:
the channels of a pixel are filled up to whole bricks, and each brick is one for every byte of its elements, the highest
bytes first, as `generators/chassis/tiles/planes.py` tells.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from celosia.generators.chassis.layer import MapShape
from celosia.generators.chassis.tiles.planes import joined, split
from celosia.generators.chassis.wide_scaling import RAW_BYTES

from ..graph import Tensor
from .views import tensor_view

__all__ = ["from_memory", "in_bricks", "planes_of", "stored_bytes", "stored_view", "to_memory"]

_PLANES = {"int16": 2, "int64": RAW_BYTES}
"""By data type; whole sums, of 48 bits, are int64 to the host."""


def planes_of(tensor: Tensor) -> int:
    """Planes in which its elements lie; 1 if they lie as they are."""
    return 1 if tensor.fixed_point is not None else _PLANES.get(tensor.dtype, 1)


def in_bricks(shape: MapShape, planes: int, brick_channels: int) -> MapShape:
    """The same map with every byte of whole bricks as a channel."""
    return replace(shape, channels=-(-shape.channels // brick_channels) * brick_channels * planes)


def stored_view(tensor: Tensor, brick_channels: int) -> MapShape:
    """Height, width and channels as the engine sees them; of elements in planes, the channels are bytes."""
    planes, shape = planes_of(tensor), tensor_view(tensor)
    return shape if planes == 1 else in_bricks(shape, planes, brick_channels)


def stored_bytes(tensor: Tensor, brick_channels: int) -> int:
    """What it takes in memory."""
    return tensor.nbytes if planes_of(tensor) == 1 else stored_view(tensor, brick_channels).size


def to_memory(values: np.ndarray, tensor: Tensor, brick_channels: int) -> np.ndarray:
    """`values` of `tensor` as they lie in memory."""
    planes = planes_of(tensor)
    if planes == 1:
        return values
    channels = values.shape[-1]
    bricks = -(-channels // brick_channels)
    pixels = np.zeros((values.size // channels, bricks * brick_channels), values.dtype)
    pixels[:, :channels] = values.reshape(-1, channels)
    parts = split(pixels.reshape(-1, bricks, brick_channels), planes)
    return np.ascontiguousarray(parts.transpose(1, 2, 0, 3))


def from_memory(content: bytes, tensor: Tensor, brick_channels: int) -> np.ndarray:
    """The values of `tensor` whose bytes, and perhaps others behind them, `content` is."""
    planes, shape = planes_of(tensor), stored_view(tensor, brick_channels)
    if planes == 1:
        return np.frombuffer(content[: tensor.nbytes], tensor.dtype).reshape(tensor.shape)
    bricks = shape.channels // (planes * brick_channels)
    stored: npt.NDArray[np.uint8] = np.frombuffer(content[: shape.size], np.uint8)
    parts = stored.reshape(-1, bricks, planes, brick_channels).transpose(2, 0, 1, 3)
    pixels = joined(np.ascontiguousarray(parts)).reshape(-1, bricks * brick_channels)
    return pixels[:, : tensor.shape[-1]].astype(tensor.dtype).reshape(tensor.shape)
