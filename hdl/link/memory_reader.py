"""Bytes out of memory, any number from anywhere on."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..axi import AxiReadBus, AxiReadSignature
from .bus_outcome import outcome_of
from .frame_receiver import frame_byte_layout
from .protocol import BEAT_BITS, Outcome

LENGTH_BITS = 16

_LANES = BEAT_BITS // 8


class MemoryReader(wiring.Component):
    """Reads one beat at a time and hands its bytes on.

    Timing: `start` in cycle t: the first address is on the bus from t + 1; a beat that comes in cycle s offers its
    first byte from s + 1 on, one a cycle; the next address follows the beat's last byte by a cycle.

    Members:
        start: begin at byte `address`.
        length: bytes, at least 1.
        bus: `AxiReadSignature`; a beat is asked for when there is room for it, so R is always ready.
        o: `frame_byte_layout`; the last of `length` bytes has `last`. A beat that failed still has its bytes.
        outcome: the first error since `start`, or DONE; final once the last byte is offered.
    """

    start: Signal
    address: Signal
    length: Signal
    bus: AxiReadBus
    o: stream.Interface
    outcome: Signal

    def __init__(self, address_bits: int) -> None:
        self._address_bits = address_bits
        super().__init__(
            {
                "start": In(1),
                "address": In(address_bits),
                "length": In(LENGTH_BITS),
                "bus": Out(AxiReadSignature(address_bits, BEAT_BITS)),
                "o": Out(stream.Signature(frame_byte_layout())),
                "outcome": Out(Outcome),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Ask, await, hand on."""
        m = Module()
        bus = self.bus
        lane = Signal(range(_LANES))
        place = Signal(self._address_bits - 3, reset_less=True)  # address in beats
        word = Signal(BEAT_BITS, reset_less=True)
        left = Signal(LENGTH_BITS)
        m.d.comb += [
            bus.ar.payload.address.eq(Cat(Const(0, 3), place)),
            bus.ar.payload.length.eq(0),
            bus.r.ready.eq(1),
            self.o.payload.byte.eq((word >> (lane * 8))[:8]),
            self.o.payload.last.eq(left == 1),
        ]
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [
                    Cat(lane, place).eq(self.address),
                    left.eq(self.length),
                    self.outcome.eq(Outcome.DONE),
                ]
                m.next = "ASK"
            with m.State("ASK"):
                m.d.comb += bus.ar.valid.eq(1)
                with m.If(bus.ar.ready):
                    m.next = "AWAIT"
            with m.State("AWAIT"), m.If(bus.r.valid):
                m.d.sync += [word.eq(bus.r.payload.data), place.eq(place + 1)]
                with m.If(self.outcome == Outcome.DONE):
                    m.d.sync += self.outcome.eq(outcome_of(bus.r.payload.response))
                m.next = "HAND_ON"
            with m.State("HAND_ON"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += [lane.eq(lane + 1), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "IDLE"
                    with m.Elif(lane == _LANES - 1):
                        m.next = "ASK"
        return m
