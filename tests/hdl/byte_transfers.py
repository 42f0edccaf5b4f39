"""Transfers of pieces of bytes, for tests of `BytePacker` and `ByteUnpacker`."""

import random

__all__ = ["random_transfers"]


def random_transfers(
    generator: random.Random, count: int, most_pieces: int, beat_bytes: int = 8
) -> list[tuple[int, list[int]]]:
    """`count` transfers: the offset of the first byte in its beat, and the bytes of each of 1..`most_pieces` pieces."""
    return [
        (
            generator.randrange(beat_bytes),
            [generator.randint(1, beat_bytes) for _ in range(generator.randint(1, most_pieces))],
        )
        for _ in range(count)
    ]
