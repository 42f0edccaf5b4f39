"""The unified buffer: a linear memory of 8-byte bricks over eight banks, any eight neighbours in one cycle."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory, ReadPort, WritePort
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from .stream_queue import StreamQueue

BANKS = 8
BRICK_BITS = 64
ADDRESS_BITS = 16
GATHER_LATENCY = 5
"""Cycles from `gather.enable` to `gather.bricks`."""
BLANK_LATENCY = 3
"""Cycles from `gather.enable` to `gather.blank`."""

_HALF_BITS = BRICK_BITS // 2
_STORE_QUEUE_DEPTH = 8
"""Reads for STORE under way or waiting to be taken; 5 keep up with one a cycle."""


class GatherPort(wiring.Signature):
    """Reads of up to eight neighbouring bricks, one a cycle, never refused. Seen from the reader.

    Members
    -------
    enable : Out(1)
        Read in this cycle.
    address : Out(16)
        Brick 0. Bricks outside the buffer read as anything.
    count : Out(range(9))
        Bricks wanted, 1..8: their banks are taken, what is read of the others is undefined.
    blank : Out(8)
        Brick i of the request `BLANK_LATENCY` cycles ago is not wanted: it reads as `fill` in every byte.
    fill : Out(8)
        Steady.
    bricks : In(8 x 64)
        Brick i is that of `address` + i (modulo 2**16), `GATHER_LATENCY` cycles after the request.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "enable": Out(1),
                "address": Out(ADDRESS_BITS),
                "count": Out(range(BANKS + 1)),
                "blank": Out(BANKS),
                "fill": Out(BRICK_BITS // BANKS),
                "bricks": In(data.ArrayLayout(BRICK_BITS, BANKS)),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "Gather":
        """The interface with these members."""
        return Gather(self, path=path, src_loc_at=1 + src_loc_at)


class Gather(wiring.PureInterface):
    """Interface of `GatherPort`."""

    enable: Signal
    address: Signal
    count: Signal
    blank: Signal
    fill: Signal
    bricks: data.View


class HalfBrickWritePort(wiring.Signature):
    """Writes of a brick or half a brick, one a cycle, never refused. Seen from the writer.

    Members
    -------
    enable : Out(1)
        Write in this cycle; a read requested two cycles later or after that sees it.
    address : Out(16)
        The brick.
    data : Out(bits)
        The brick, of 64 bits unless the buffer has wider ones: byte l for channel l.
    halves : Out(2)
        Bit 0 writes the lower half, bit 1 the upper.
    """

    def __init__(self, bits: int = BRICK_BITS) -> None:
        super().__init__(
            {
                "enable": Out(1),
                "address": Out(ADDRESS_BITS),
                "data": Out(bits),
                "halves": Out(BRICK_BITS // _HALF_BITS),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "HalfBrickWrite":
        """The interface with these members."""
        return HalfBrickWrite(self, path=path, src_loc_at=1 + src_loc_at)


class HalfBrickWrite(wiring.PureInterface):
    """Interface of `HalfBrickWritePort`."""

    enable: Signal
    address: Signal
    data: Signal
    halves: Signal


BRICK_WRITE = data.StructLayout({"address": unsigned(ADDRESS_BITS), "data": unsigned(BRICK_BITS)})


class BrickBuffer(wiring.Component):
    """Eight banks of one read and one write port; the bank of a brick is its address modulo 8.

    Per bank and cycle, `gather` goes before `store_request` and `activate_write` before `load_write`. Nothing
    that was written is seen by a read in the same cycle; who reads knows by tokens that the write is done.

    Cost: block RAM for the bricks alone (128 KiB are 64 of 18 kbit), a rotator of 3 x 512 two-way multiplexers.

    Args:
        bricks: capacity; a multiple of 8.

    Members:
        gather: reads for COMPUTE.
        store_request, store_response: single reads for STORE, answered in order. A request waits while `gather`
            takes its bank; the answer comes 4 cycles later at the earliest.
        activate_write: writes of ACTIVATE.
        load_write: writes of LOAD; one waits while ACTIVATE writes to its bank.
    """

    gather: Gather
    store_request: stream.Interface
    store_response: stream.Interface
    activate_write: HalfBrickWrite
    load_write: stream.Interface

    def __init__(self, bricks: int) -> None:
        if isinstance(bricks, bool) or not isinstance(bricks, int):
            raise TypeError(f"bricks must be an int, not {bricks!r}")
        if not 2 * BANKS <= bricks <= 1 << ADDRESS_BITS or bricks % BANKS:
            raise ValueError(f"bricks must be a multiple of 8 in 16..65536, not {bricks}")
        self._rows = bricks // BANKS
        super().__init__(
            {
                "gather": In(GatherPort()),
                "store_request": In(stream.Signature(unsigned(ADDRESS_BITS))),
                "store_response": Out(stream.Signature(unsigned(BRICK_BITS))),
                "activate_write": In(HalfBrickWritePort()),
                "load_write": In(stream.Signature(BRICK_WRITE)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Banks, what arbitrates for them, and the two ways out."""
        m = Module()
        reads, writes = [], []
        for bank in range(BANKS):
            memory = Memory(shape=BRICK_BITS, depth=self._rows, init=[], attrs={"no_rw_check": "1"})
            m.submodules[f"bank_{bank}"] = memory
            reads.append(memory.read_port())
            writes.append(memory.write_port(granularity=_HALF_BITS))
        self._write(m, writes)
        self._read(m, reads)
        return m

    def _write(self, m: Module, writes: list[WritePort]) -> None:
        activate = Signal(data.StructLayout({**BRICK_WRITE.members, "halves": 2, "enable": 1}))
        m.d.sync += [
            activate.address.eq(self.activate_write.address),
            activate.data.eq(self.activate_write.data),
            activate.halves.eq(self.activate_write.halves),
            activate.enable.eq(self.activate_write.enable),
        ]
        load = self.load_write.payload
        conflict = activate.enable & (_bank(activate.address) == _bank(load.address))
        m.d.comb += self.load_write.ready.eq(~conflict)
        for bank, port in enumerate(writes):
            by_activate = Signal(name=f"activate_writes_{bank}")
            by_load = Signal(name=f"load_writes_{bank}")
            m.d.comb += [
                by_activate.eq(activate.enable & (_bank(activate.address) == bank)),
                by_load.eq(self.load_write.valid & (_bank(load.address) == bank)),
                port.addr.eq(Mux(by_activate, _row(activate.address), _row(load.address))),
                port.data.eq(Mux(by_activate, activate.data, load.data)),
                port.en.eq(Mux(by_activate, activate.halves, by_load.replicate(2))),
            ]

    def _read(self, m: Module, reads: list[ReadPort]) -> None:
        row_bits = ceil_log2(self._rows)
        taken = Signal(BANKS)
        rotation = Signal(range(BANKS))
        row, next_row = Signal(row_bits), Signal(row_bits)
        last = Signal(range(BANKS))
        start = Signal(range(BANKS))
        m.d.comb += [start.eq(_bank(self.gather.address)), last.eq(self.gather.count - 1)]
        m.d.sync += [
            rotation.eq(start),
            row.eq(_row(self.gather.address)),
            next_row.eq(_row(self.gather.address) + 1),
        ]
        for bank in range(BANKS):
            distance = Signal(range(BANKS), name=f"distance_{bank}")
            m.d.comb += distance.eq(bank - start)
            m.d.sync += taken[bank].eq(self.gather.enable & (distance <= last))

        request = self.store_request
        delayed = Signal.like(rotation)
        m.d.sync += delayed.eq(rotation)
        exchanged = Signal(data.ArrayLayout(BRICK_BITS, BANKS), reset_less=True)
        for bank in range(BANKS):
            near, far = reads[bank].data, reads[bank ^ 4].data
            m.d.sync += exchanged[bank].eq(Mux(delayed[2], far, near))
        room = self._answer_store(m, exchanged, delayed[2], request.valid & request.ready)
        m.d.comb += request.ready.eq(room & ~(taken >> _bank(request.payload))[0])
        for bank, port in enumerate(reads):
            gathered = Mux(bank < rotation, next_row, row)
            m.d.comb += port.addr.eq(Mux(taken[bank], gathered, _row(request.payload)))
        self._rotate(m, [exchanged[n] for n in range(BANKS)], delayed)

    def _rotate(self, m: Module, words: list[Value], rotation: Signal) -> None:
        """Brick i from bank i + rotation: `words` are rotated by four already, here by two and one, a register each.

        What is blank is cleared by the first of them, where brick i may still stand one place further, and filled by
        the last: neither takes a cell more, as a choice behind the rotator would.
        """
        blank = Signal(BANKS)
        m.d.sync += blank.eq(self.gather.blank)
        for distance in (2, 1):
            delayed = Signal.like(rotation)
            rotated = Signal(data.ArrayLayout(BRICK_BITS, BANKS), name=f"rotated_{distance}", reset_less=True)
            m.d.sync += delayed.eq(rotation)
            for brick in range(BANKS):
                near, far = words[brick], words[(brick + distance) % BANKS]
                chosen = Mux(delayed & distance, far, near)
                if distance == 2:
                    asked = self.gather.blank
                    is_blank = Mux(delayed[0], asked[(brick - 1) % BANKS], asked[brick])
                    chosen = Mux(is_blank, 0, chosen)
                elif distance == 1:
                    fill = Mux(blank[brick], self.gather.fill, 0)
                    chosen |= fill.replicate(BANKS)
                m.d.sync += rotated[brick].eq(chosen)
            words, rotation = [rotated[n] for n in range(BANKS)], delayed
        m.d.comb += self.gather.bricks.eq(Cat(words))

    def _answer_store(self, m: Module, exchanged: data.View, exchange: Value, request_taken: Value) -> Value:
        """To `store_response`; returns whether one more request finds room in the queue.

        What the banks answer is looked for in `exchanged`, where the banks stand four places further after a cycle with
        `exchange`: behind block RAM there is time for one choice, and it costs a load on each of its outputs.
        """
        m.submodules.store_queue = queue = StreamQueue(unsigned(BRICK_BITS), _STORE_QUEUE_DEPTH)
        room = Signal(range(_STORE_QUEUE_DEPTH + 1), init=_STORE_QUEUE_DEPTH)
        # Registered, since it comes late in its cycle. Six places would keep the full rate.
        response_taken = Signal()
        wiring.connect(m, queue.o, wiring.flipped(self.store_response))
        valid = Signal(3)
        bank, place, pair_place = Signal(range(BANKS)), Signal(range(BANKS)), Signal(range(4))
        pair = Signal(data.ArrayLayout(BRICK_BITS, 4), reset_less=True)
        m.d.sync += [
            response_taken.eq(self.store_response.valid & self.store_response.ready),
            room.eq(room + response_taken - request_taken),
            valid.eq(Cat(request_taken, valid)),
            bank.eq(_bank(self.store_request.payload)),
            place.eq(Cat(bank[:2], bank[2] ^ exchange)),
            pair_place.eq(place[:2]),
            *(pair[n].eq(Mux(place[2], exchanged[n + 4], exchanged[n])) for n in range(4)),
        ]
        brick = Array(pair[n] for n in range(4))[pair_place]
        m.d.comb += [queue.i.valid.eq(valid[2]), queue.i.payload.eq(brick)]
        return room != 0


def _bank(address: Value) -> Value:
    return address[: ceil_log2(BANKS)]


def _row(address: Value) -> Value:
    return address[ceil_log2(BANKS) :]
