"""The in-order queue of one verb, with the gate that holds its next command back until its tokens are there."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from .command import CommandLayout, Verb
from .oldest_command import waiting_layout
from .tokens import TokenPort, TokenSignature

BEAT_BITS = 64


class CommandQueue(wiring.Component):
    """Beats of commands in, whole commands out, each only once its tokens are there.

    Three places: a memory of `depth` commands (LUT RAM), the `next` command, gathered from it a beat a cycle
    and waiting for its tokens, and the `current` one, which the unit sees. The next command is gathered and
    its tokens are taken while the current one runs, so that a queue that has work costs one cycle a command.

    Timing, in cycles:
        - the last beat of a command taken in cycle t, all else empty: `command.valid` from t + 4;
        - the last missing token given in cycle t, no command current: `command.valid` from t + 3;
        - a command taken by the unit (`ready`) in cycle t, the next with its tokens: it is presented in t + 2,
          `valid` is low in t + 1 alone;
        - the memory is read at one beat a cycle, from the cycle after `next` moved on.
    Members:
        beats: the first `layout.beats` beats of every command; `ready` while there is room for a beat.
        command: the command to execute. A unit that works on one at a time takes it when it has completed it.
        given: bit v: the command that the unit takes in this cycle gives one token to verb v.
        tokens: this verb's port of the `TokenCounters`.
        missing: bit v: only tokens from verb v (and other bits set) keep the next command from starting.
        idle: no command is anywhere in the queue.
        oldest: the current command, or the next one if none is current.
    """

    beats: stream.Interface
    command: stream.Interface
    given: Signal
    tokens: TokenPort
    missing: Signal
    idle: Signal
    oldest: data.View

    def __init__(self, layout: CommandLayout, depth: int) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1 command, not {depth}")
        self._layout = layout
        self._rows = depth * layout.beats
        super().__init__(
            {
                "beats": In(stream.Signature(BEAT_BITS)),
                "command": Out(stream.Signature(layout.struct())),
                "given": Out(len(Verb)),
                "tokens": Out(TokenSignature()),
                "missing": Out(len(Verb)),
                "idle": Out(1),
                "oldest": Out(waiting_layout()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Memory, next command with its token gate, current command."""
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFO(width=BEAT_BITS, depth=self._rows)
        m.d.comb += [
            queue.w_data.eq(self.beats.payload),
            queue.w_en.eq(self.beats.valid),
            self.beats.ready.eq(queue.w_rdy),
        ]

        count = self._layout.beats
        next_beats = [Signal(BEAT_BITS, name=f"next_beat{beat}", reset_less=True) for beat in range(count)]
        next_place = Signal(range(count))
        next_full = Signal()
        next_armed = Signal()
        header = data.View(self._layout.struct(), Cat(next_beats))
        m.d.comb += queue.r_en.eq(~next_full)
        with m.If(queue.r_rdy & ~next_full):
            with m.Switch(next_place):
                for beat, register in enumerate(next_beats):
                    with m.Case(beat):
                        m.d.sync += register.eq(queue.r_data)
            with m.If(next_place == count - 1):
                m.d.sync += [next_place.eq(0), next_full.eq(1)]
            with m.Else():
                m.d.sync += next_place.eq(next_place + 1)

        waiting = Signal()
        m.d.comb += [
            *(self.tokens.wait[verb].eq(header[f"wait_{verb.name.lower()}"]) for verb in Verb),
            waiting.eq(next_full & ~next_armed),
            self.missing.eq(Cat(waiting & bit for bit in self.tokens.missing)),
        ]
        m.d.sync += self.tokens.take.eq(0)
        with m.If(waiting & (self.tokens.missing == 0)):
            m.d.sync += [next_armed.eq(1), self.tokens.take.eq(1)]

        current = Signal(self._layout.struct(), reset_less=True)
        current_full = Signal()
        m.d.comb += [self.command.payload.eq(current), self.command.valid.eq(current_full)]
        with m.If(next_armed & ~current_full):
            m.d.sync += [current.eq(Cat(next_beats)), current_full.eq(1), next_armed.eq(0), next_full.eq(0)]
        with m.If(current_full & self.command.ready):
            m.d.sync += current_full.eq(0)
            m.d.comb += self.given.eq(current.signal)

        m.d.comb += [
            self.oldest.valid.eq(current_full | next_full),
            self.oldest.index.eq(Mux(current_full, current.index, header.index)),
        ]
        m.d.comb += self.idle.eq(~queue.r_rdy & (next_place == 0) & ~next_full & ~current_full)
        return m
