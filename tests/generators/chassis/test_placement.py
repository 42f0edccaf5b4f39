"""Maps in a unified buffer whose bricks have as many channels as the family says."""

import pytest

from celosia.generators.chassis.layer import MapShape
from celosia.generators.chassis.placement import UnifiedBuffer

SHAPE = MapShape(10, 7, 20)


@pytest.mark.parametrize(("channels", "bricks"), [(8, 3), (16, 2), (32, 1), (256, 1)])
def test_a_pixel_takes_whole_bricks(channels: int, bricks: int) -> None:
    buffer = UnifiedBuffer(1024, channels)
    assert buffer.row_bricks(SHAPE) == bricks * SHAPE.width
    whole = buffer.whole(SHAPE, 5)
    assert (whole.channel_bricks, whole.bricks, whole.base) == (bricks, 10 * bricks * 7, 5)
    assert whole.fields("", 2)["row"] == 5 + 2 * bricks * 7
    assert not whole.is_ring


def test_a_ring_keeps_no_more_rows_than_the_map_has() -> None:
    buffer = UnifiedBuffer(1024)
    assert (buffer.ring(SHAPE, 4).rows, buffer.ring(SHAPE, 4).is_ring) == (4, True)
    assert (buffer.ring(SHAPE, 12).rows, buffer.ring(SHAPE, 12).is_ring) == (10, False)


def test_its_size_is_in_bytes() -> None:
    assert UnifiedBuffer(1024).size == 8192
    assert UnifiedBuffer(1024, 32).size == 32768
