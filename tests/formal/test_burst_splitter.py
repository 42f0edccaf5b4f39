"""`BurstSplitter`: the bursts of a transfer are its beats, all of them, in order, and none crosses 4 KiB."""

from pathlib import Path

import pytest
from amaranth.hdl import Module, Mux, Signal, Value

from celosia.hdl.axi import BOUNDARY_BYTES
from celosia.hdl.burst_splitter import BurstSplitter
from tests.formal.inside import Inside
from tests.formal.prover import Harness, Mode, always, anything, holds, implies

ADDRESS_BITS = 20
COUNT_BITS = 10
BEAT_BYTES = 8
BEAT_SHIFT = 3
LONGEST_QUIET = 2
"""Cycles in a row in which beats are left and no burst is offered."""
DEPTH = 2


class SplitterHarness(Harness):
    """Keeps account of the transfer in work: `left` beats from `place` on have not been offered yet."""

    def __init__(self, splitter: BurstSplitter, address_bits: int = ADDRESS_BITS) -> None:
        super().__init__()
        self._splitter = splitter
        self._burst_beats = splitter._burst_beats
        self.place = Signal(address_bits - BEAT_SHIFT)
        self.left = Signal(COUNT_BITS)
        self._address_bits = address_bits

    def properties(self, m: Module) -> None:
        splitter, place, left = self._splitter, self.place, self.left
        inside = Inside(splitter)
        transfer, burst, stop = splitter.transfer, splitter.burst, splitter.stop
        m.d.comb += [
            transfer.valid.eq(anything(1)),
            transfer.payload.eq(anything(self._address_bits + COUNT_BITS)),
            burst.ready.eq(anything(1)),
            stop.eq(anything(1)),
        ]
        beats = Signal(range(257))
        is_new, stalled, waits = Signal(), Signal(), Signal()
        payload = Signal.like(Value.cast(burst.payload))
        m.d.comb += [
            beats.eq(burst.payload.length + 1),
            is_new.eq(burst.valid & ~stalled),
            waits.eq(burst.valid & ~burst.ready),
        ]
        m.d.sync += [stalled.eq(waits), payload.eq(burst.payload)]

        left_behind = Signal(COUNT_BITS)  # behind the burst that is new in this cycle
        place_behind = Signal.like(place)
        m.d.comb += [
            left_behind.eq(left - Mux(is_new, beats, 0)),
            place_behind.eq(place + Mux(is_new, beats, 0)),
        ]
        taken = transfer.valid & transfer.ready
        m.d.sync += [
            left.eq(Mux(stop, 0, Mux(taken, transfer.payload.beats, left_behind))),
            place.eq(Mux(taken, transfer.payload.address >> BEAT_SHIFT, place_behind)),
        ]
        first_byte = burst.payload.address % BOUNDARY_BYTES
        always(m, implies(is_new, burst.payload.address == place << BEAT_SHIFT))
        always(m, implies(is_new, (beats <= left) & (beats <= self._burst_beats)))
        always(m, implies(burst.valid, first_byte + beats * BEAT_BYTES <= BOUNDARY_BYTES))
        always(m, implies(taken, left_behind == 0))
        always(m, implies(splitter.idle, left == 0))
        always(m, implies(stalled, burst.valid & (Value.cast(burst.payload) == payload)))

        quiet = Signal(range(LONGEST_QUIET + 2))
        m.d.sync += quiet.eq(0)
        with m.If((left != 0) & ~burst.valid):
            m.d.sync += quiet.eq(quiet + 1)
        always(m, quiet <= LONGEST_QUIET)
        self._invariants(m, inside, left_behind, place_behind, quiet)
        m.submodules.splitter = inside.fragment

    def _invariants(
        self, m: Module, inside: Inside, left_behind: Signal, place_behind: Signal, quiet: Signal
    ) -> None:
        active, planned, final = (inside.signal(name) for name in ("active", "planned", "final"))
        remaining, count = inside.signal("remaining"), inside.signal("count")
        room = Signal(range(self._burst_beats + 1))
        m.d.comb += room.eq(self._burst_beats - place_behind % self._burst_beats)
        plan = Mux(remaining <= room, remaining, room)
        always(m, implies(active, (inside.signal("place") == place_behind) & (remaining == left_behind)))
        always(m, implies(~active, left_behind == 0))
        always(
            m, implies(active & planned, (count == plan) & (final == (remaining <= room)) & (remaining != 0))
        )
        always(m, implies((self.left != 0) & ~self._splitter.burst.valid, quiet <= planned))


def splitter(burst_beats: int, address_bits: int = ADDRESS_BITS) -> BurstSplitter:
    return BurstSplitter(
        address_bits=address_bits, data_bits=8 * BEAT_BYTES, count_bits=COUNT_BITS, burst_beats=burst_beats
    )


@pytest.mark.parametrize("burst_beats", [2, 16, 256])
def test_bursts_cover_their_transfer_and_stay_within_4_kib(burst_beats: int, tmp_path: Path) -> None:
    assert holds(SplitterHarness(splitter(burst_beats)), tmp_path, Mode.INDUCTION, DEPTH)


def test_a_burst_that_crosses_4_kib_is_found_out(tmp_path: Path) -> None:
    """Bursts end at multiples of 24 beats, of which 4 KiB is none; the constructor would refuse that."""
    wrong = splitter(16, address_bits=14)
    wrong._burst_beats = 24
    assert not holds(SplitterHarness(wrong, address_bits=14), tmp_path, Mode.BOUNDED, 7)


class HastySplitter(BurstSplitter):
    """Wrong: takes the next transfer before the last beat of this one."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.transfer.ready.eq(1)
        return m


def test_lost_beats_are_found_out(tmp_path: Path) -> None:
    wrong = HastySplitter(
        address_bits=ADDRESS_BITS, data_bits=8 * BEAT_BYTES, count_bits=COUNT_BITS, burst_beats=16
    )
    assert not holds(SplitterHarness(wrong), tmp_path, Mode.BOUNDED, 7)
