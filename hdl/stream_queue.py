"""A queue between two streams."""

from amaranth.hdl import Module, Shape, ShapeLike, Signal, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

LARGEST_LUT_RAM = 32
"""Deepest queue that is kept in LUT RAM; a deeper one takes block RAM and one cycle more."""


class StreamQueue(wiring.Component):
    """First in, first out: full rate at any level, no combinational path between its two sides.

    Up to `LARGEST_LUT_RAM` deep: LUT RAM, an entry taken in cycle t is offered from cycle t + 1 on. Deeper: block
    RAM with a registered read, `depth` rows and one entry more in its output register, offered from t + 2 on.

    Members:
        i: entries in; `ready` while there is room.
        o: entries out, in order; held until taken.
        level: entries inside, 0..depth (+ 1 for block RAM). An entry that was taken in cycle t counts from t + 1 on.

    Raises:
        TypeError, ValueError: `depth` is not an int of 2 or more (a single place would halve the rate), or is
            more than `LARGEST_LUT_RAM` and not a power of two.
    """

    i: stream.Interface
    o: stream.Interface
    level: Signal

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        if isinstance(depth, bool) or not isinstance(depth, int):
            raise TypeError(f"depth must be an int, not {depth!r}")
        if depth < 2:
            raise ValueError(f"depth must be at least 2, not {depth}")
        if depth > LARGEST_LUT_RAM and depth & (depth - 1):
            raise ValueError(f"depth beyond {LARGEST_LUT_RAM} must be a power of two, not {depth}")
        self._shape = shape
        self._depth = depth
        places = depth if depth <= LARGEST_LUT_RAM else depth + 1
        super().__init__(
            {
                "i": In(stream.Signature(shape)),
                "o": Out(stream.Signature(shape)),
                "level": Out(range(places + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Choose the memory by depth."""
        m = Module()
        if self._depth <= LARGEST_LUT_RAM:
            self._in_lut_ram(m)
        else:
            self._in_block_ram(m)
        return m

    def _in_lut_ram(self, m: Module) -> None:
        m.submodules.queue = queue = fifo.SyncFIFO(width=Shape.cast(self._shape).width, depth=self._depth)
        m.d.comb += [
            queue.w_data.eq(self.i.payload),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            self.o.payload.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
            self.level.eq(queue.r_level),
        ]

    def _in_block_ram(self, m: Module) -> None:
        # A row is never read in the cycle that writes it: it counts as stored from the next cycle on.
        memory = Memory(
            shape=Shape.cast(self._shape).width, depth=self._depth, init=[], attrs={"no_rw_check": "1"}
        )
        m.submodules.memory = memory
        write = memory.write_port()
        read = memory.read_port()
        stored = Signal(range(self._depth + 1))
        offered = Signal()
        level = Signal(range(self._depth + 2))
        fetch = Signal()
        m.d.comb += [
            self.i.ready.eq(~stored[-1]),  # the depth is a power of two
            write.en.eq(self.i.valid & self.i.ready),
            write.data.eq(self.i.payload),
            fetch.eq((stored != 0) & (~offered | self.o.ready)),
            read.en.eq(fetch),
            self.o.payload.eq(read.data),
            self.o.valid.eq(offered),
            self.level.eq(level),
        ]
        m.d.sync += write.addr.eq(write.addr + write.en)
        with m.If(fetch):
            m.d.sync += read.addr.eq(read.addr + 1)
        _count(m, stored, up=write.en, down=fetch)
        _count(m, level, up=write.en, down=offered & self.o.ready)
        with m.If(fetch):
            m.d.sync += offered.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += offered.eq(0)


def _count(m: Module, count: Signal, *, up: Value, down: Value) -> None:
    """Both come late in their cycle, so they choose between sums instead of being added."""
    with m.If(up & ~down):
        m.d.sync += count.eq(count + 1)
    with m.Elif(down & ~up):
        m.d.sync += count.eq(count - 1)
