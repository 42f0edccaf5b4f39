"""Performance counters, and the profile memory that keeps snapshots of them."""

import enum

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .register_map import COUNTERS, REGISTER_BITS

COUNTER_WORDS = len(COUNTERS)
"""Words of a profile entry, in the order of `register_map.COUNTERS`."""


class Cause(enum.IntEnum):
    """What a cycle was spent on, seen from COMPUTE; each value has its counter."""

    ACTIVE = 0
    """A window is read."""
    WEIGHTS = 1
    """Waiting for a token from WEIGHTS, or for the core's weight registers."""
    IFM = 2
    """Waiting for a token from LOAD."""
    OFM = 3
    """Waiting for an accumulator half, or for a token from ACTIVATE or STORE."""
    DMA = 4
    """Everything else: no command in the queue, set-up, drain at the end."""


class PerformanceCounters(wiring.Component):
    """Eight 32-bit counters and a block RAM of `profile_entries` snapshots of all eight.

    A counter keeps its value where it would pass 2**32 - 1; one that counts bytes may stop some bytes below.

    What happens in cycle t is in the counters in t + 2. A snapshot in cycle t shows everything before t, and is
    written in t + 2 .. t + 9; the next may come 8 cycles later. `clear` acts in t + 1, on what came before t.

    Members:
        clear: zeroes everything; CYCLES and its part STALL_DMA start at `initial_cycles`.
        count: CYCLES and the counter of `cause` grow by one.
        cause: see `Cause`.
        bytes_read, bytes_written: bytes to add in this cycle.
        snapshot: append the counters to the profile memory; without effect when it is full, but counted.
        values: the counters.
        profile_count: snapshots since `clear`.
        profile_index: word of the profile memory to read.
        profile_data: that word, 2 cycles later.
    """

    clear: Signal
    count: Signal
    cause: Signal
    bytes_read: Signal
    bytes_written: Signal
    snapshot: Signal
    values: data.View
    profile_count: Signal
    profile_index: Signal
    profile_data: Signal

    def __init__(self, profile_entries: int, beat_bytes: int, initial_cycles: int = 0) -> None:
        if profile_entries < 1 or profile_entries & (profile_entries - 1):
            raise ValueError(f"profile_entries must be a power of two, not {profile_entries}")
        self._entries = profile_entries
        self._initial_cycles = initial_cycles
        super().__init__(
            {
                "clear": In(1),
                "count": In(1),
                "cause": In(Cause),
                "bytes_read": In(range(beat_bytes + 1)),
                "bytes_written": In(range(beat_bytes + 1)),
                "snapshot": In(1),
                "values": Out(data.ArrayLayout(REGISTER_BITS, COUNTER_WORDS)),
                "profile_count": Out(16),
                "profile_index": In(range(profile_entries * COUNTER_WORDS)),
                "profile_data": Out(REGISTER_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Adders that stop, and a shift register that empties into the profile memory."""
        m = Module()
        # What is to be counted comes from far; a register keeps it and the adders apart.
        count = Signal()
        causes = Signal(len(Cause))
        bytes_read = Signal.like(self.bytes_read)
        bytes_written = Signal.like(self.bytes_written)
        snapshot = Signal()
        m.d.sync += [
            count.eq(self.count),
            causes.eq(Cat(self.count & (self.cause == cause) for cause in Cause)),
            bytes_read.eq(self.bytes_read),
            bytes_written.eq(self.bytes_written),
            snapshot.eq(self.snapshot),
        ]
        increments = {
            "CYCLES": (count, self._initial_cycles),
            "ACTIVE": (causes[Cause.ACTIVE], 0),
            "STALL_WEIGHTS": (causes[Cause.WEIGHTS], 0),
            "STALL_IFM": (causes[Cause.IFM], 0),
            "STALL_OFM": (causes[Cause.OFM], 0),
            "STALL_DMA": (causes[Cause.DMA], self._initial_cycles),
            "BYTES_READ": (bytes_read, 0),
            "BYTES_WRITTEN": (bytes_written, 0),
        }
        for place, register in enumerate(COUNTERS):
            increment, initial = increments[register.name]
            name = register.name.lower()
            value = self.values[place]
            total = Signal(REGISTER_BITS + 1, name=f"{name}_total")
            m.d.comb += total.eq(value + increment)
            # Holding still at the end takes no cell, as showing another value than the one held would.
            with m.If(~total[-1]):
                m.d.sync += value.eq(total)
            with m.If(self.clear):
                m.d.sync += value.eq(initial)

        m.submodules.profile = profile = Memory(
            shape=REGISTER_BITS, depth=self._entries * COUNTER_WORDS, init=[], attrs={"no_rw_check": "1"}
        )
        write = profile.write_port()
        read = profile.read_port()
        captured = Signal(data.ArrayLayout(REGISTER_BITS, COUNTER_WORDS), reset_less=True)
        word = Signal(unsigned(COUNTER_WORDS.bit_length() - 1))
        writing = Signal()
        room = Signal()
        entry = Signal(range(self._entries))
        m.d.comb += [
            room.eq(self.profile_count < self._entries),
            write.addr.eq(Cat(word, entry)),
            write.data.eq(captured[0]),
            write.en.eq(writing),
            read.addr.eq(self.profile_index),
        ]
        m.d.sync += self.profile_data.eq(
            read.data
        )  # the registers' multiplexer is slow enough without a memory
        with m.If(writing):
            m.d.sync += [
                captured.eq(captured.as_value() >> REGISTER_BITS),
                word.eq(word + 1),
                writing.eq(word != COUNTER_WORDS - 1),
            ]
        with m.If(snapshot):
            m.d.sync += [
                captured.eq(self.values),
                word.eq(0),
                writing.eq(room),
                entry.eq(self.profile_count),
            ]
            with m.If(~self.profile_count.all()):
                m.d.sync += self.profile_count.eq(self.profile_count + 1)
        with m.If(self.clear):
            m.d.sync += [self.profile_count.eq(0), writing.eq(0)]
        return m
