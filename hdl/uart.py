"""An asynchronous serial line: 8 data bits, no parity, one stop bit, the lowest bit first.

The bit rate is an input, a fraction of the clock: `bit_step(clock_hz, baud)` is its value. It may be a constant, or
what a register says, so that another clock does not mean another netlist.
"""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

STEP_BITS = 24
"""Bits of the phase that advances by `step` a cycle and wraps once a bit: rates are right to 0.1 % from
115200 baud at 400 MHz up."""

LEAST_CYCLES_A_BIT = 6
"""The receiver sees an edge up to a cycle late, which must remain a small part of a bit."""

_FRAME_BITS = 10


def bit_step(clock_hz: float, baud: float) -> int:
    """What `step` must be for `baud` bits a second in a clock domain of `clock_hz`.

    Raises:
        ValueError: fewer than `LEAST_CYCLES_A_BIT` cycles a bit, or a rate that is not positive or too low to be told
            from another.
    """
    if baud <= 0 or clock_hz < LEAST_CYCLES_A_BIT * baud:
        raise ValueError(
            f"baud must be positive and at most clock_hz / {LEAST_CYCLES_A_BIT}, not {baud} at {clock_hz} Hz: "
            "choose a lower rate or a faster clock"
        )
    step = round(baud / clock_hz * (1 << STEP_BITS))
    if step < 1000:
        raise ValueError(f"baud must be at least {clock_hz * 1000 / (1 << STEP_BITS):.0f}, not {baud}")
    return step


class UartReceiver(wiring.Component):
    """Bytes from the line; one whose stop bit is missing is dropped.

    Samples once, in the middle of a bit or up to a cycle beside it. The line is synchronised here. The cycle after a
    stop bit's sample looks for the next start bit, so that a sender may be faster or slower by 3 % at 6 cycles a bit,
    by 4 % at 8. A start bit that is gone by its middle counts as noise.

    Timing: bit n, the start bit being 0, is sampled ceil((n + 1/2) * 2**STEP_BITS / step) - 1 cycles after the one in
    which the synchronised line was first low; `o.valid` is high in the cycle after the stop bit's sample, half a bit
    and 2 to 4 cycles after the stop bit began on the wire.

    Members:
        line: the wire, high when idle.
        step: `bit_step`; may change while the line is idle.
        o: bytes; nobody can make the line wait, so `ready` is always high.
    """

    line: Signal
    step: Signal
    o: stream.Interface

    def __init__(self) -> None:
        super().__init__(
            {
                "line": In(1),
                "step": In(STEP_BITS),
                "o": Out(stream.Signature(8, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A phase accumulator, started half a bit in by the edge of a start bit."""
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.line, line, init=1)
        busy = Signal()
        broken = Signal()  # no stop bit: wait until the line is idle
        phase = Signal(STEP_BITS)
        wrap = Signal()
        left = Signal(range(_FRAME_BITS))
        received = Signal(8, reset_less=True)
        # Half a bit and two cycles: an edge is half a cycle old and a wrap half a cycle late on average, and seen in
        # the next one.
        middle = Cat(Const(0, 1), self.step[: STEP_BITS - 2], Const(1, 1))
        m.d.comb += self.o.payload.eq(received)
        m.d.sync += [Cat(phase, wrap).eq(phase + self.step), self.o.valid.eq(0)]
        with m.If(~busy):
            m.d.sync += [phase.eq(middle), wrap.eq(0), left.eq(_FRAME_BITS - 1)]
            with m.If(line):
                m.d.sync += broken.eq(0)
            with m.Elif(~broken):
                m.d.sync += busy.eq(1)
        with m.Elif(wrap):
            m.d.sync += left.eq(left - 1)
            with m.If(left == _FRAME_BITS - 1):
                m.d.sync += busy.eq(~line)
            with m.Elif(left == 0):
                m.d.sync += [busy.eq(0), broken.eq(~line), self.o.valid.eq(line)]
            with m.Else():
                m.d.sync += received.eq(Cat(received[1:], line))
        return m


class UartTransmitter(wiring.Component):
    """Bytes onto the line, without a gap while there are any.

    Timing: of a byte taken in cycle t, bit n, the start bit being 0, begins in t + 1 + ceil(n * 2**STEP_BITS / step);
    the next byte is taken when ten are over, so that between two a stop bit is a cycle longer.

    Members:
        line: the wire, high when idle; a register.
        step: `bit_step`.
        i: bytes.
    """

    line: Signal
    step: Signal
    i: stream.Interface

    def __init__(self) -> None:
        super().__init__({"line": Out(1), "step": In(STEP_BITS), "i": In(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        """A shift register of start bit, data and stop bit that moves when the phase wraps."""
        m = Module()
        line = Signal(init=1)
        left = Signal(range(_FRAME_BITS + 1))
        rest = Signal(_FRAME_BITS - 1, init=-1)
        phase = Signal(STEP_BITS)
        wrap = Signal()
        m.d.comb += [self.line.eq(line), self.i.ready.eq(left == 0)]
        m.d.sync += Cat(phase, wrap).eq(phase + self.step)
        with m.If(left == 0):
            m.d.sync += [phase.eq(self.step), wrap.eq(0)]
            with m.If(self.i.valid):
                m.d.sync += [line.eq(0), rest.eq(Cat(self.i.payload, 1)), left.eq(_FRAME_BITS)]
        with m.Elif(wrap):
            m.d.sync += [line.eq(rest[0]), rest.eq(Cat(rest[1:], 1)), left.eq(left - 1)]
        return m
