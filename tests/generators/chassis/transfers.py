"""Random LOAD and STORE commands, and what the tests of the data-moving units share."""

import random
from typing import Any

REGION_BASES = (0x1003, 0x3000, 0x5005, 0x8000)
REGION_LIMIT = 0x1C00
MEMORY_BYTES = 0xA000


def random_transfer(generator: random.Random) -> dict[str, int]:
    """A legal, not empty transfer of up to about 150 bricks within REGION_LIMIT, rows in a ring of distinct bricks."""
    channels = generator.choice([1, 3, 4, 7, 8, 9, 16, 24, generator.randrange(1, 40)])
    width = generator.randrange(1, 9)
    bricks = -(-channels // 8)
    rows = generator.randrange(1, max(2, 150 // (width * bricks)))
    channel_pitch = width + generator.randrange(3)
    row_pitch = channel_pitch * bricks + generator.randrange(3)
    ring_rows = rows + generator.randrange(2)
    ring_start = generator.randrange(100)
    command = {"region": generator.randrange(4), "rows": rows, "width": width, "channels": channels}
    command["offset"] = generator.randrange(REGION_LIMIT - rows * width * channels + 1)
    command |= {"row_pitch": row_pitch, "channel_pitch": channel_pitch}
    if generator.random() < 0.3:
        return command | {"row": ring_start, "ring_end": 0x1FFFF, "ring_size": 0}
    first_row = generator.randrange(ring_rows)
    return command | {
        "row": ring_start + first_row * row_pitch,
        "ring_end": ring_start + ring_rows * row_pitch,
        "ring_size": ring_rows * row_pitch,
    }


def set_regions(ctx: Any, regions: Any) -> None:
    """Set every region to REGION_BASES and REGION_LIMIT."""
    for index, base in enumerate(REGION_BASES):
        ctx.set(regions[index].base, base)
        ctx.set(regions[index].limit, REGION_LIMIT)
