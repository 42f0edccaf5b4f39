"""Cuts transfers of any length into legal AXI bursts."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .axi import BOUNDARY_BYTES, MAXIMUM_BURST_BEATS, burst_layout, check_widths
from .shared_module import shared_module


def transfer_layout(address_bits: int, count_bits: int) -> data.StructLayout:
    """A transfer: `address` of its first byte (bits below a beat are ignored) and its number of `beats`."""
    return data.StructLayout({"address": address_bits, "beats": count_bits})


def check_burst_beats(burst_beats: int, data_bits: int) -> None:
    """Refuse a burst length that cannot be aligned or would cross 4 KiB.

    Raises:
        TypeError: not an int.
        ValueError: not a power of two in 2..256, or longer than 4 KiB.
    """
    if isinstance(burst_beats, bool) or not isinstance(burst_beats, int):
        raise TypeError(f"burst_beats must be an int, not {burst_beats!r}")
    largest = min(MAXIMUM_BURST_BEATS, BOUNDARY_BYTES * 8 // data_bits)
    if burst_beats & (burst_beats - 1) or not 2 <= burst_beats <= largest:
        raise ValueError(f"burst_beats must be a power of two in 2..{largest}, not {burst_beats}")


def split(address: int, beats: int, burst_beats: int, beat_bytes: int = 8) -> list[tuple[int, int]]:
    """The bursts of `BurstSplitter` as (byte address, beats); its model."""
    bursts = []
    place = address // beat_bytes
    while beats:
        count = min(beats, burst_beats - place % burst_beats)
        bursts.append((place * beat_bytes, count))
        place += count
        beats -= count
    return bursts


class BurstSplitter(wiring.Component):
    """Transfers in, bursts out: each ends at a multiple of `burst_beats` or with its transfer.

    Aligned that way no burst crosses 4 KiB, and one small subtraction gives its length.

    Timing: a transfer taken in cycle t offers its first burst in t + 3. A burst taken in cycle t is
    followed by the next in t + 2. A transfer of no beats offers nothing.

    Members:
        transfer: `transfer_layout`; taken when the splitter is idle.
        burst: `burst_layout`, the address rounded down to a beat; a register.
        stop: what is offered stays offered; the rest of the transfer is dropped, a new one is swallowed.
        idle: no transfer in work and no burst offered; low from the cycle after a transfer is taken.
    """

    transfer: stream.Interface
    burst: stream.Interface
    stop: Signal
    idle: Signal

    def __init__(self, *, address_bits: int, data_bits: int, count_bits: int, burst_beats: int) -> None:
        check_widths(address_bits, data_bits)
        check_burst_beats(burst_beats, data_bits)
        self._beat_shift = (data_bits // 8).bit_length() - 1
        self._burst_beats = burst_beats
        self._count_bits = count_bits
        self._address_bits = address_bits
        super().__init__(
            {
                "transfer": In(stream.Signature(transfer_layout(address_bits, count_bits))),
                "burst": Out(stream.Signature(burst_layout(address_bits))),
                "stop": In(1),
                "idle": Out(1),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """One register stage finds the length, the next offers the burst and moves on."""
        m = Module()
        burst = Signal(burst_layout(self._address_bits), reset_less=True)
        burst_valid = Signal()
        place = Signal(self._address_bits - self._beat_shift, reset_less=True)  # address in beats
        remaining = Signal(self._count_bits, reset_less=True)
        active = Signal()
        planned = Signal()
        count = Signal(range(self._burst_beats + 1), reset_less=True)
        final = Signal(reset_less=True)

        room = Signal(range(self._burst_beats + 1))
        fits = Signal()
        burst_bits = self._burst_beats.bit_length() - 1
        m.d.comb += [
            room.eq(self._burst_beats - (place % self._burst_beats)),
            # A short comparison: no transfer of more than a whole burst fits.
            fits.eq((remaining[burst_bits + 1 :] == 0) & (remaining[: burst_bits + 1] <= room)),
            self.burst.payload.eq(burst),
            self.burst.valid.eq(burst_valid),
            self.transfer.ready.eq(~active),
            self.idle.eq(~active & ~burst_valid),
        ]
        with m.If(self.burst.ready):
            m.d.sync += burst_valid.eq(0)

        with m.If(~active):
            m.d.sync += [
                place.eq(self.transfer.payload.address >> self._beat_shift),
                remaining.eq(self.transfer.payload.beats),
                planned.eq(0),
            ]
            with m.If(self.transfer.valid & ~self.stop):
                m.d.sync += active.eq(1)
        with m.Elif(self.stop):
            m.d.sync += active.eq(0)
        with m.Elif(~planned):
            m.d.sync += [
                final.eq(fits),
                count.eq(Mux(fits, remaining, room)),
                planned.eq(1),
            ]
            with m.If(remaining == 0):
                m.d.sync += active.eq(0)
        # Not yet in the cycle in which the one before is taken: that comes late in it, and these registers are many.
        with m.Elif(~burst_valid):
            m.d.sync += [
                burst.address.eq(place << self._beat_shift),
                burst.length.eq(count - 1),
                burst_valid.eq(1),
                # The next burst starts at a multiple of the longest; behind the final one there is none.
                place.eq(Cat(Const(0, burst_bits), place[burst_bits:] + 1)),
                remaining.eq(remaining - count),
                planned.eq(0),
                active.eq(~final),
            ]
        return m
