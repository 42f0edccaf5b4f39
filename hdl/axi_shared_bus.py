"""Several AXI4 managers on one port, without a cycle of delay for the first."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .axi import AxiBus, AxiSignature
from .stream_queue import StreamQueue


class AxiSharedBus(wiring.Component):
    """Passes on the bursts of `managers` in fixed order of priority (manager 0 first).

    Bursts are answered in the order in which they were passed on, as AXI does for one ID. A burst that was offered to
    the bus stays until it is taken, whatever its priority. Beats of W go in the order of AW, not interleaved; those
    that a manager offers before its AW was taken wait.

    Timing: no register lies on any channel. While no other manager asks for anything, manager 0 sees the bus as if it
    were alone, as long as fewer than `outstanding` of its reads, and writes, are unanswered.

    Members:
        managers: an array of `AxiSignature`, flipped.
        bus: `AxiSignature`.
    """

    managers: list[AxiBus]
    bus: AxiBus

    def __init__(self, *, managers: int, address_bits: int, data_bits: int, outstanding: int) -> None:
        for name, value, least in (("managers", managers, 1), ("outstanding", outstanding, 2)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an int, not {value!r}")
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        self._outstanding = outstanding
        super().__init__(
            {
                "managers": In(AxiSignature(address_bits, data_bits)).array(managers),
                "bus": Out(AxiSignature(address_bits, data_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Queues of the owners of the bursts under way say whose R, W and B come next."""
        m = Module()
        bus, managers = self.bus, self.managers
        m.submodules.reading = reading = StreamQueue(range(len(managers)), self._outstanding)
        m.submodules.writing = writing = StreamQueue(range(len(managers)), self._outstanding)
        m.submodules.answered = answered = StreamQueue(range(len(managers)), self._outstanding)

        m.submodules.reads = reads = _Choice(len(managers))
        self._pass_on(m, reads, [manager.ar for manager in managers], bus.ar, [reading])
        m.submodules.writes = writes = _Choice(len(managers))
        self._pass_on(m, writes, [manager.aw for manager in managers], bus.aw, [writing, answered])

        m.d.comb += [
            reading.o.ready.eq(bus.r.valid & bus.r.ready & bus.r.payload.last),
            writing.o.ready.eq(bus.w.valid & bus.w.ready & bus.w.payload.last),
            answered.o.ready.eq(bus.b.valid & bus.b.ready),
        ]
        for index, manager in enumerate(managers):
            has_read = reading.o.valid & (reading.o.payload == index)
            has_written = writing.o.valid & (writing.o.payload == index)
            has_answer = answered.o.valid & (answered.o.payload == index)
            m.d.comb += [
                manager.r.payload.eq(bus.r.payload),
                manager.r.valid.eq(bus.r.valid & has_read),
                manager.b.payload.eq(bus.b.payload),
                manager.b.valid.eq(bus.b.valid & has_answer),
                manager.w.ready.eq(bus.w.ready & has_written),
            ]
            with m.If(has_read):
                m.d.comb += bus.r.ready.eq(manager.r.ready)
            with m.If(has_answer):
                m.d.comb += bus.b.ready.eq(manager.b.ready)
            with m.If(has_written):
                m.d.comb += [bus.w.payload.eq(manager.w.payload), bus.w.valid.eq(manager.w.valid)]
        return m

    def _pass_on(
        self, m: Module, choice: "_Choice", requests: Sequence[Any], bus: Any, owners: Sequence[StreamQueue]
    ) -> None:
        """One address channel; the owner of what is taken goes into `owners`."""
        room: Value = Const(1)
        for queue in owners:
            room = room & queue.i.ready
        taken = Signal()
        m.d.comb += [bus.valid.eq(choice.valid & room), taken.eq(bus.valid & bus.ready)]
        m.d.comb += [choice.stay.eq(bus.valid & ~bus.ready)]
        for index, request in enumerate(requests):
            m.d.comb += [
                choice.wants[index].eq(request.valid),
                request.ready.eq(taken & (choice.chosen == index)),
            ]
            with m.If(choice.chosen == index):
                m.d.comb += bus.payload.eq(request.payload)
        for queue in owners:
            m.d.comb += [queue.i.payload.eq(choice.chosen), queue.i.valid.eq(taken)]


class _Choice(wiring.Component):
    """Who is served: the first that wants; the same as in the cycle before if that had to stay.

    Members:
        wants: a bit for each manager.
        stay: what is chosen now must be chosen in the next cycle.
        valid: anybody wants.
        chosen: its number.
    """

    wants: Signal
    stay: Signal
    valid: Signal
    chosen: Signal

    def __init__(self, managers: int) -> None:
        self._managers = managers
        super().__init__(
            {"wants": In(managers), "stay": In(1), "valid": Out(1), "chosen": Out(range(managers))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        first = Signal(range(self._managers))
        previous = Signal(range(self._managers))
        stays = Signal()
        m.d.sync += [previous.eq(self.chosen), stays.eq(self.stay)]
        for index in reversed(range(self._managers)):
            with m.If(self.wants[index]):
                m.d.comb += first.eq(index)
        m.d.comb += [self.valid.eq(self.wants.any()), self.chosen.eq(Mux(stays, previous, first))]
        return m
