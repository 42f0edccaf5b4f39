"""Frames on a serial line, as `celosia.hdl.link.framing` defines them."""

import zlib

from celosia.hdl.link.framing import CRC_BYTES, ESCAPE, ESCAPE_BIT, FLAG

_FLAG = bytes([FLAG])
_ESCAPE = bytes([ESCAPE])
_STUFFING = [(_ESCAPE, bytes([ESCAPE, ESCAPE ^ ESCAPE_BIT])), (_FLAG, bytes([ESCAPE, FLAG ^ ESCAPE_BIT]))]


def encode_frame(content: bytes) -> bytes:
    """The bytes on the line: flag, stuffed content and checksum, flag."""
    stuffed = content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")
    for plain, escaped in _STUFFING:  # ESCAPE first: the replacements hold it
        stuffed = stuffed.replace(plain, escaped)
    return _FLAG + stuffed + _FLAG


def decode_frame(stuffed: bytes) -> bytes | None:
    """The content of what lies between two flags; None if it is damaged."""
    if stuffed.endswith(_ESCAPE):
        return None
    first, *rest = stuffed.split(_ESCAPE)
    plain = first + b"".join(bytes([part[0] ^ ESCAPE_BIT]) + part[1:] for part in rest if part)
    content, checksum = plain[:-CRC_BYTES], plain[-CRC_BYTES:]
    if not content or zlib.crc32(content).to_bytes(CRC_BYTES, "little") != checksum:
        return None
    return content


class FrameDecoder:
    """Bytes as they come in, frames as they are complete.

    Attributes:
        damaged: what ended without being a good frame, so far.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._open = b""

    def feed(self, line: bytes) -> list[bytes]:
        """The contents of the good frames that `line` completes, in order."""
        *complete, self._open = (self._open + line).split(_FLAG)
        contents = []
        for stuffed in complete:
            content = decode_frame(stuffed)
            if content is not None:
                contents.append(content)
            elif stuffed:
                self.damaged += 1
        return contents
