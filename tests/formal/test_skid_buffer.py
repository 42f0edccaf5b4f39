"""`SkidBuffer`: proved for all time, whatever its two sides do."""

from pathlib import Path

from amaranth.hdl import Module, Mux, Signal

from celosia.hdl.skid_buffer import SkidBuffer
from tests.formal.inside import Inside
from tests.formal.marked_entry import MarkedEntry
from tests.formal.prover import Harness, Mode, always, anything, holds, implies

WIDTH = 4
PLACES = 2
DEPTH = 2


class SkidHarness(Harness):
    def __init__(self, buffer: SkidBuffer) -> None:
        super().__init__()
        self._buffer = buffer

    def properties(self, m: Module) -> None:
        buffer = self._buffer
        inside = Inside(buffer)
        skid, skid_valid = inside.signal("skid"), inside.signal("skid_valid")
        taken, given, count = Signal(), Signal(), Signal(range(PLACES + 2))
        m.d.comb += [
            buffer.i.valid.eq(anything(1)),
            buffer.i.payload.eq(anything(WIDTH)),
            buffer.o.ready.eq(anything(1)),
            taken.eq(buffer.i.valid & buffer.i.ready),
            given.eq(buffer.o.valid & buffer.o.ready),
        ]
        m.d.sync += count.eq(count + taken - given)
        mark = MarkedEntry(
            m, WIDTH, taken=taken, given=given, entry=buffer.i.payload, inside=count, most=PLACES
        )
        always(m, buffer.i.ready == (count < PLACES))
        always(m, buffer.o.valid == (count != 0))
        always(m, count <= PLACES)
        always(m, implies(mark.held, Mux(mark.position == 0, buffer.o.payload, skid) == mark.value))
        always(m, skid_valid == (count == PLACES))
        stalled, payload = Signal(), Signal(WIDTH)
        m.d.sync += [stalled.eq(buffer.o.valid & ~buffer.o.ready), payload.eq(buffer.o.payload)]
        always(m, implies(stalled, buffer.o.valid & (buffer.o.payload == payload)))
        m.submodules.buffer = inside.fragment


def test_gives_what_it_took_in_order_a_cycle_later(tmp_path: Path) -> None:
    assert holds(SkidHarness(SkidBuffer(WIDTH)), tmp_path, Mode.INDUCTION, DEPTH)


class ForgetfulBuffer(SkidBuffer):
    """Wrong: takes entries also while both places are full."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.i.ready.eq(1)
        return m


def test_a_wrong_buffer_is_found_out(tmp_path: Path) -> None:
    assert not holds(SkidHarness(ForgetfulBuffer(WIDTH)), tmp_path, Mode.BOUNDED, 6)
