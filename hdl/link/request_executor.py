"""Executes requests, each exactly once and in order."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .frame_receiver import frame_byte_layout
from .memory_reader import LENGTH_BITS
from .protocol import (
    NO_SESSION,
    REGISTER_BYTES,
    REPLY_BIT,
    REQUEST_HEADER,
    Kind,
    Outcome,
    field_bits,
)
from .register_access import register_reply_layout, register_request_layout
from .reply_sender import Body, reply_layout
from .request_reader import request_layout

WINDOW = 16
"""Requests that may be unanswered at a time: their replies fill one row of LUT RAM."""

_SEQUENCE_BITS = field_bits(REQUEST_HEADER, "sequence")
_VALUE_BITS = 8 * REGISTER_BYTES


class RequestExecutor(wiring.Component):
    """Requests in, accesses and replies out, one at a time, in the order of their sequence numbers.

    * the sequence number that is expected: executed, once the reply before has left; its outcome (and value) is kept;
    * one of the `WINDOW` before: answered again from what was kept. Only a read of memory is carried out again, which
      changes nothing;
    * any other, or another session: not executed, a notice tells;
    * CONNECT begins a session, unless it is the present one.

    Notices also tell of a damaged frame and of an interrupt that rises.

    Timing: a request offered in cycle t offers a notice, or a reply that was kept, in t + 2. If it is executed, and the
    reply before has left: reading the cycles or memory t + 4; reading a register t + 5 and writing one t + 9, plus the
    cycles from `register` to `register_reply`; writing memory t + 4, plus those from `write_start` to `write_done`.

    Members:
        request, data: of `RequestReader`; `request` is taken with its reply.
        damaged: a pulse: a frame was damaged.
        interrupt: its level.
        register, register_reply: to `RegisterAccess`.
        memory_address, memory_length: valid with `write_start` and `read_start`.
        write_start, written, write_done, write_outcome: to `MemoryWriter`.
        read_start: a pulse to `MemoryReader`, in the cycle in which the reply is taken.
        reply: `reply_layout`.
    """

    request: stream.Interface
    data: stream.Interface
    damaged: Signal
    interrupt: Signal
    register: stream.Interface
    register_reply: stream.Interface
    memory_address: Signal
    memory_length: Signal
    write_start: Signal
    written: stream.Interface
    write_done: Signal
    write_outcome: Signal
    read_start: Signal
    reply: stream.Interface

    def __init__(self, register_address_bits: int, address_bits: int) -> None:
        self._register_address_bits = register_address_bits
        self._address_bits = address_bits
        super().__init__(
            {
                "request": In(stream.Signature(request_layout())),
                "data": In(stream.Signature(frame_byte_layout())),
                "damaged": In(1),
                "interrupt": In(1),
                "register": Out(stream.Signature(register_request_layout(register_address_bits))),
                "register_reply": In(stream.Signature(register_reply_layout())),
                "memory_address": Out(address_bits),
                "memory_length": Out(LENGTH_BITS),
                "write_start": Out(1),
                "written": Out(stream.Signature(frame_byte_layout())),
                "write_done": In(1),
                "write_outcome": In(Outcome),
                "read_start": Out(1),
                "reply": Out(stream.Signature(reply_layout())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Compare, decide, execute, record, reply."""
        m = Module()
        header = self.request.payload.header
        kind = header.kind
        session = Signal(field_bits(REQUEST_HEADER, "session"), init=NO_SESSION)
        expected = Signal(_SEQUENCE_BITS)
        ahead = Signal(_SEQUENCE_BITS)  # of what is expected
        is_reachable = Signal()
        value = Signal(_VALUE_BITS, reset_less=True)
        outcome = Signal(Outcome)
        body = Signal(Body)
        is_notice = Signal()
        is_answer = Signal()  # the reply is the request's, not a notice of its own accord
        gathered = Signal(range(REGISTER_BYTES + 1))  # bytes of a register's value
        cycles = Signal(_VALUE_BITS)
        damaged = Signal()  # not told yet
        rose = Signal()
        m.d.sync += cycles.eq(cycles + 1)
        reply = self.reply.payload
        m.d.comb += [
            self.memory_address.eq(header.address),
            self.memory_length.eq(header.length),
            self.register.payload.write.eq(kind == Kind.WRITE_REGISTER),
            self.register.payload.address.eq(header.address),
            self.register.payload.value.eq(value),
            self.written.payload.eq(self.data.payload),
            reply.header.kind.eq(Mux(is_notice, Kind.NOTICE.value, kind | REPLY_BIT)),
            reply.header.session.eq(Mux(is_notice, session, header.session)),
            reply.header.sequence.eq(Mux(is_notice, expected, header.sequence)),
            reply.body.eq(body),
            reply.value.eq(value),
            reply.outcome.eq(outcome),
        ]
        kept, keep = self._elaborate_kept_replies(m, header.sequence, Cat(value, outcome))

        def notify(reason: Value | Outcome) -> None:
            m.d.sync += [is_notice.eq(1), body.eq(Body.NOTHING), outcome.eq(reason)]
            m.next = "REPLY"

        def refuse() -> None:
            m.d.sync += outcome.eq(Outcome.REFUSED)
            m.next = "RECORD"

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [
                    is_notice.eq(0),
                    is_answer.eq(0),
                    ahead.eq(header.sequence - expected),
                    is_reachable.eq(self._is_reachable(kind, header.address)),
                    body.eq(self._body(kind)),
                    gathered.eq(0),
                ]
                with m.If(damaged | rose):
                    m.d.sync += [damaged.eq(0), rose.eq(rose & damaged)]
                    notify(Mux(damaged, Outcome.DAMAGED.value, Outcome.DONE.value))
                with m.Elif(self.request.valid):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.sync += is_answer.eq(1)
                with m.If(kind == Kind.CONNECT):
                    with m.If(header.session != session):
                        m.d.sync += [session.eq(header.session), expected.eq(0)]
                    m.d.sync += outcome.eq(Outcome.DONE)
                    m.next = "REPLY"
                with m.Elif(header.session != session):
                    notify(Outcome.OTHER_SESSION)
                with m.Elif(ahead == 0):
                    m.next = "EXECUTE"
                with m.Elif(ahead >= (1 << _SEQUENCE_BITS) - WINDOW):
                    m.d.sync += Cat(value, outcome).eq(kept)
                    with m.If((body == Body.MEMORY) & (kept[_VALUE_BITS:] == Outcome.REFUSED)):
                        m.d.sync += body.eq(Body.NOTHING)
                    m.next = "REPLY"
                with m.Else():
                    notify(Outcome.OUT_OF_ORDER)
            with m.State("EXECUTE"), m.If(self.reply.ready):
                m.d.sync += [value.eq(0), outcome.eq(Outcome.DONE)]
                with m.Switch(kind):
                    with m.Case(Kind.READ_CYCLES):
                        m.d.sync += value.eq(cycles)
                        m.next = "RECORD"
                    with m.Case(Kind.READ_REGISTER):
                        m.next = "ACCESS"
                    with m.Case(Kind.WRITE_REGISTER):
                        m.next = "GATHER"
                    with m.Case(Kind.READ_MEMORY):
                        m.next = "RECORD"
                    with m.Case(Kind.WRITE_MEMORY):
                        m.next = "WRITE"
                        m.d.comb += self.write_start.eq(is_reachable & self.request.payload.has_data)
                    with m.Default():
                        refuse()
                is_write = (kind == Kind.WRITE_REGISTER) | (kind == Kind.WRITE_MEMORY)
                is_empty_read = (kind == Kind.READ_MEMORY) & (header.length == 0)
                with m.If(~is_reachable | (is_write & ~self.request.payload.has_data) | is_empty_read):
                    m.d.sync += body.eq(Mux(body == Body.MEMORY, Body.NOTHING, body))
                    refuse()
            with m.State("GATHER"):
                m.d.comb += self.data.ready.eq(1)
                with m.If(self.data.valid):
                    m.d.sync += value.eq(Cat(value[8:], self.data.payload.byte))
                    with m.If(gathered != REGISTER_BYTES):
                        m.d.sync += gathered.eq(gathered + 1)
                    with m.If(self.data.payload.last):
                        m.next = "ACCESS"
                        with m.If(gathered != REGISTER_BYTES - 1):
                            refuse()
            with m.State("ACCESS"):
                m.d.comb += self.register.valid.eq(1)
                with m.If(self.register.ready):
                    m.next = "ACCESSED"
            with m.State("ACCESSED"):
                m.d.comb += self.register_reply.ready.eq(1)
                m.d.sync += [
                    value.eq(self.register_reply.payload.value),
                    outcome.eq(self.register_reply.payload.outcome),
                ]
                with m.If(self.register_reply.valid):
                    m.next = "RECORD"
            with m.State("WRITE"):
                m.d.comb += [self.written.valid.eq(self.data.valid), self.data.ready.eq(self.written.ready)]
                m.d.sync += outcome.eq(self.write_outcome)
                with m.If(self.write_done):
                    m.next = "RECORD"
            with m.State("RECORD"):
                m.d.comb += keep.eq(1)
                m.d.sync += expected.eq(expected + 1)
                m.next = "REPLY"
            with m.State("REPLY"):
                m.d.comb += self.reply.valid.eq(1)
                with m.If(self.reply.ready):
                    m.d.comb += [
                        self.request.ready.eq(is_answer),
                        self.read_start.eq(body == Body.MEMORY),
                    ]
                    m.next = "IDLE"

        level = Signal()
        m.d.sync += level.eq(self.interrupt)
        with m.If(self.damaged):
            m.d.sync += damaged.eq(1)
        with m.If(self.interrupt & ~level):
            m.d.sync += rose.eq(1)
        return m

    def _elaborate_kept_replies(self, m: Module, sequence: Value, entry: Value) -> tuple[Value, Signal]:
        """What is kept for `sequence`, and a signal that keeps `entry` for it."""
        keep = Signal()
        replies = Memory(shape=len(entry), depth=WINDOW, init=[])
        m.submodules.replies = replies
        write = replies.write_port()
        read = replies.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(sequence),
            write.data.eq(entry),
            write.en.eq(keep),
            read.addr.eq(sequence),
        ]
        return read.data, keep

    def _is_reachable(self, kind: Value, address: Value) -> Value:
        """Whether there can be anything at `address`, of registers or memory."""
        is_register = (kind == Kind.READ_REGISTER) | (kind == Kind.WRITE_REGISTER)
        bits = (self._register_address_bits, self._address_bits)
        of_registers, of_memory = ((address >> width) == 0 for width in bits)
        return Mux(is_register, of_registers, of_memory)

    def _body(self, kind: Value) -> Value:
        """What the reply to `kind` holds."""
        has_value = (kind == Kind.READ_CYCLES) | (kind == Kind.READ_REGISTER)
        other = Mux(kind == Kind.READ_MEMORY, Body.MEMORY.value, Body.NOTHING.value)
        other = Mux(kind == Kind.CONNECT, Body.IDENTITY.value, other)
        return Mux(has_value, Body.VALUE.value, other)
