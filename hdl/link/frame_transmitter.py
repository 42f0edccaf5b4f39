"""From frames to bytes on the line."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .frame_receiver import frame_byte_layout
from .framing import CRC_BYTES, ESCAPE, ESCAPE_BIT, FLAG, crc_processor


class FrameTransmitter(wiring.Component):
    """Appends the checksum, stuffs, and puts flags around.

    Nothing is stored: a frame whose bytes pause, pauses on the line. Timing: a byte a cycle; `o` offers the opening
    flag in the cycle in which `i` first offers a byte, and the byte itself from the next cycle on.

    Members:
        i: `frame_byte_layout`, at least one byte a frame.
        o: bytes to the line; `valid` depends on `i.valid`, `i.ready` on `o.ready`.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(frame_byte_layout())), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        """Opening flag, content, checksum, closing flag; content and checksum pass the stuffing."""
        m = Module()
        m.submodules.crc = crc = crc_processor()
        sent = Signal()
        byte = Signal(8)  # before stuffing
        needs_escape = Signal()
        escaped = Signal()
        stuffed = Signal(8)
        complete = Signal()  # the byte itself leaves, not the escape before it
        place = Signal(range(CRC_BYTES))
        m.d.comb += [
            sent.eq(self.o.valid & self.o.ready),
            needs_escape.eq((byte == FLAG) | (byte == ESCAPE)),
            stuffed.eq(Mux(needs_escape, Mux(escaped, byte ^ ESCAPE_BIT, ESCAPE), byte)),
            complete.eq(sent & (escaped | ~needs_escape)),
            crc.data.eq(self.i.payload.byte),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [self.o.payload.eq(FLAG), self.o.valid.eq(self.i.valid), crc.start.eq(1)]
                with m.If(sent):
                    m.next = "CONTENT"
            with m.State("CONTENT"):
                m.d.comb += [
                    byte.eq(self.i.payload.byte),
                    self.o.payload.eq(stuffed),
                    self.o.valid.eq(self.i.valid),
                    self.i.ready.eq(complete),
                    crc.valid.eq(complete),
                ]
                with m.If(sent):
                    m.d.sync += escaped.eq(needs_escape & ~escaped)
                with m.If(complete & self.i.payload.last):
                    m.d.sync += place.eq(0)
                    m.next = "CHECKSUM"
            with m.State("CHECKSUM"):
                m.d.comb += [
                    byte.eq((crc.crc >> (place * 8))[:8]),
                    self.o.payload.eq(stuffed),
                    self.o.valid.eq(1),
                ]
                with m.If(sent):
                    m.d.sync += escaped.eq(needs_escape & ~escaped)
                with m.If(complete):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == CRC_BYTES - 1):
                        m.next = "END"
            with m.State("END"):
                m.d.comb += [self.o.payload.eq(FLAG), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = "IDLE"
        return m
