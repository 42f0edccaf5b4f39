"""Checks that a transfer lies within its region, and finds where that is on the bus."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .command import Region

OFFSET_BITS = 32
SIZE_BITS = 32
BEAT_BYTES = 8
BEAT_COUNT_BITS = SIZE_BITS - 3 + 1
"""Bits of a number of beats, of 8 bytes or more: an unaligned transfer touches one beat more than its bytes fill."""


def region_layout(address_bits: int) -> data.StructLayout:
    """A region: bus address of its first byte, `base`, and its size in bytes, `limit`."""
    return data.StructLayout({"base": address_bits, "limit": OFFSET_BITS})


def regions_layout(address_bits: int) -> data.ArrayLayout:
    """All regions, in the order of `Region`."""
    return data.ArrayLayout(region_layout(address_bits), len(Region))


class RegionCheck(wiring.Component):
    """A pipeline of two stages: all outputs belong to the inputs of two cycles before.

    Members:
        regions: `regions_layout`.
        region, offset: where the transfer starts, relative to its region.
        size: bytes of the transfer.
        too_large: the size does not fit in `size`; the transfer is out of range whatever `size` says.
        address: bus address of the first byte.
        beats: beats of the port that the transfer touches.
        out_of_range: offset + size > limit.
    """

    regions: data.View
    region: Signal
    offset: Signal
    size: Signal
    too_large: Signal
    address: Signal
    beats: Signal
    out_of_range: Signal

    def __init__(self, address_bits: int, beat_bytes: int = BEAT_BYTES) -> None:
        self._address_bits = address_bits
        self._beat_bytes = beat_bytes
        super().__init__(
            {
                "regions": In(regions_layout(address_bits)),
                "region": In(2),
                "offset": In(OFFSET_BITS),
                "size": In(SIZE_BITS),
                "too_large": In(1),
                "address": Out(address_bits),
                "beats": Out(BEAT_COUNT_BITS),
                "out_of_range": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """First select and add, then compare and add."""
        m = Module()
        base = Signal(self._address_bits)
        limit = Signal(OFFSET_BITS)
        end = Signal(OFFSET_BITS + 1)
        offset = Signal(OFFSET_BITS)
        size = Signal(SIZE_BITS)
        too_large = Signal()
        bases = Array(self.regions[region].base for region in Region)
        limits = Array(self.regions[region].limit for region in Region)
        m.d.sync += [
            base.eq(bases[self.region]),
            limit.eq(limits[self.region]),
            end.eq(self.offset + self.size),
            offset.eq(self.offset),
            size.eq(self.size),
            too_large.eq(self.too_large),
        ]
        beat_bytes = self._beat_bytes
        first_byte = Signal(range(beat_bytes))
        m.d.comb += first_byte.eq(base + offset)
        m.d.sync += [
            self.address.eq(base + offset),
            self.beats.eq((size + (first_byte + (beat_bytes - 1))) // beat_bytes),
            self.out_of_range.eq((end > limit) | too_large),
        ]
        return m
