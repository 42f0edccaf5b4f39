"""Bytes into memory, any number from anywhere on."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..axi import AxiWriteBus, AxiWriteSignature
from .bus_outcome import outcome_of
from .frame_receiver import frame_byte_layout
from .protocol import BEAT_BITS, Outcome

_LANES = BEAT_BITS // 8


class MemoryWriter(wiring.Component):
    """Collects bytes into beats and writes each as a burst of its own, one at a time.

    A line brings eight bytes in hundreds of cycles at best; longer bursts would only need more registers. Strobes
    leave alone what lies beside the bytes.

    Timing: `start` in cycle t: bytes are taken from t + 1 on, one a cycle; the byte that completes a beat in cycle s
    puts it on the bus in s + 1, and the next byte is taken from the cycle after the response on. `done` follows the
    last beat's response by a cycle.

    Members:
        start: begin at byte `address`.
        i: `frame_byte_layout`; taken between `start` and `last` only.
        bus: `AxiWriteSignature`.
        done: for one cycle, with `outcome`: the first error, or DONE.
    """

    start: Signal
    address: Signal
    i: stream.Interface
    bus: AxiWriteBus
    done: Signal
    outcome: Signal

    def __init__(self, address_bits: int) -> None:
        self._address_bits = address_bits
        super().__init__(
            {
                "start": In(1),
                "address": In(address_bits),
                "i": In(stream.Signature(frame_byte_layout())),
                "bus": Out(AxiWriteSignature(address_bits, BEAT_BITS)),
                "done": Out(1),
                "outcome": Out(Outcome),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Collect, write, await the response."""
        m = Module()
        bus = self.bus
        lane = Signal(range(_LANES))
        place = Signal(self._address_bits - 3, reset_less=True)  # address in beats
        word = Signal(BEAT_BITS, reset_less=True)
        strobe = Signal(_LANES)
        last = Signal()
        m.d.comb += [
            bus.aw.payload.address.eq(Cat(Const(0, 3), place)),
            bus.aw.payload.length.eq(0),
            bus.w.payload.data.eq(word),
            bus.w.payload.strobe.eq(strobe),
            bus.w.payload.last.eq(1),
        ]
        for channel in (bus.aw, bus.w):
            with m.If(channel.ready):
                m.d.sync += channel.valid.eq(0)
        m.d.sync += self.done.eq(0)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [
                    Cat(lane, place).eq(self.address),
                    strobe.eq(0),
                    self.outcome.eq(Outcome.DONE),
                ]
                m.next = "COLLECT"
            with m.State("COLLECT"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += [
                        word.word_select(lane, 8).eq(self.i.payload.byte),
                        strobe.bit_select(lane, 1).eq(1),
                        lane.eq(lane + 1),
                        last.eq(self.i.payload.last),
                    ]
                    with m.If(self.i.payload.last | (lane == _LANES - 1)):
                        m.d.sync += [bus.aw.valid.eq(1), bus.w.valid.eq(1)]
                        m.next = "RESPONSE"
            with m.State("RESPONSE"):
                m.d.comb += bus.b.ready.eq(1)
                with m.If(bus.b.valid):
                    m.d.sync += [place.eq(place + 1), strobe.eq(0), self.done.eq(last)]
                    with m.If(self.outcome == Outcome.DONE):
                        m.d.sync += self.outcome.eq(outcome_of(bus.b.payload.response))
                    with m.If(last):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "COLLECT"
        return m
