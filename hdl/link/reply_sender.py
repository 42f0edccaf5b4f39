"""Puts replies together, byte by byte."""

import enum

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .frame_receiver import frame_byte_layout
from .protocol import INTERRUPT_BIT, OUTCOME_MASK, REGISTER_BYTES, REPLY_HEADER, Outcome, layout, size


class Body(enum.Enum):
    """What lies between the header of a reply and its outcome."""

    NOTHING = 0
    VALUE = 1
    IDENTITY = 2
    MEMORY = 3


def reply_layout() -> data.StructLayout:
    """A reply to send: `header`, `body`, the `value` if that is the body, `outcome` (MEMORY: the memory's own)."""
    return data.StructLayout({"header": layout(REPLY_HEADER), "body": Body, "value": 32, "outcome": Outcome})


class ReplySender(wiring.Component):
    """Header, body, outcome: one frame a reply.

    Timing: a reply taken in cycle t offers its first byte in t + 1, then a byte a cycle, with a pause of a cycle
    after header and body.

    Members:
        reply: `reply_layout`; taken when the one before has left.
        memory: `frame_byte_layout`: the body of a MEMORY reply, at least one byte.
        memory_outcome: read after its last byte.
        interrupt: level to report.
        o: `frame_byte_layout`.
    """

    reply: stream.Interface
    memory: stream.Interface
    memory_outcome: Signal
    interrupt: Signal
    o: stream.Interface

    def __init__(self, identity: bytes) -> None:
        """`identity` is the body of an IDENTITY reply."""
        self._identity = identity
        super().__init__(
            {
                "reply": In(stream.Signature(reply_layout())),
                "memory": In(stream.Signature(frame_byte_layout())),
                "memory_outcome": In(Outcome),
                "interrupt": In(1),
                "o": Out(stream.Signature(frame_byte_layout())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A shift register for all that is short; identity and memory pass beside it."""
        m = Module()
        reply = Signal(reply_layout(), reset_less=True)
        shift = Signal(8 * size(REPLY_HEADER), reset_less=True)
        left = Signal(range(max(size(REPLY_HEADER), len(self._identity)) + 1))  # bytes of this part
        identity = Const(int.from_bytes(self._identity, "little"), 8 * len(self._identity))
        sent = Signal()
        m.d.comb += [self.o.payload.byte.eq(shift), sent.eq(self.o.valid & self.o.ready)]
        with m.If(sent):
            m.d.sync += [shift.eq(shift >> 8), left.eq(left - 1)]

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.reply.ready.eq(1)
                m.d.sync += [
                    reply.eq(self.reply.payload),
                    shift.eq(self.reply.payload.header),
                    left.eq(size(REPLY_HEADER)),
                ]
                with m.If(self.reply.valid):
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += self.o.valid.eq(left != 0)
                with m.If(left == 0):
                    m.d.sync += shift.eq(reply.value)
                    with m.Switch(reply.body):
                        with m.Case(Body.NOTHING):
                            m.next = "END"
                        with m.Case(Body.VALUE):
                            m.d.sync += left.eq(REGISTER_BYTES)
                            m.next = "VALUE"
                        with m.Case(Body.IDENTITY):
                            m.d.sync += left.eq(len(self._identity))
                            m.next = "IDENTITY"
                        with m.Case(Body.MEMORY):
                            m.next = "MEMORY"
            with m.State("VALUE"):
                m.d.comb += self.o.valid.eq(left != 0)
                with m.If(left == 0):
                    m.next = "END"
            with m.State("IDENTITY"):
                place = Signal(range(len(self._identity)))
                m.d.comb += [
                    place.eq(len(self._identity) - left),
                    self.o.payload.byte.eq((identity >> (place * 8))[:8]),
                    self.o.valid.eq(left != 0),
                ]
                with m.If(left == 0):
                    m.next = "END"
            with m.State("MEMORY"):
                m.d.comb += [
                    self.o.payload.byte.eq(self.memory.payload.byte),
                    self.o.valid.eq(self.memory.valid),
                    self.memory.ready.eq(self.o.ready),
                ]
                with m.If(sent & self.memory.payload.last):
                    m.d.sync += reply.outcome.eq(self.memory_outcome)
                    m.next = "END"
            with m.State("END"):
                m.d.sync += shift.eq(_outcome_byte(reply.outcome, self.interrupt))
                m.next = "OUTCOME"
            with m.State("OUTCOME"):
                m.d.comb += [self.o.payload.last.eq(1), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = "IDLE"
        return m


def _outcome_byte(outcome: data.View | Signal, interrupt: Signal) -> Cat:
    low = OUTCOME_MASK.bit_length()
    return Cat(outcome, Const(0, INTERRUPT_BIT.bit_length() - 1 - low), interrupt)
