"""Performance counters, and the profile memory that keeps snapshots of them."""

import enum
from collections.abc import Sequence

from amaranth.hdl import Cat, Module, ShapeLike, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .register_map import COUNTERS, REGISTER_BITS, OwnCounter, counter_registers, profile_stride

COUNTER_WORDS = len(COUNTERS)
"""Words of a profile entry of a family without counters of its own, in the order of `register_map.COUNTERS`."""


class Cause(enum.IntEnum):
    """What a cycle was spent on, seen from COMPUTE; each value has its counter. A family's own come after."""

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


def cause_shape(own: Sequence[OwnCounter]) -> ShapeLike:
    """Of a signal that names one of all causes."""
    added = sum(entry.is_cause for entry in own)
    return range(len(Cause) + added) if added else Cause


def amounts_layout(own: Sequence[OwnCounter]) -> data.StructLayout:
    """The amounts of a family's own counters in one cycle."""
    return data.StructLayout({entry.name.lower(): entry.bits for entry in own if not entry.is_cause})


class PerformanceCounters(wiring.Component):
    """The 32-bit counters of a family and a block RAM of `profile_entries` snapshots of all of them.

    A counter keeps its value where it would pass 2**32 - 1; one that counts bytes may stop some bytes below.

    What happens in cycle t is in the counters in t + 2. A snapshot in cycle t shows everything before t, and is
    written in t + 2 .. t + 9; the next may come 8 cycles later (one more each for every counter of the family's
    own). `clear` acts in t + 1, on what came before t.

    Members:
        clear: zeroes everything; CYCLES and its part STALL_DMA start at `initial_cycles`.
        count: CYCLES and the counter of `cause` grow by one.
        cause: see `Cause`; behind its values the causes among `own`, in order.
        bytes_read, bytes_written: bytes to add in this cycle.
        amounts: to add in this cycle to the others of `own`, by name in small letters; there only if there are any.
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
    amounts: data.View

    def __init__(
        self,
        profile_entries: int,
        beat_bytes: int,
        initial_cycles: int = 0,
        own: Sequence[OwnCounter] = (),
    ) -> None:
        if profile_entries < 1 or profile_entries & (profile_entries - 1):
            raise ValueError(f"profile_entries must be a power of two, not {profile_entries}")
        self._entries = profile_entries
        self._initial_cycles = initial_cycles
        self._own = tuple(own)
        self._registers = counter_registers(own)
        words = len(self._registers)
        amounts = amounts_layout(own)
        super().__init__(
            {
                "clear": In(1),
                "count": In(1),
                "cause": In(cause_shape(own)),
                "bytes_read": In(range(beat_bytes + 1)),
                "bytes_written": In(range(beat_bytes + 1)),
                "snapshot": In(1),
                "values": Out(data.ArrayLayout(REGISTER_BITS, words)),
                "profile_count": Out(16),
                "profile_index": In(range(profile_entries * profile_stride(words))),
                "profile_data": Out(REGISTER_BITS),
                **({"amounts": In(amounts)} if amounts.members else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Adders that stop, and a shift register that empties into the profile memory."""
        m = Module()
        # What is to be counted comes from far; a register keeps it and the adders apart.
        count = Signal()
        all_causes = [*Cause, *range(len(Cause), len(Cause) + sum(entry.is_cause for entry in self._own))]
        causes = Signal(len(all_causes))
        bytes_read = Signal.like(self.bytes_read)
        bytes_written = Signal.like(self.bytes_written)
        snapshot = Signal()
        m.d.sync += [
            count.eq(self.count),
            causes.eq(Cat(self.count & (self.cause == cause) for cause in all_causes)),
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
        own_causes = iter(range(len(Cause), len(all_causes)))
        for entry in self._own:
            if entry.is_cause:
                increments[entry.name] = (causes[next(own_causes)], 0)
                continue
            amount = Signal(entry.bits, name=f"{entry.name.lower()}_amount")
            m.d.sync += amount.eq(self.amounts[entry.name.lower()])
            increments[entry.name] = (amount, 0)
        words = len(self._registers)
        for place, register in enumerate(self._registers):
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
            shape=REGISTER_BITS,
            depth=self._entries * profile_stride(words),
            init=[],
            attrs={"no_rw_check": "1"},
        )
        write = profile.write_port()
        read = profile.read_port()
        captured = Signal(data.ArrayLayout(REGISTER_BITS, words), reset_less=True)
        word = Signal(range(profile_stride(words)))
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
                writing.eq(word != words - 1),
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
