"""Which elements meet when a kernel slides over an image."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..attributes import Pair
from ..shapes import Window

__all__ = ["Tap", "groups", "taps"]


@dataclass(frozen=True, slots=True)
class Tap:
    """One kernel element and, in NHWC arrays, the ofm positions at which it meets the ifm elements."""

    y: int
    x: int
    ofm: tuple[slice, slice, slice]
    ifm: tuple[slice, slice, slice]


def taps(
    image: Pair, windows: tuple[Window, Window], kernel: Pair, stride: Pair, dilation: Pair
) -> Iterator[Tap]:
    """Every kernel element that meets the image at all; where it falls in the padding nothing meets."""
    vertical, horizontal = (
        list(_taps_along(image[axis], windows[axis], kernel[axis], stride[axis], dilation[axis]))
        for axis in (0, 1)
    )
    for y, rows, lines in vertical:
        for x, columns, pixels in horizontal:
            yield Tap(y, x, (slice(None), rows, columns), (slice(None), lines, pixels))


def groups(ifm_channels: int, ofm_channels: int, group_channels: int) -> Iterator[tuple[slice, slice]]:
    """Of a convolution whose weights have `group_channels`: ofm channels, and the ifm channels that they see."""
    count = ifm_channels // group_channels
    for group in range(count):
        outputs = ofm_channels // count
        yield (
            slice(group * outputs, (group + 1) * outputs),
            slice(group * group_channels, (group + 1) * group_channels),
        )


def _taps_along(
    ifm: int, window: Window, kernel: int, stride: int, dilation: int
) -> Iterator[tuple[int, slice, slice]]:
    """In one dimension: a kernel element, the ofm positions, the ifm elements."""
    first_reach = window.before - (window.size - 1) * stride
    last_reach = window.before + ifm - 1
    for tap in range(max(-(-first_reach // dilation), 0), min(last_reach // dilation + 1, kernel)):
        # At position p the tap is at p * stride - before + tap * dilation.
        offset = tap * dilation - window.before
        first = max(-(offset // stride), 0)
        last = min((ifm - 1 - offset) // stride, window.size - 1)
        if first <= last:
            start = first * stride + offset
            yield tap, slice(first, last + 1), slice(start, start + (last - first) * stride + 1, stride)
