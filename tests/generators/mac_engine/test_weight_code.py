"""The weight code: what is encoded decodes to itself, and nothing else decodes quietly."""

import contextlib
import random

import numpy as np
import pytest

from celosia.generators.mac_engine.weight_code import (
    LIVE_LANES,
    MalformedWeights,
    WeightCode,
    best_code,
    decode,
    encode,
    encode_if_better,
    records,
)
from tests.generators.mac_engine.weight_samples import sample

CODES = [
    WeightCode(live_lanes, remainder_bits, unary_planes, zero_vectors)
    for live_lanes in LIVE_LANES
    for unary_planes in (1, 2, 3)
    for remainder_bits in range(min(8, 10 - unary_planes))
    for zero_vectors in (False, True)
]


@pytest.mark.parametrize("code", CODES, ids=str)
def test_every_code_gives_back_every_byte(code: WeightCode) -> None:
    lanes = np.zeros((256, 8), np.int8)
    lanes[:, : code.live_lanes] = np.arange(-128, 128)[:, None]
    lanes[40:60] = 0
    coded = encode(lanes.tobytes(), code)
    assert decode(coded.content, code, coded.words) == lanes.tobytes()


@pytest.mark.parametrize("seed", range(20))
def test_random_weights_survive_and_the_best_code_is_the_shortest(seed: int) -> None:
    generator = np.random.default_rng(seed)
    content = sample(generator, int(generator.choice(LIVE_LANES)))
    coded = encode(content)
    assert decode(coded.content, coded.code, coded.words) == content
    live = [code for code in CODES if code.live_lanes >= coded.code.live_lanes]
    assert len(coded.content) == min(len(encode(content, code).content) for code in live)


def test_a_record_covers_the_whole_stream() -> None:
    coded = encode(sample(np.random.default_rng(3), words=50))
    bits = sum(record.bits + sum(record.escapes) for record in records(coded.content, coded.code, 50))
    assert len(coded.content) * 8 - 64 < bits <= len(coded.content) * 8


def test_zero_words_cost_a_bit_and_zero_lanes_nothing() -> None:
    assert len(encode(bytes(16 * 1000)).content) <= 1000 // 8 // 8 + 8
    dense = np.random.default_rng(1).integers(-128, 128, (300, 3)).astype(np.int8)
    padded = np.pad(dense, ((0, 0), (0, 5)))
    assert len(encode(padded.tobytes()).content) < dense.size * 1.08


def test_refuses_what_is_no_stream() -> None:
    content = sample(np.random.default_rng(4), words=40)
    coded = encode(content)
    with pytest.raises(MalformedWeights, match="the stream ends before"):
        decode(coded.content[:-16], coded.code, coded.words)
    with pytest.raises(MalformedWeights, match="bytes are more than"):
        decode(coded.content + bytes(8), coded.code, coded.words)


@pytest.mark.parametrize("seed", range(30))
def test_damage_is_refused_or_decodes_to_something_else(seed: int) -> None:
    generator = random.Random(seed)
    content = sample(np.random.default_rng(seed), words=40)
    coded = encode(content)
    damaged = bytearray(coded.content)
    damaged[generator.randrange(len(damaged) - 8)] ^= 1 << generator.randrange(8)
    with contextlib.suppress(MalformedWeights):
        assert decode(bytes(damaged), coded.code, coded.words) != content


def test_refuses_illegal_codes_and_contents() -> None:
    with pytest.raises(ValueError, match=r"live_lanes must be one of \[1, 2, 3, 4, 8\], not 5"):
        WeightCode(5, 0, 1, False)
    with pytest.raises(ValueError, match="unary_planes must be one of"):
        WeightCode(8, 0, 0, False)
    with pytest.raises(ValueError, match="remainder_bits must be one of"):
        WeightCode(8, 8, 1, False)
    with pytest.raises(ValueError, match=r"remainder_bits \+ unary_planes must be at most 9, not 10"):
        WeightCode(8, 7, 3, False)
    with pytest.raises(ValueError, match="content must be whole words of 16 bytes, not 8 bytes"):
        encode(bytes(8))
    with pytest.raises(ValueError, match="live_lanes must cover all bytes other than zero, not 4"):
        encode(bytes(7) + b"\1" + bytes(8), WeightCode(4, 3, 2, False))


def test_the_best_code_keeps_only_the_lanes_in_use() -> None:
    for live_lanes, expected in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 8), (8, 8)):
        lanes = np.zeros((64, 8), np.int8)
        lanes[:, :live_lanes] = np.random.default_rng(2).integers(-90, 90, (64, live_lanes)) | 1
        assert best_code(lanes.tobytes()).live_lanes == expected


def test_a_short_stream_stays_raw_unless_bytes_are_dear() -> None:
    """Coded, 256 small weights take less than half of the bytes, but a decoder's start and more cycles than bytes."""
    content = np.random.default_rng(1).integers(-3, 4, 256).astype(np.int8).tobytes()
    assert encode_if_better(content) is None
    coded = encode_if_better(content, beat_cycles=2.5)
    assert coded is not None
    assert len(coded.content) < len(content) // 2
