"""Fetches the command queue from memory, checks it and deals the commands out to the verbs' queues."""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.axi import ReadClient, ReadClientSignature, Response
from ...hdl.burst_splitter import BurstSplitter
from ...hdl.stream_queue import StreamQueue
from .command import BEGIN, COMMAND_BEATS, COMMAND_BYTES, HALT, OPCODE_OF_VERB, CommandLayout, Opcode, Verb
from .register_map import REGISTER_BITS, ErrorCode
from .run_control import error_layout

BEAT_BITS = 64
_QUEUE_BEATS = 32
"""Beats on their way or waiting to be dealt; of 64 bits, four commands."""
_MAXIMUM_COMMANDS = 1 << 16
_LUT_INPUTS = 4
_COUNT_BITS = (_MAXIMUM_COMMANDS * COMMAND_BEATS).bit_length()


class CommandFetch(wiring.Component):
    """Reads `count` commands in bursts and streams their beats, one a cycle, to the queue of their verb.

    Checked before a command is passed on: its opcode, that the reserved bits of its header are zero, that the first one
    and no other is BEGIN, carrying this configuration's hash, and that the last one and no other is HALT.
    The command's place in the queue is written into its header's `index`. Of each command only the first
    `layout.beats` beats are passed on, the others are dropped at the same rate.

    Timing, in cycles: `start` in t gives the first burst request in t + 5, further ones in the splitter's
    rhythm while there is room for a longest one (32 beats are stored or on their way). A beat that arrives in t is
    offered to its queue in t + 3, in which a HALT would be dealt out; `halted` and the errors of commands follow two
    cycles later. A command takes eight cycles, more when its queue is full.

    Members:
        start: one cycle: fetch the queue described by the next five members, which stay as they are.
        base: bus address of region PROGRAM.
        limit: its size in bytes.
        offset, count: the queue's place in the region in bytes (the bus address a multiple of 64) and its length.
        stop: no new bursts, nothing more is dealt out; beats on their way are swallowed.
        read: client of the read arbiter.
        beats: for each verb, the first beats of its commands.
        halted: HALT was reached, every other command is in its queue.
        next_index: the command to be checked next.
        error: the first error, valid from then on until the reset.
    """

    start: Signal
    base: Signal
    limit: Signal
    offset: Signal
    count: Signal
    stop: Signal
    read: ReadClient
    beats: list[stream.Interface]
    halted: Signal
    next_index: Signal
    error: data.View

    def __init__(
        self,
        layouts: Mapping[Verb, CommandLayout],
        configuration_hash: int,
        address_bits: int,
        burst_beats: int,
        data_bits: int = BEAT_BITS,
    ) -> None:
        if set(layouts) != set(Verb):
            raise ValueError(f"layouts must have one for every verb, not for {sorted(layouts)} only")
        self._layouts = dict(layouts)
        self._hash = configuration_hash
        self._address_bits = address_bits
        self._burst_beats = min(burst_beats, _QUEUE_BEATS // 2)
        self._data_bits = data_bits
        self._command_beats = COMMAND_BYTES * 8 // data_bits  # on the bus
        super().__init__(
            {
                "start": In(1),
                "base": In(address_bits),
                "limit": In(REGISTER_BITS),
                "offset": In(REGISTER_BITS),
                "count": In(REGISTER_BITS),
                "stop": In(1),
                "read": Out(ReadClientSignature(address_bits, data_bits)),
                "beats": Out(stream.Signature(BEAT_BITS)).array(len(Verb)),
                "halted": Out(1),
                "next_index": Out(16),
                "error": Out(error_layout(address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Requests, the beats that come back, and the dealer, joined by a queue of beats."""
        m = Module()
        # In block RAM, which takes a queue of twice the depth that is used.
        m.submodules.queue = queue = StreamQueue(self._data_bits, 2 * _QUEUE_BEATS)
        # Of the list until it is requested, then of the next beat.
        address = Signal(self._address_bits)
        with m.If(self.start):
            m.d.sync += address.eq(self.base + self.offset)
        self._elaborate_requests(m, address, popped=queue.o.valid & queue.o.ready)
        beat_index = self._elaborate_beats(m, address, queue.i)
        command_fails, command_index = self._elaborate_dealer(m, self._narrow(m, queue.o))
        # An error has one of two places: that of a beat, which is the list's before there is any, or a command's.
        failed_at = Signal(self._address_bits, reset_less=True)  # flip-flops clear it, no multiplexer
        m.d.comb += self.error.address.eq(failed_at)
        with m.If(~self.error.valid):
            m.d.sync += [
                self.error.index.eq(Mux(command_fails, command_index, beat_index)),
                failed_at.eq(Mux(command_fails, 0, address)),
            ]
        return m

    def _fail(self, m: Module, code: ErrorCode) -> None:
        with m.If(~self.error.valid):
            m.d.sync += [self.error.valid.eq(1), self.error.code.eq(code)]

    def _elaborate_requests(self, m: Module, address: Signal, popped: Any) -> None:
        m.submodules.splitter = splitter = BurstSplitter(
            address_bits=self._address_bits,
            data_bits=self._data_bits,
            count_bits=_COUNT_BITS,
            burst_beats=self._burst_beats,
        )
        end = Signal(REGISTER_BITS + COMMAND_BYTES.bit_length())
        impossible = Signal()
        beyond = Signal()
        m.d.comb += [
            splitter.stop.eq(self.stop),
            splitter.transfer.payload.address.eq(address),
            splitter.transfer.payload.beats.eq(self.count * self._command_beats),
        ]
        with m.FSM(name="requests"):
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += end.eq(self.offset + (self.count << (COMMAND_BYTES.bit_length() - 1)))
                m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += [
                    impossible.eq(
                        (self.count == 0) | (self.count > _MAXIMUM_COMMANDS) | (address % COMMAND_BYTES != 0)
                    ),
                    beyond.eq(end > self.limit),
                ]
                m.next = "TRANSFER"
            with m.State("TRANSFER"):
                with m.If(impossible):
                    self._fail(m, ErrorCode.ILLEGAL_COMMAND)
                with m.Elif(beyond):
                    self._fail(m, ErrorCode.OUT_OF_REGION)
                with m.Else():
                    m.d.comb += splitter.transfer.valid.eq(1)
                m.next = "IDLE"

        request = self.read.request
        room = Signal(range(_QUEUE_BEATS + 1), init=_QUEUE_BEATS)
        fits = Signal()
        # Registered, since it comes late in its cycle: no burst is on offer in the one that follows.
        change = Signal(signed(len(room) + 1))
        m.d.comb += [
            # Room for the longest burst, which takes no comparison: what follows reaches through the arbiter.
            fits.eq(room >= self._burst_beats),
            request.payload.eq(splitter.burst.payload),
            request.valid.eq(splitter.burst.valid & fits & ~self.stop),
            splitter.burst.ready.eq((request.ready & fits) | self.stop),
        ]
        m.d.sync += [
            # -(length + 1), as its complement
            change.eq(Mux(request.valid & request.ready, ~Cat(request.payload.length, 0).as_signed(), 0)),
            room.eq(room + change + popped),
        ]

    def _elaborate_beats(self, m: Module, address: Signal, queue: stream.Interface) -> Value:
        """The index of the command that the next beat belongs to."""
        beats = self.read.beats
        received = Signal(_COUNT_BITS)
        m.d.comb += [
            queue.payload.eq(beats.payload.data),
            queue.valid.eq(beats.valid),
        ]
        with m.If(self.start):
            m.d.sync += received.eq(0)
        with m.If(beats.valid):
            m.d.sync += [received.eq(received + 1), address.eq(address + self._data_bits // 8)]
            with m.If(beats.payload.response == Response.SLAVE_ERROR.value):
                self._fail(m, ErrorCode.BUS_SLAVE_ERROR)
            with m.If(beats.payload.response == Response.DECODE_ERROR.value):
                self._fail(m, ErrorCode.BUS_DECODE_ERROR)
        return received[self._command_beats.bit_length() - 1 :]

    def _narrow(self, m: Module, beats: stream.Interface) -> stream.Interface:
        """The 64-bit beats of those of the bus, lowest bits first, in the same cycles."""
        parts = self._data_bits // BEAT_BITS
        if parts == 1:
            return beats
        narrow = stream.Signature(BEAT_BITS).create()
        part = Signal(range(parts), name="part_of_beat")
        m.d.comb += [
            narrow.payload.eq(Array(beats.payload.word_select(n, BEAT_BITS) for n in range(parts))[part]),
            narrow.valid.eq(beats.valid),
            beats.ready.eq(narrow.ready & (part == parts - 1)),
        ]
        with m.If(narrow.valid & narrow.ready):
            m.d.sync += part.eq(part + 1)
        return narrow

    def _elaborate_dealer(self, m: Module, queue: stream.Interface) -> tuple[Signal, Signal]:
        """Whether a command fails in this cycle, and its index."""
        verbs = len(Verb)
        place = Signal(range(COMMAND_BEATS))
        index = Signal(16)
        is_first = Signal(init=1)

        header = data.View(HALT.struct(), queue.payload)

        # The stage register: a beat, its place, and for a header what it says.
        stage_valid = Signal()
        stage_data = Signal(BEAT_BITS, reset_less=True)
        stage_place = Signal.like(place)
        stage_index = Signal.like(index)
        stage_verb = Signal(verbs)
        stage_begin = Signal()
        stage_halt = Signal()
        stage_first, stage_last = Signal(), Signal()
        stage_known, stage_clean, stage_legal = Signal(), Signal(), Signal()
        # What must be zero, four bits to a register: behind block RAM there is time for one LUT and no more.
        zeros = Cat(header.reserved, header.index)
        stage_set = Signal(-(-len(zeros) // _LUT_INPUTS))
        # Likewise of the beat that must be the hash.
        stage_differs = Signal(BEAT_BITS // _LUT_INPUTS)
        stage_taken = Signal()

        is_verb = Cat(header.opcode == OPCODE_OF_VERB[verb].value for verb in Verb)
        is_begin = header.opcode == Opcode.BEGIN.value
        is_halt = header.opcode == Opcode.HALT.value
        is_last = Signal()
        m.d.comb += [
            is_last.eq(index + 1 == self.count),
            self.next_index.eq(index),
            stage_known.eq(stage_verb.any() | stage_begin | stage_halt),
            stage_clean.eq(~stage_set.any()),
            stage_legal.eq(
                stage_known & stage_clean & (stage_begin == stage_first) & (stage_halt == stage_last)
            ),
            queue.ready.eq(~stage_valid | stage_taken | self.stop),
        ]
        with m.If(stage_taken | self.stop):
            m.d.sync += stage_valid.eq(0)
        with m.If(queue.valid & queue.ready):
            m.d.sync += [
                stage_valid.eq(~self.stop),
                stage_data.eq(queue.payload),
                stage_place.eq(place),
                stage_differs.eq(_quarters(queue.payload ^ Const(self._hash, BEAT_BITS))),
                place.eq(place + 1),
            ]
            with m.If(place == 0):
                m.d.sync += [
                    stage_index.eq(index),
                    stage_verb.eq(is_verb),
                    stage_begin.eq(is_begin),
                    stage_halt.eq(is_halt),
                    stage_first.eq(is_first),
                    stage_last.eq(is_last),
                    stage_set.eq(_quarters(zeros)),
                    is_first.eq(0),
                    index.eq(index + 1),
                ]

        # Who keeps the beat: a verb's queue while its layout lasts; nobody otherwise.
        wanted = Signal(verbs)
        passed = data.View(HALT.struct(), Signal(BEAT_BITS, name="passed"))
        m.d.comb += Signal.cast(passed).eq(stage_data)
        with m.If(stage_place == 0):
            m.d.comb += passed.index.eq(stage_index)
        for verb in Verb:
            out = self.beats[verb]
            m.d.comb += [
                wanted[verb].eq(stage_verb[verb] & (stage_place < self._layouts[verb].beats)),
                out.payload.eq(passed.as_value()),
                out.valid.eq(stage_valid & stage_legal & wanted[verb] & ~self.error.valid & ~self.stop),
            ]
        readies = Cat(self.beats[verb].ready for verb in Verb)
        m.d.comb += stage_taken.eq(stage_valid & ~(wanted & ~readies).any())

        # What a command means for the run is told a cycle later.
        acts = stage_valid & ~self.stop
        is_illegal, is_foreign, ends = Signal(), Signal(), Signal()
        command_index = Signal.like(stage_index)
        m.d.sync += [
            is_illegal.eq(acts & ~stage_legal),
            is_foreign.eq(acts & stage_begin & (stage_place == 1) & stage_differs.any()),
            ends.eq(acts & stage_legal & stage_halt),
            command_index.eq(stage_index),
        ]
        with m.If(is_illegal):
            self._fail(m, ErrorCode.ILLEGAL_COMMAND)
        with m.Elif(is_foreign):
            self._fail(m, ErrorCode.CONFIGURATION_MISMATCH)
        with m.Elif(ends & ~self.error.valid):
            m.d.sync += self.halted.eq(1)
        command_fails = Signal()
        m.d.comb += command_fails.eq(is_illegal | is_foreign)
        return command_fails, command_index


def _quarters(bits: Value) -> Value:
    """Of every four bits, whether any is set: a LUT each."""
    return Cat(bits[low : low + _LUT_INPUTS].any() for low in range(0, len(bits), _LUT_INPUTS))


assert BEGIN.fields[0].bits == BEAT_BITS, "the hash is the beat after the header"
