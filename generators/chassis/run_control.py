"""The life of a run: start, halt, the first error, draining the bus, reset and the watchdog."""

import enum

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .register_map import REGISTER_BITS, STATUS, ErrorCode

RUN_DOMAIN = "run"
"""Clock domain of all that starts anew with every run: the clock of "sync", reset with it and by `clear`."""

START_CYCLES = 4
"""Cycles from the one in which the start write is handed over (address and data) to the first counted here."""

_SETTLE_CYCLES = 8
"""Cycles in a row in which the bus must be idle before it counts as drained: longer than any burst request needs
from a unit that has not seen `stop` yet to the point where `bus_idle` falls."""


def error_layout(address_bits: int) -> data.StructLayout:
    """An error: `valid` (a level or a pulse), `ErrorCode`, index of the command, bus address."""
    return data.StructLayout({"valid": 1, "code": ErrorCode, "index": 16, "address": address_bits})


class _State(enum.Enum):
    IDLE = 0
    CLEAR = 1
    BEGIN = 2
    RUN = 3
    DRAIN = 4
    DONE = 5
    ERROR = 6
    RESET = 7
    RESET_CLEAR = 8


class RunControl(wiring.Component):
    """Turns CONTROL's pulses into a run and a run's end into the interrupt.

    A run: `clear` for one cycle, which returns everything but the registers to its initial state, then
    `fetch_start` for one cycle; then it runs until HALT was reached, every queue is empty and the bus is
    idle, or until the first error. After an error `stop` is high: units issue nothing new, and once the bus has
    been idle for 8 cycles the run is over. `reset` does the same from any state, then clears. When nothing
    moves for `watchdog_cycles` cycles (0: never), a run ends with WATCHDOG and a drain is given up: `bus_lost`.

    Timing, in cycles: `start` in t: `clear` in t + 1, `fetch_start` in t + 2. The last queue idle in t, HALT
    reached and the bus idle: `interrupt` from t + 1. `counting` is high from `fetch_start` to the cycle before
    the interrupt.

    Members:
        start, reset, interrupt_clear: pulses of CONTROL; `start` is ignored while running or resetting.
        watchdog_cycles: see above.
        halted, queues_idle, bus_idle: what a run's end waits for.
        progress: anything at all moved in this cycle.
        oldest_index: the oldest command that is not completed; a hang is put down to it.
        errors: whoever may see one; of several in one cycle the first in this order counts.
        clear: reset everything that runs.
        fetch_start: begin the queue.
        stop: issue nothing new on the bus.
        counting: this cycle belongs to the run.
        interrupt: level, from the end of a run until `interrupt_clear`, `start` or `reset`, in whose cycle it is
            low: before the register's slave has answered the write.
        status: the STATUS register.
        error: the first error of the last run.
    """

    start: Signal
    reset: Signal
    interrupt_clear: Signal
    watchdog_cycles: Signal
    halted: Signal
    queues_idle: Signal
    bus_idle: Signal
    progress: Signal
    oldest_index: Signal
    errors: list[data.View]
    clear: Signal
    fetch_start: Signal
    stop: Signal
    counting: Signal
    interrupt: Signal
    status: Signal
    error: data.View

    def __init__(self, address_bits: int, error_sources: int) -> None:
        if error_sources < 1:
            raise ValueError(f"error_sources must be at least 1, not {error_sources}")
        self._error_sources = error_sources
        layout = error_layout(address_bits)
        super().__init__(
            {
                "start": In(1),
                "reset": In(1),
                "interrupt_clear": In(1),
                "watchdog_cycles": In(REGISTER_BITS),
                "halted": In(1),
                "queues_idle": In(1),
                "bus_idle": In(1),
                "progress": In(1),
                "oldest_index": In(16),
                "errors": In(layout).array(error_sources),
                "clear": Out(1),
                "fetch_start": Out(1),
                "stop": Out(1),
                "counting": Out(1),
                "interrupt": Out(1),
                "status": Out(REGISTER_BITS),
                "error": Out(layout),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One state machine beside a timer."""
        m = Module()
        state = Signal(_State)
        next_state = Signal(_State)
        bus_lost = Signal()
        drained, expired = self._elaborate_timers(m)
        given_up = Signal()
        # A bus that is idle only has to stay so: no reason to give up, however few cycles the watchdog has.
        m.d.comb += given_up.eq(expired & ~self.bus_idle)
        first = self._first_error(m)
        flags = {
            "idle": state == _State.IDLE,
            "running": self.counting | (state == _State.CLEAR),
            "done": state == _State.DONE,
            "error": state == _State.ERROR,
            "resetting": (state == _State.RESET) | (state == _State.RESET_CLEAR),
            "interrupt": self.interrupt,
            "bus_lost": bus_lost,
        }
        m.d.comb += [
            self.status.eq(Cat(flags[entry.name] for entry in STATUS.fields)),
            self.fetch_start.eq(state == _State.BEGIN),
            self.counting.eq((state == _State.BEGIN) | (state == _State.RUN) | (state == _State.DRAIN)),
            next_state.eq(state),
        ]
        # These two reach nearly every register of the engine: registers of their own, not decoded from the state.
        m.d.sync += [
            state.eq(next_state),
            self.clear.eq((next_state == _State.CLEAR) | (next_state == _State.RESET_CLEAR)),
            self.stop.eq(
                (next_state == _State.DRAIN) | (next_state == _State.ERROR) | (next_state == _State.RESET)
            ),
        ]
        with m.If(self.clear):
            m.d.sync += self.error.eq(0)
        pending = Signal()
        lowered = Signal()
        m.d.comb += [
            lowered.eq(self.interrupt_clear | self.start | self.reset),
            self.interrupt.eq(pending & ~lowered),
        ]
        with m.If(lowered):
            m.d.sync += pending.eq(0)
        with m.Switch(state):
            with m.Case(_State.IDLE, _State.DONE, _State.ERROR), m.If(self.start):
                m.d.comb += next_state.eq(_State.CLEAR)
                m.d.sync += bus_lost.eq(0)
            with m.Case(_State.CLEAR):
                m.d.comb += next_state.eq(_State.BEGIN)
            with m.Case(_State.BEGIN):
                m.d.comb += next_state.eq(_State.RUN)
            with m.Case(_State.RUN):
                with m.If(self.halted & self.queues_idle & self.bus_idle):
                    m.d.comb += next_state.eq(_State.DONE)
                    m.d.sync += pending.eq(1)
                with m.If(expired):
                    m.d.comb += next_state.eq(_State.DRAIN)
                    m.d.sync += [
                        self.error.valid.eq(1),
                        self.error.code.eq(ErrorCode.WATCHDOG),
                        self.error.index.eq(self.oldest_index),
                    ]
                with m.If(first.valid):
                    m.d.comb += next_state.eq(_State.DRAIN)
                    m.d.sync += self.error.eq(first)
            with m.Case(_State.DRAIN), m.If(drained | given_up):
                m.d.comb += next_state.eq(_State.ERROR)
                m.d.sync += [pending.eq(1), bus_lost.eq(~drained)]
            with m.Case(_State.RESET), m.If(drained | given_up):
                m.d.comb += next_state.eq(_State.RESET_CLEAR)
                m.d.sync += bus_lost.eq(~drained)
            with m.Case(_State.RESET_CLEAR):
                m.d.comb += next_state.eq(_State.IDLE)
        with m.If(self.reset):
            m.d.comb += next_state.eq(_State.RESET)
        return m

    def _first_error(self, m: Module) -> data.View:
        """That of the first source that has one. Letting one through takes less than a choice for each source."""
        first = Signal(error_layout(len(self.error.address)))
        earlier: Value = Const(0, 1)
        chosen: Value = Const(0, len(first.as_value()))
        for error in self.errors:
            is_first = error.valid & ~earlier
            chosen |= error.as_value() & is_first.replicate(len(first.as_value()))
            earlier |= error.valid
        m.d.comb += first.as_value().eq(chosen)
        return first

    def _elaborate_timers(self, m: Module) -> tuple[Signal, Signal]:
        """Whether the bus is `drained`, and whether nothing moved for too long (`expired`, for one cycle)."""
        settled = Signal(range(_SETTLE_CYCLES + 1))
        drained = Signal()
        with m.If(~self.stop | ~self.bus_idle):
            m.d.sync += settled.eq(0)
        with m.Elif(settled != _SETTLE_CYCLES):
            m.d.sync += settled.eq(settled + 1)
        m.d.comb += drained.eq(settled == _SETTLE_CYCLES)

        # Cycles, with this one: compared as they are, and never 0.
        still = Signal(REGISTER_BITS + 1, init=1)
        expired = Signal()
        moving = Signal()
        m.d.comb += moving.eq(self.progress | self.fetch_start | self.reset | expired)
        m.d.sync += expired.eq((still == self.watchdog_cycles) & ~moving)
        with m.If(moving):
            m.d.sync += still.eq(1)
        with m.Elif(~still[-1]):
            m.d.sync += still.eq(still + 1)
        return drained, expired
