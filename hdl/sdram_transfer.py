"""READ and WRITE commands of an SDRAM, and the beats that belong to them."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .axi import Response, read_beat_layout
from .axi_writer import packed_beat_layout
from .sdram_pins import HALF_BITS, SdramCommand, command_layout
from .sdram_rows import access_layout
from .sdram_timing import BURST_HALVES, SdramCycles, SdramGeometry

BEAT_BITS = BURST_HALVES * HALF_BITS
"""Of a beat: what one READ or WRITE moves."""

TURNAROUND = 2
"""Cycles in which nobody drives the data pins between data read and data written: one for the chip to let go, one
for the difference between its clock and ours."""

_REGISTERS = 2
"""Those of the command on its way out, and of the data on their way in."""


class SdramTransfer(wiring.Component):
    """Moves the beats of an access in an open row: one READ or WRITE every 4 cycles, 4 data words of 16 bits each.

    `command` is registered outside of this component; what is driven with it comes out of registers here.

    Timing: an access taken in cycle t issues its first command in t + 1 or, if that comes later, 4 cycles
    after the last command, or, for a WRITE after a READ, cas_latency + 4 + `TURNAROUND` cycles after it. A
    beat read by a command in cycle t is on `read` in t + cas_latency + 5 + `pin_registers`. In a stream a beat
    takes 4 cycles, also from one access to the next.

    Args:
        pin_registers: registers between these signals and the chip beyond one on every output; those on the way out
            and those on the way in added up.

    Members:
        i: accesses, `access_layout`; taken while none is in work.
        busy, busy_bank: an access is in work, the bank it is for.
        accessed: READ or WRITE is issued in this cycle, to `busy_bank`.
        command: `command_layout`.
        beats: what is written, `packed_beat_layout`; offered 2 cycles before its WRITE is due.
        written: WRITE is issued in this cycle.
        read: what was read, `read_beat_layout`, `last` with the last beat of an access.
        dq_o, dq_oe, dqm: data to be driven in the cycle after the command and in the three after that.
        dq_i: data received.
        masked: keeps `dqm` high, as during power-up.
    """

    i: stream.Interface
    busy: Signal
    busy_bank: Signal
    accessed: Signal
    command: data.View
    beats: stream.Interface
    written: Signal
    read: stream.Interface
    dq_o: Signal
    dq_oe: Signal
    dqm: Signal
    dq_i: Signal
    masked: Signal

    def __init__(self, geometry: SdramGeometry, cycles: SdramCycles, *, pin_registers: int) -> None:
        if isinstance(pin_registers, bool) or not isinstance(pin_registers, int):
            raise TypeError(f"pin_registers must be an int, not {pin_registers!r}")
        if pin_registers < 0:
            raise ValueError(f"pin_registers must be at least 0, not {pin_registers}")
        self._geometry = geometry
        self._cycles = cycles
        self._pin_registers = pin_registers
        super().__init__(
            {
                "i": In(stream.Signature(access_layout(geometry))),
                "busy": Out(1),
                "busy_bank": Out(geometry.bank_bits),
                "accessed": Out(1),
                "command": Out(command_layout(geometry)),
                "beats": In(stream.Signature(packed_beat_layout(BEAT_BITS))),
                "written": Out(1),
                "read": Out(stream.Signature(read_beat_layout(BEAT_BITS), always_ready=True)),
                "dq_o": Out(HALF_BITS),
                "dq_oe": Out(1),
                "dqm": Out(HALF_BITS // 8),
                "dq_i": In(HALF_BITS),
                "masked": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """What decides whether a command is issued are registers: much hangs on it."""
        m = Module()
        access = Signal(access_layout(self._geometry), reset_less=True)
        busy = Signal()
        final = Signal(reset_less=True)  # the next command is the access's last
        issue = Signal()
        spacing = Signal(BURST_HALVES - 1)  # bit i: a command was issued i + 1 cycles ago
        spaced = Signal(init=1)
        read_to_write = self._cycles.cas_latency + BURST_HALVES + TURNAROUND
        until_write = Signal(range(read_to_write))
        turned = Signal(init=1)
        m.d.comb += [
            issue.eq(busy & spaced & (~access.write | turned)),
            self.i.ready.eq(~busy),
            self.busy.eq(busy),
            self.busy_bank.eq(access.bank),
            self.accessed.eq(issue),
            self.command.strobes.eq(Mux(access.write, SdramCommand.WRITE.value, SdramCommand.READ.value)),
            self.command.bank.eq(access.bank),
            # Pin 10 low: the row stays open.
            self.command.address.eq(access.beat * BURST_HALVES),
        ]
        with m.If(issue):
            m.d.sync += [
                access.beat.eq(access.beat + 1),
                access.length.eq(access.length - 1),
                final.eq(access.length == 1),
                busy.eq(~final),
            ]
        with m.Elif(~busy):
            m.d.sync += [
                access.eq(self.i.payload),
                busy.eq(self.i.valid),
                final.eq(self.i.payload.length == 0),
            ]
        m.d.sync += [
            spacing.eq(Cat(issue, spacing)),
            spaced.eq(~issue & ~spacing[:-1].any()),
            turned.eq(until_write <= 1),
        ]
        with m.If(issue & ~access.write):
            m.d.sync += [until_write.eq(read_to_write - 1), turned.eq(0)]
        with m.Elif(until_write != 0):
            m.d.sync += until_write.eq(until_write - 1)
        self._write(m, issue & access.write, spacing)
        self._read(m, issue & ~access.write, final)
        return m

    def _write(self, m: Module, issue: Value, spacing: Signal) -> None:
        halves = Signal(BEAT_BITS)
        masks = Signal(BEAT_BITS // 8, init=~0)
        drive = Signal()
        released = self.masked.replicate(HALF_BITS // 8)
        # Block RAM gives its data late in a cycle: a beat waits here for its command.
        beat = Signal(packed_beat_layout(BEAT_BITS), reset_less=True)
        beat_valid = Signal()
        with m.If(~beat_valid):
            m.d.sync += [beat.eq(self.beats.payload), beat_valid.eq(self.beats.valid)]
        with m.Elif(issue):
            m.d.sync += beat_valid.eq(0)
        m.d.comb += [
            self.beats.ready.eq(~beat_valid),
            self.written.eq(issue),
            self.dq_o.eq(halves[:HALF_BITS]),
            self.dq_oe.eq(drive),
            self.dqm.eq(masks[: HALF_BITS // 8]),
        ]
        m.d.sync += drive.eq(issue | spacing.any() & drive)
        with m.If(issue):
            m.d.sync += [halves.eq(beat.data), masks.eq(~beat.strobe)]
        with m.Else():
            m.d.sync += [halves.eq(halves[HALF_BITS:]), masks.eq(Cat(masks[HALF_BITS // 8 :], released))]

    def _read(self, m: Module, issue: Value, final: Signal) -> None:
        """The mark of a READ travels as long as its data do."""
        latency = self._cycles.cas_latency + BURST_HALVES - 1 + _REGISTERS + self._pin_registers
        issued = Signal(latency)
        last = Signal(latency)
        received = Signal(HALF_BITS, reset_less=True)
        earlier = Signal(BEAT_BITS - HALF_BITS, reset_less=True)
        m.d.sync += [
            issued.eq(Cat(issue, issued)),
            last.eq(Cat(final, last)),
            received.eq(self.dq_i),
            earlier.eq(Cat(earlier[HALF_BITS:], received)),
        ]
        m.d.comb += [
            self.read.valid.eq(issued[-1]),
            self.read.payload.data.eq(Cat(earlier, received)),
            self.read.payload.response.eq(Response.OKAY.value),
            self.read.payload.last.eq(last[-1]),
        ]
