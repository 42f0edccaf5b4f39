"""Block RAMs are counted by the shapes that a block can have."""

import pytest

from celosia.generators.chassis.area import Area, Memory, block_rams


@pytest.mark.parametrize(
    ("memory", "blocks"),
    [
        (Memory(512, 36), 1),
        (Memory(512, 37), 2),
        (Memory(513, 36), 2),
        (Memory(2048, 64), 8),
        (Memory(1536, 128), 12),
        (Memory(16384, 64), 64),
        (Memory(32, 64, count=4), 8),
        (Memory(512, 32, is_dual=True), 2),
    ],
)
def test_a_memory_takes_the_fewest_blocks_of_18_kbit(memory: Memory, blocks: int) -> None:
    assert memory.blocks == blocks


def test_memories_add_up() -> None:
    memories = (Memory(2048, 64), Memory(32, 64, count=4))
    assert block_rams(memories) == Area(100.0, 3, memories, 80.0).block_rams == 16
