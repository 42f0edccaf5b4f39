"""Finds the command that a hang is put down to."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

INDEX_BITS = 16


def waiting_layout() -> data.StructLayout:
    """A command that is not completed: its `index`, if there is one (`valid`)."""
    return data.StructLayout({"valid": 1, "index": INDEX_BITS})


class OldestCommand(wiring.Component):
    """The smallest index of the commands that wait at the heads of `queues` queues.

    Queues are looked at one a cycle with a single comparator: `index` is right `2 * queues + 2` cycles after the
    heads have come to rest, which they have long before the watchdog expires.

    Members:
        heads: the oldest command of each queue, `waiting_layout`.
        next_index: the answer when no queue holds a command: the command that is to be fetched.
        index: the answer.
    """

    heads: list[data.View]
    next_index: Signal
    index: Signal

    def __init__(self, queues: int) -> None:
        if queues < 2:
            raise ValueError(f"queues must be at least 2, not {queues}")
        self._queues = queues
        super().__init__(
            {
                "heads": In(waiting_layout()).array(queues),
                "next_index": In(INDEX_BITS),
                "index": Out(INDEX_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A round over all queues, then the next."""
        m = Module()
        place = Signal(range(self._queues))
        head = Signal(waiting_layout())
        head_is_first = Signal()
        best = Signal(INDEX_BITS)
        m.d.sync += [
            head.eq(Array(entry.as_value() for entry in self.heads)[place]),
            head_is_first.eq(place == 0),
            place.eq(place + 1),
        ]
        with m.If(place == self._queues - 1):
            m.d.sync += place.eq(0)
        with m.If(head_is_first):
            m.d.sync += [self.index.eq(best), best.eq(self.next_index)]
        with m.If(head.valid & (head_is_first | (head.index < best))):
            m.d.sync += best.eq(head.index)
        return m
