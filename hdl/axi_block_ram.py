"""Block RAM behind an AXI4 port: memory for any board."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In

from .axi import (
    BOUNDARY_BYTES,
    RESPONSE_BITS,
    AxiBus,
    AxiSignature,
    check_widths,
    is_error,
)
from .axi_subordinate import refusal
from .stream_queue import StreamQueue

_WAITING = 4
"""Bursts, or responses, that wait: more than one so that the next burst follows without a gap."""


class AxiBlockRam(wiring.Component):
    """Serves INCR bursts of whole beats: reads and writes a beat a cycle each, at the same time, in order of
    their addresses.

    A burst beyond the end gets DECODE_ERROR, one across 4 KiB SLAVE_ERROR in every beat, the data being
    anything. Bursts end with their length; `last` of W is not looked at. What was not written is undefined,
    and so is a beat that is read in the cycle in which it is written; a beat is written with its handshake on W.

    Timing: a burst taken on AR in cycle t has its first beat on R in t + 3; W is taken from t + 2 after AW in
    t on; B comes in the cycle after the last beat on W. Bursts follow each other without a gap.

    Args:
        size: bytes, a power of two of 4096 or more.

    Members:
        bus: `AxiSignature`, flipped.

    Raises:
        TypeError, ValueError: a width AXI4 does not have, or a size that is not such a power, or too large for
        the address.
    """

    bus: AxiBus

    def __init__(self, *, address_bits: int, data_bits: int, size: int) -> None:
        check_widths(address_bits, data_bits)
        if isinstance(size, bool) or not isinstance(size, int):
            raise TypeError(f"size must be an int, not {size!r}")
        if size < BOUNDARY_BYTES or size & (size - 1) or size > 1 << address_bits:
            raise ValueError(
                f"size must be a power of two in {BOUNDARY_BYTES}..2**{address_bits} bytes, not {size}"
            )
        self._data_bits = data_bits
        self._memory_bits = size.bit_length() - 1
        self._place_bits = self._memory_bits - ((data_bits // 8).bit_length() - 1)
        super().__init__({"bus": In(AxiSignature(address_bits, data_bits))})

    def elaborate(self, platform: object) -> Module:
        """One walk over the beats of a burst for each direction."""
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=self._data_bits, depth=1 << self._place_bits, init=[], attrs={"no_rw_check": "1"}
        )
        self._read(m, memory)
        self._write(m, memory)
        return m

    def _read(self, m: Module, memory: Memory) -> None:
        port = memory.read_port()
        fetch = Signal()
        walk = self._walk(m, "read", self.bus.ar, fetch)
        offered = Signal()
        response = Signal(RESPONSE_BITS, reset_less=True)
        last = Signal(reset_less=True)
        r = self.bus.r
        m.d.comb += [
            fetch.eq(walk.active & (~offered | r.ready)),
            port.en.eq(fetch),
            port.addr.eq(walk.place),
            r.valid.eq(offered),
            r.payload.data.eq(port.data),
            r.payload.response.eq(response),
            r.payload.last.eq(last),
        ]
        with m.If(fetch):
            m.d.sync += [offered.eq(1), response.eq(walk.response), last.eq(walk.left == 0)]
        with m.Elif(r.ready):
            m.d.sync += offered.eq(0)

    def _write(self, m: Module, memory: Memory) -> None:
        m.submodules.answers = answers = StreamQueue(RESPONSE_BITS, _WAITING)
        port = memory.write_port(granularity=8)
        take = Signal()
        walk = self._walk(m, "write", self.bus.aw, take)
        w = self.bus.w
        m.d.comb += [
            w.ready.eq(walk.active & answers.i.ready),
            take.eq(w.valid & w.ready),
            port.addr.eq(walk.place),
            port.data.eq(w.payload.data),
            port.en.eq(Mux(take & ~is_error(walk.response), w.payload.strobe, 0)),
            answers.i.valid.eq(take & (walk.left == 0)),
            answers.i.payload.eq(walk.response),
            self.bus.b.valid.eq(answers.o.valid),
            self.bus.b.payload.response.eq(answers.o.payload),
            answers.o.ready.eq(self.bus.b.ready),
        ]

    def _walk(self, m: Module, name: str, address: stream.Interface, step: Signal) -> data.View:
        """The beat that is due, a register: `place` in beats, `left` after it, its burst's `response`; `step`
        moves on.
        """
        burst_layout = data.StructLayout({"place": self._place_bits, "left": 8, "response": RESPONSE_BITS})
        m.submodules[f"{name}_bursts"] = bursts = StreamQueue(burst_layout, _WAITING)
        asked = address.payload
        m.d.comb += [
            bursts.i.valid.eq(address.valid),
            bursts.i.payload.place.eq(asked.address[self._memory_bits - self._place_bits :]),
            bursts.i.payload.left.eq(asked.length),
            bursts.i.payload.response.eq(
                refusal(asked, data_bits=self._data_bits, memory_bits=self._memory_bits)
            ),
            address.ready.eq(bursts.i.ready),
        ]
        walk = Signal(data.StructLayout({**burst_layout.members, "active": 1}), name=f"{name}_walk")
        due = bursts.o.payload
        m.d.comb += bursts.o.ready.eq(~walk.active | (step & (walk.left == 0)))
        with m.If(bursts.o.ready):
            m.d.sync += [
                walk.active.eq(bursts.o.valid),
                walk.place.eq(due.place),
                walk.left.eq(due.left),
                walk.response.eq(due.response),
            ]
        with m.Elif(step):
            m.d.sync += [walk.place.eq(walk.place + 1), walk.left.eq(walk.left - 1)]
        return walk
