"""`FrameReceiver`: a frame comes out whole, in its turn and as it was sent, or not at all; proved for all time."""

from pathlib import Path

import pytest
from amaranth.hdl import Cat, Module, Mux, Signal, Value

from celosia.hdl.link import frame_receiver
from celosia.hdl.link.frame_receiver import FrameReceiver
from celosia.hdl.link.framing import CRC_BYTES, ESCAPE, ESCAPE_BIT, FLAG, crc_processor
from tests.formal.inside import Inside
from tests.formal.prover import Harness, Mode, always, anything, holds, implies

ROWS = 64
HELD = CRC_BYTES + 1
DEPTH = 2


class FrameReader(Harness):
    """Reads the line beside the receiver, and follows one byte of one frame that the solver chooses.

    `behind` bytes of its frame came after the marked one; with the closing flag it is content if that is the checksum
    at least, and the frame's last byte if it is the checksum alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self._receiver = FrameReceiver(ROWS)
        self._inside = Inside(self._receiver)
        self.marked, self.committed = Signal(), Signal()
        self.value, self.last = Signal(8), Signal()
        self.behind = Signal(range(4 * ROWS))
        self.position = Signal(range(4 * ROWS))
        self.bytes = Signal(range(4 * ROWS))
        """Of this frame, checksum included; no more than are told apart."""
        self.total = Signal(range(2 * ROWS))
        """Bytes of good frames that are still to be given."""

    def properties(self, m: Module) -> None:
        receiver, inside = self._receiver, self._inside
        crc = crc_processor()
        own = Inside(crc)
        line = receiver.i
        escaped, byte = Signal(), Signal(8)
        flag, takes = Signal(), Signal()
        m.d.comb += [
            line.valid.eq(anything(1)),
            line.payload.eq(anything(8)),
            receiver.o.ready.eq(anything(1)),
            flag.eq(line.valid & (line.payload == FLAG)),
            takes.eq(line.valid & (line.payload != FLAG) & (line.payload != ESCAPE)),
            byte.eq(line.payload ^ (escaped * ESCAPE_BIT)),
            crc.start.eq(flag),
            crc.data.eq(byte),
            crc.valid.eq(takes),
        ]
        with m.If(line.valid):
            m.d.sync += escaped.eq(line.payload == ESCAPE)
        self._follow(m, flag=flag, takes=takes, byte=byte, is_whole=crc.match_detected & ~escaped)
        always(m, inside.signal("escaped") == escaped)
        always(m, inside.signal("crc_reg") == own.signal("crc_reg"))
        m.submodules.receiver = inside.fragment
        m.submodules.crc = own.fragment

    def _follow(self, m: Module, *, flag: Signal, takes: Signal, byte: Signal, is_whole: Value) -> None:
        receiver, inside = self._receiver, self._inside
        given, accepted = Signal(), Signal()
        room, overflow = inside.signal("room"), inside.signal("overflow")
        long_enough = self.bytes >= HELD
        # The one reason for a good frame to be dropped: the ring was full.
        m.d.comb += [
            given.eq(receiver.o.valid & receiver.o.ready),
            accepted.eq(flag & is_whole & long_enough & ~overflow & room),
        ]
        content = Signal(range(4 * ROWS))
        m.d.comb += content.eq(self.bytes - CRC_BYTES)
        m.d.sync += self.total.eq(self.total + Mux(accepted, content, 0) - given)
        with m.If(flag):
            m.d.sync += self.bytes.eq(0)
        with m.Elif(takes & (self.bytes < 4 * ROWS - 1)):
            m.d.sync += self.bytes.eq(self.bytes + 1)

        with m.If(self.committed & given):
            m.d.sync += self.position.eq(self.position - 1)
            with m.If(self.position == 0):
                m.d.sync += [self.committed.eq(0), self.marked.eq(0)]
        countable = self.bytes < 4 * ROWS - 1  # a frame that is longer has overflowed long since
        with m.If(self.marked & ~self.committed & takes):
            m.d.sync += [self.behind.eq(self.behind + 1), self.marked.eq(countable)]
        with m.If(self.marked & ~self.committed & flag):
            m.d.sync += self.marked.eq(0)
            with m.If(accepted & (self.behind >= CRC_BYTES)):
                m.d.sync += [
                    self.marked.eq(1),
                    self.committed.eq(1),
                    self.last.eq(self.behind == CRC_BYTES),
                    self.position.eq(self.total - given + self.bytes - 1 - self.behind),
                ]
        with m.If(~self.marked & takes & countable & anything(1)):
            m.d.sync += [self.marked.eq(1), self.value.eq(byte), self.behind.eq(0)]

        entry = Cat(self.value, self.last)
        shown = Value.cast(receiver.o.payload)
        always(m, implies(self.committed, self.marked & (self.position < self.total)))
        always(m, implies(receiver.o.valid, self.total != 0))
        always(m, implies(self.committed & (self.position == 0) & receiver.o.valid, shown == entry))
        was_dropped = Signal()
        m.d.sync += was_dropped.eq(flag & (self.bytes != 0) & ~accepted)
        always(m, implies(was_dropped, receiver.damaged))
        self._invariants(m, entry)

    def _invariants(self, m: Module, entry: Value) -> None:
        receiver, inside = self._receiver, self._inside
        written, committed, read = (inside.signal(name) for name in ("written", "committed", "read"))
        offered, skid_valid, held = (inside.signal(name) for name in ("offered", "skid_valid", "held"))
        overflow = inside.signal("overflow")
        pointer_bits = len(read)
        in_ring, ahead = Signal(pointer_bits), Signal(pointer_bits)
        outside = Signal(range(4))
        m.d.comb += [
            in_ring.eq(committed - read),
            ahead.eq(written - committed),
            outside.eq(receiver.o.valid + skid_valid + offered),
        ]
        always(m, implies(skid_valid, receiver.o.valid))
        always(m, inside.signal("ready") == ~skid_valid)
        always(m, self.total == in_ring + outside)
        always(m, in_ring + ahead <= ROWS)
        always(m, inside.signal("count") == Mux(self.bytes < HELD, self.bytes, HELD))
        pushed = Mux(self.bytes < HELD, 0, self.bytes - HELD)
        always(m, implies(~overflow, ahead == pushed))
        always(m, implies(self.bytes != 0, inside.signal("started")))

        # Before its flag: among the bytes held back, the newest on top, or in the ring behind what is committed.
        before = self.marked & ~self.committed
        newest = HELD - 1
        for age in range(HELD):
            is_there = before & (self.behind == age)
            always(m, implies(is_there, held.word_select(newest - age, 8) == self.value))
        early = Signal(range(ROWS))
        m.d.comb += early.eq(written - self.behind + newest)
        in_open_frame = before & ~overflow & (self.behind >= HELD)
        always(m, implies(before, self.behind < self.bytes))
        always(m, implies(in_open_frame, inside.row(early) == Cat(self.value, 0)[:9]))

        # Behind its flag: ring, the memory's output, then the two places of the skid buffer.
        late = Signal(range(ROWS))
        m.d.comb += late.eq(read + self.position - outside)
        places = receiver.o.valid + skid_valid
        skid = Value.cast(inside.signal("skid"))
        always(m, implies(self.committed & (self.position >= outside), inside.row(late) == entry))
        at_memory = self.committed & offered & (self.position == places)
        always(m, implies(at_memory, inside.read_data == entry))
        always(m, implies(self.committed & skid_valid & (self.position == 1), skid == entry))


@pytest.mark.slow
def test_frames_come_whole_or_not_at_all(tmp_path: Path) -> None:
    assert holds(FrameReader(), tmp_path, Mode.INDUCTION, DEPTH)


@pytest.mark.parametrize(("name", "value"), [("ESCAPE_BIT_PLACE", 4), ("_HELD", 4)])
def test_a_wrong_receiver_is_found_out(
    name: str, value: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frame_receiver, name, value)
    assert not holds(FrameReader(), tmp_path, Mode.BOUNDED, 6)
