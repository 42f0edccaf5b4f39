"""`FrameTransmitter`: the line carries what went in, checksummed, and flags nowhere else; proved for all time."""

from pathlib import Path

import pytest
from amaranth.hdl import Module, Mux, Signal, Value

from celosia.hdl.link import frame_transmitter
from celosia.hdl.link.frame_transmitter import FrameTransmitter
from celosia.hdl.link.framing import CRC_BYTES, ESCAPE, ESCAPE_BIT, FLAG, crc_processor
from tests.formal.inside import Inside
from tests.formal.prover import Harness, Mode, always, anything, assume, holds, implies

OUTSIDE, CONTENT, CHECKSUM, CLOSING = range(4)
DEPTH = 2


class LineReader(Harness):
    """Reads the line as RFC 1662 says, with a CRC of its own."""

    def properties(self, m: Module) -> None:
        sender = FrameTransmitter()
        inside = Inside(sender)
        crc = crc_processor()
        own = Inside(crc)
        state, escaped, place = Signal(range(4)), Signal(), Signal(range(CRC_BYTES))
        byte, complete, taken = Signal(8), Signal(), Signal()
        line, given = sender.o, sender.i
        sent = line.valid & line.ready
        m.d.comb += [
            given.valid.eq(anything(1)),
            given.payload.eq(anything(9)),
            line.ready.eq(anything(1)),
            taken.eq(given.valid & given.ready),
            byte.eq(line.payload ^ (escaped * ESCAPE_BIT)),
            complete.eq(sent & (line.payload != ESCAPE)),
            crc.start.eq(state == OUTSIDE),
            crc.data.eq(given.payload.byte),
            crc.valid.eq(taken),
        ]
        with m.If(sent & ((state == CONTENT) | (state == CHECKSUM))):
            m.d.sync += escaped.eq(line.payload == ESCAPE)
        with m.Switch(state):
            with m.Case(OUTSIDE), m.If(sent):
                m.d.sync += state.eq(CONTENT)
            with m.Case(CONTENT), m.If(complete & given.payload.last):
                m.d.sync += [state.eq(CHECKSUM), place.eq(0)]
            with m.Case(CHECKSUM), m.If(complete):
                m.d.sync += place.eq(place + 1)
                with m.If(place == CRC_BYTES - 1):
                    m.d.sync += state.eq(CLOSING)
            with m.Case(CLOSING), m.If(sent):
                m.d.sync += state.eq(OUTSIDE)
        is_inside = (state == CONTENT) | (state == CHECKSUM)
        always(m, implies(sent, (line.payload == FLAG) == ~is_inside))
        always(m, implies(sent & escaped, line.payload != ESCAPE))
        always(m, taken == ((state == CONTENT) & complete))
        always(m, implies(taken, byte == given.payload.byte))
        always(m, implies((state == CHECKSUM) & complete, byte == crc.crc.word_select(place, 8)))
        self._holds_its_offers(m, sender)

        always(m, inside.signal("fsm_state") == state)
        always(m, implies(is_inside, inside.signal("escaped") == escaped))
        always(m, implies(~is_inside, ~inside.signal("escaped") & ~escaped))
        always(m, implies(state == CHECKSUM, inside.signal("place") == place))
        always(m, implies(is_inside, inside.signal("crc_reg") == own.signal("crc_reg")))
        waiting = Mux(state == CONTENT, given.payload.byte, crc.crc.word_select(place, 8))
        always(m, implies(escaped, (waiting == FLAG) | (waiting == ESCAPE)))
        always(m, implies(escaped & (state == CONTENT), given.valid))
        m.submodules.sender = inside.fragment
        m.submodules.crc = own.fragment

    def _holds_its_offers(self, m: Module, sender: FrameTransmitter) -> None:
        """As long as whoever gives the frame does."""
        for stream, property_ in ((sender.i, assume), (sender.o, always)):
            payload = Value.cast(stream.payload)
            stalled, before = Signal(), Signal.like(payload)
            m.d.sync += [stalled.eq(stream.valid & ~stream.ready), before.eq(payload)]
            property_(m, implies(stalled, stream.valid & (payload == before)))


def test_the_line_carries_frames_and_nothing_else(tmp_path: Path) -> None:
    assert holds(LineReader(), tmp_path, Mode.INDUCTION, DEPTH)


@pytest.mark.parametrize(("name", "value"), [("ESCAPE_BIT", 0x10), ("ESCAPE", 0x7C)])
def test_a_wrong_transmitter_is_found_out(
    name: str, value: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(frame_transmitter, name, value)
    assert not holds(LineReader(), tmp_path, Mode.BOUNDED, 8)
