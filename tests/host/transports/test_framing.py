"""Frames: what is encoded is decoded; what is damaged never is."""

import random
import zlib

import pytest

from celosia.host.transports.framing import FrameDecoder, encode_frame


def test_a_frame_is_flags_stuffed_content_and_crc_32() -> None:
    assert zlib.crc32(b"123456789") == 0xCBF43926, "the check value of CRC-32"
    assert encode_frame(b"123456789") == b"\x7e123456789\x26\x39\xf4\xcb\x7e"
    assert encode_frame(b"\x7e\x00\x7d").startswith(b"\x7e\x7d\x5e\x00\x7d\x5d")


def test_whatever_is_encoded_is_decoded_however_it_is_cut() -> None:
    generator = random.Random(1)
    contents = [bytes([byte]) for byte in range(256)] + [generator.randbytes(n) for n in range(1, 300, 7)]
    line = b"".join(encode_frame(content) for content in contents)
    decoder = FrameDecoder()
    found = []
    while line:
        cut = generator.randrange(1, 50)
        found += decoder.feed(line[:cut])
        line = line[cut:]
    assert found == contents
    assert decoder.damaged == 0


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_anywhere_loses_the_frame_and_no_other(bit: int) -> None:
    frame = encode_frame(b"some content")
    for place in range(1, len(frame) - 1):
        damaged = bytearray(frame)
        damaged[place] ^= 1 << bit
        decoder = FrameDecoder()
        assert decoder.feed(bytes(damaged) + encode_frame(b"next")) == [b"next"]
        assert decoder.damaged >= 1


@pytest.mark.parametrize(
    "junk", [b"", b"\x7e\x7e\x7e", b"abc\x7e", b"\x7d\x7e", b"\x7d\x7d\x7e", bytes(5) + b"\x7e"]
)
def test_a_frame_is_found_after_junk(junk: bytes) -> None:
    assert FrameDecoder().feed(junk + encode_frame(b"content")) == [b"content"]
