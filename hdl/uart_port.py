"""A serial port whose bit rate does not depend on the clock of the design behind it."""

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import AsyncFIFO
from amaranth.lib.wiring import In, Out

from .uart import STEP_BITS, UartReceiver, UartTransmitter

_CROSSING_DEPTH = 8


class UartPort(wiring.Component):
    """Receiver and transmitter in the clock domain `line_domain`, bytes in `sync`.

    With the board's oscillator as `line_domain`, `step` is a constant of the board: whatever frequency a PLL gives
    `sync`, after routing as well, the bit rate stays. Two dual-clock FIFOs in LUT RAM lie between; `sync` must be fast
    enough for a byte in ten bit times.

    Members:
        receive, transmit: the two wires.
        step: `bit_step` of the line domain.
        i: bytes to send.
        o: bytes received; whoever takes them is always ready.
    """

    receive: Signal
    transmit: Signal
    step: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, line_domain: str) -> None:
        self._line_domain = line_domain
        super().__init__(
            {
                "receive": In(1),
                "transmit": Out(1),
                "step": In(STEP_BITS),
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(8, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Line on one side, FIFOs, streams on the other."""
        m = Module()
        line = self._line_domain
        receiver = UartReceiver()
        transmitter = UartTransmitter()
        m.submodules.receiver = DomainRenamer(line)(receiver)
        m.submodules.transmitter = DomainRenamer(line)(transmitter)
        m.submodules.received = received = AsyncFIFO(
            width=8, depth=_CROSSING_DEPTH, w_domain=line, r_domain="sync"
        )
        m.submodules.sent = sent = AsyncFIFO(width=8, depth=_CROSSING_DEPTH, w_domain="sync", r_domain=line)
        m.d.comb += [
            receiver.line.eq(self.receive),
            receiver.step.eq(self.step),
            received.w_data.eq(receiver.o.payload),
            received.w_en.eq(receiver.o.valid),
            self.o.payload.eq(received.r_data),
            self.o.valid.eq(received.r_rdy),
            received.r_en.eq(1),
            sent.w_data.eq(self.i.payload),
            sent.w_en.eq(self.i.valid),
            self.i.ready.eq(sent.w_rdy),
            transmitter.i.payload.eq(sent.r_data),
            transmitter.i.valid.eq(sent.r_rdy),
            sent.r_en.eq(transmitter.i.ready),
            transmitter.step.eq(self.step),
            self.transmit.eq(transmitter.line),
        ]
        return m
