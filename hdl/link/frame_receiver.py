"""From bytes on the line to whole, checked frames."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..skid_buffer import SkidBuffer
from .framing import CRC_BYTES, ESCAPE, ESCAPE_BIT_PLACE, FLAG, crc_processor

_HELD = CRC_BYTES + 1
"""Bytes that are held back: when the closing flag comes, the frame's last byte and the checksum."""


def frame_byte_layout() -> data.StructLayout:
    """A `byte` of a frame's content; `last` marks the frame's end."""
    return data.StructLayout({"byte": 8, "last": 1})


class FrameReceiver(wiring.Component):
    """Unstuffs, checks and stores frames; only those whose checksum is right come out, without it.

        i -> unescape -> hold 5 bytes back -> ring of `depth` bytes -> o
               CRC: commit or take back at the flag -^

    A frame is offered from its closing flag on. What does not fit the ring is taken back like a damaged frame. Block
    RAM of `depth` x 9 bits.

    Timing: the flag in cycle t: `o` offers the frame's first byte from t + 3 on if the ring was empty, then a byte a
    cycle; `damaged` is high in t + 1.

    Members:
        i: bytes from the line.
        o: `frame_byte_layout`.
        damaged: for one cycle: something that was no good frame ended.
    """

    i: stream.Interface
    o: stream.Interface
    damaged: Signal

    def __init__(self, depth: int) -> None:
        if isinstance(depth, bool) or not isinstance(depth, int):
            raise TypeError(f"depth must be an int, not {depth!r}")
        if depth < 64 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two of at least 64, not {depth}")
        self._depth = depth
        super().__init__(
            {
                "i": In(stream.Signature(8, always_ready=True)),
                "o": Out(stream.Signature(frame_byte_layout())),
                "damaged": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Unstuffing and checking in front, the ring behind."""
        m = Module()
        m.submodules.crc = crc = crc_processor()
        escaped = Signal()
        overflow = Signal()
        held = Signal(8 * _HELD, reset_less=True)
        count = Signal(range(_HELD + 1))  # bytes held, _HELD at most
        started = Signal()

        is_flag = Signal()
        is_escape = Signal()
        takes = Signal()
        byte = Signal(8)
        good = Signal()
        m.d.comb += [
            is_flag.eq(self.i.valid & (self.i.payload == FLAG)),
            is_escape.eq(self.i.valid & (self.i.payload == ESCAPE)),
            takes.eq(self.i.valid & ~is_flag & ~is_escape),
            byte.eq(self.i.payload ^ (escaped << ESCAPE_BIT_PLACE)),
            good.eq((count == _HELD) & crc.match_detected & ~escaped & ~overflow),
            crc.data.eq(byte),
            crc.valid.eq(takes),
            crc.start.eq(is_flag),
        ]
        push = Signal()
        commit = Signal()
        undo = Signal()
        m.d.comb += [
            push.eq((count == _HELD) & (takes | commit)),
            commit.eq(is_flag & good),
            undo.eq(is_flag & ~good),
        ]
        room = self._elaborate_ring(
            m,
            push=push,
            entry=Cat(held[:8], is_flag),
            commit=commit,
            undo=undo,
        )
        m.d.sync += self.damaged.eq(is_flag & started & ~(good & room))
        with m.If(push & ~room):
            m.d.sync += overflow.eq(1)
        with m.If(is_flag):
            m.d.sync += [escaped.eq(0), overflow.eq(0), count.eq(0), started.eq(0)]
        with m.Elif(is_escape):
            m.d.sync += [escaped.eq(1), started.eq(1)]
        with m.Elif(takes):
            m.d.sync += [escaped.eq(0), started.eq(1), held.eq(Cat(held[8:], byte))]
            with m.If(count != _HELD):
                m.d.sync += count.eq(count + 1)
        return m

    def _elaborate_ring(
        self, m: Module, *, push: Signal, entry: Value, commit: Signal, undo: Signal
    ) -> Signal:
        """Writes run ahead of what is committed; reads end there. Whether there is room for one more byte."""
        memory = Memory(shape=9, depth=self._depth, init=[], attrs={"no_rw_check": "1"})
        m.submodules.memory = memory
        m.submodules.output = output = SkidBuffer(frame_byte_layout())  # block RAM is late in its cycle
        wiring.connect(m, output.o, wiring.flipped(self.o))
        write_port = memory.write_port()
        read_port = memory.read_port()
        written = Signal(range(2 * self._depth))  # one bit more than an address: full is not empty
        committed = Signal(range(2 * self._depth))
        read = Signal(range(2 * self._depth))
        room = Signal()
        offered = Signal()
        fetch = Signal()
        m.d.comb += [
            room.eq((written ^ read) != self._depth),
            write_port.addr.eq(written),
            write_port.data.eq(entry),
            write_port.en.eq(push & room),
            fetch.eq((committed != read) & (~offered | output.i.ready)),
            read_port.addr.eq(read),
            read_port.en.eq(fetch),
            Cat(output.i.payload.byte, output.i.payload.last).eq(read_port.data),
            output.i.valid.eq(offered),
        ]
        with m.If(undo | (commit & ~room)):
            m.d.sync += written.eq(committed)
        with m.Elif(push & room):
            m.d.sync += written.eq(written + 1)
            with m.If(commit):
                m.d.sync += committed.eq(written + 1)
        with m.If(fetch):
            m.d.sync += [read.eq(read + 1), offered.eq(1)]
        with m.Elif(output.i.ready):
            m.d.sync += offered.eq(0)
        return room
