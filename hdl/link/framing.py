"""How frames lie on the line: RFC 1662, "PPP in HDLC-like Framing", sections 3 and 4, octet-stuffed, with FCS-32.

    FLAG, content and its CRC-32 (lowest byte first) with FLAG and ESCAPE escaped, FLAG

Needs no look-ahead and no length: a sender stuffs byte by byte, a receiver finds the next frame at the next FLAG
whatever came before it.
"""

from typing import Any

from amaranth.lib.crc.catalog import CRC32_ETHERNET

FLAG = 0x7E
"""Begins and ends a frame; between two frames one or more."""

ESCAPE = 0x7D
"""The byte after it stands for itself with `ESCAPE_BIT` inverted."""

ESCAPE_BIT_PLACE = 5
ESCAPE_BIT = 1 << ESCAPE_BIT_PLACE

CRC_BYTES = 4


def crc_processor() -> Any:
    """Computes the CRC of a frame's content, before stuffing, a byte a cycle: `zlib.crc32`, which is PPP's FCS-32.

    An `amaranth.lib.crc.Processor`, of which type checkers know nothing.
    """
    return CRC32_ETHERNET(data_width=8).create()
