"""`StreamQueue`: proved for all time, at every level, whatever its two sides do."""

from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal

from celosia.hdl.stream_queue import LARGEST_LUT_RAM, StreamQueue
from tests.formal.inside import Inside
from tests.formal.marked_entry import MarkedEntry
from tests.formal.prover import Harness, Mode, always, anything, holds, implies

WIDTH = 4
DEPTH = 2


class QueueHarness(Harness):
    def __init__(self, queue: StreamQueue, depth: int) -> None:
        super().__init__()
        self._queue = queue
        self._depth = depth
        self._places = depth if depth <= LARGEST_LUT_RAM else depth + 1

    def properties(self, m: Module) -> None:
        queue, places = self._queue, self._places
        inside = Inside(queue)
        taken, given, count = Signal(), Signal(), Signal(range(places + 2))
        entry = anything(WIDTH)
        m.d.comb += [
            queue.i.valid.eq(anything(1)),
            queue.i.payload.eq(entry),
            queue.o.ready.eq(anything(1)),
            taken.eq(queue.i.valid & queue.i.ready),
            given.eq(queue.o.valid & queue.o.ready),
        ]
        m.d.sync += count.eq(count + taken - given)
        mark = MarkedEntry(
            m, WIDTH, taken=taken, given=given, entry=queue.i.payload, inside=count, most=places
        )
        always(m, count <= places)
        always(m, queue.level == count)
        always(m, implies(queue.o.valid, count != 0))
        always(m, implies(mark.held & (mark.position == 0) & queue.o.valid, queue.o.payload == mark.value))
        self._stays_offered(m)
        if self._depth <= LARGEST_LUT_RAM:
            always(m, queue.i.ready == (count < places))
            always(m, queue.o.valid == (count != 0))
            self._lut_ram_invariants(m, inside, count, mark)
        else:
            always(m, implies(count < self._depth, queue.i.ready))
            taken_before = Signal()
            m.d.sync += taken_before.eq(taken)
            always(m, implies((count != 0) & ~queue.o.valid, (count == 1) & taken_before))
            self._block_ram_invariants(m, inside, count, mark)
        m.submodules.queue = inside.fragment

    def _stays_offered(self, m: Module) -> None:
        queue = self._queue
        stalled, payload = Signal(), Signal(WIDTH)
        m.d.sync += [stalled.eq(queue.o.valid & ~queue.o.ready), payload.eq(queue.o.payload)]
        always(m, implies(stalled, queue.o.valid & (queue.o.payload == payload)))

    def _lut_ram_invariants(self, m: Module, inside: Inside, count: Signal, mark: MarkedEntry) -> None:
        produce, consume = inside.signal("produce"), inside.signal("consume")
        always(m, (produce < self._depth) & (consume < self._depth))
        always(m, (produce == consume + count) | (produce + self._depth == consume + count))
        place = Signal(range(2 * self._depth))
        address = Signal(range(self._depth))
        m.d.comb += place.eq(consume + mark.position)
        m.d.comb += address.eq(place)
        with m.If(place >= self._depth):
            m.d.comb += address.eq(place - self._depth)
        always(m, implies(mark.held, inside.row(address) == mark.value))

    def _block_ram_invariants(self, m: Module, inside: Inside, count: Signal, mark: MarkedEntry) -> None:
        stored, offered = inside.signal("stored"), self._queue.o.valid
        always(m, stored <= self._depth)
        always(m, count == stored + offered)
        always(
            m, (inside.write_address - inside.read_address - stored)[: (self._depth - 1).bit_length()] == 0
        )
        address = Signal(range(self._depth))
        m.d.comb += address.eq(inside.read_address + mark.position - offered)
        in_memory = mark.held & ~(offered & (mark.position == 0))
        always(m, implies(in_memory, inside.row(address) == mark.value))


@pytest.mark.parametrize("depth", [2, 3, 32, 64])
def test_gives_what_it_took_in_order_and_nothing_else(depth: int, tmp_path: Path) -> None:
    assert holds(QueueHarness(StreamQueue(WIDTH, depth), depth), tmp_path, Mode.INDUCTION, DEPTH)


class Spoiling(StreamQueue):
    """Wrong: loses what is offered when a second entry comes."""

    def _in_lut_ram(self, m: Module) -> None:
        super()._in_lut_ram(m)
        with m.If(self.level == 2):
            m.d.comb += self.o.payload.eq(0)


class Boasting(StreamQueue):
    """Wrong: always offers something."""

    def _in_block_ram(self, m: Module) -> None:
        super()._in_block_ram(m)
        m.d.comb += self.o.valid.eq(1)


@pytest.mark.parametrize(("wrong", "depth"), [(Spoiling, 3), (Boasting, 64)])
def test_a_wrong_queue_is_found_out(wrong: type[StreamQueue], depth: int, tmp_path: Path) -> None:
    assert not holds(QueueHarness(wrong(WIDTH, depth), depth), tmp_path, Mode.BOUNDED, 8)


class NeverFull(QueueHarness):
    """Claims too much: that there is always room."""

    def properties(self, m: Module) -> None:
        super().properties(m)
        always(m, self._queue.i.ready)


def test_a_queue_can_be_full(tmp_path: Path) -> None:
    assert not holds(NeverFull(StreamQueue(WIDTH, 3), 3), tmp_path, Mode.BOUNDED, 6)
