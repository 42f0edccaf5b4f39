"""A unified buffer of wide bricks: a brick a cycle for the reader, pieces of them for everybody else."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory, ReadPort, WritePort
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from .stream_queue import StreamQueue

BANKS = 8
PIECE_BITS = 64
"""What is written on its own, at the least."""
ADDRESS_BITS = 16
BRICK_READ_LATENCY = 3
"""Cycles from `read_enable` to `read_data`."""

_STORE_QUEUE_DEPTH = 8
"""Reads for STORE under way or waiting to be taken; 5 keep up with one a cycle."""


def piece_write_layout(pieces: int, together: int = 1) -> data.StructLayout:
    """Eight bytes for one of a brick's `pieces`, or for `together` neighbours of them; the lowest bits of
    the address say which.
    """
    return data.StructLayout(
        {
            "address": unsigned(ADDRESS_BITS + ceil_log2(pieces // together)),
            "data": unsigned(PIECE_BITS * together),
        }
    )


class WideBrickBuffer(wiring.Component):
    """Eight banks of one read and one write port; the bank of a brick is its address modulo 8.

    Per bank and cycle, the reader goes before `store_request` and `activate_write` before `load_write`. Nothing that
    was written is seen by a read in the same cycle; who reads knows by tokens that the write is done. Bricks outside
    the buffer read as anything.

    Cost: block RAM for the bricks alone, two multiplexers of eight bricks.

    Args:
        bricks: capacity; a multiple of 8.
        pieces: of eight bytes in a brick, a power of two.
        together: pieces that ACTIVATE writes at once, a power of two.
        moved: pieces that LOAD and STORE move at once, a power of two.
        window: neighbouring bricks that the reader may ask for at once, 1..8.
        neighbour_bits: the lowest bits of a brick that it sees of all but the first of them.

    Members:
        read_enable, read_address: read a brick in this cycle; never refused.
        read_count: it and so many after it, less one; there only if the window is of several.
        read_data: the brick, `BRICK_READ_LATENCY` cycles later.
        neighbours: the lowest bits of those after it, likewise; there only if the window is of several.
        store_request, store_response: `moved` pieces for STORE, answered in order. A request waits while the reader
            takes its bank; the answer comes 4 cycles later at the earliest.
        activate_enable, activate_write: writes of ACTIVATE; a read requested two cycles later or after that sees it.
        load_write: writes of LOAD; one waits while ACTIVATE writes to its bank.
    """

    read_enable: Signal
    read_address: Signal
    read_count: Signal
    read_data: Signal
    neighbours: Signal
    store_request: stream.Interface
    store_response: stream.Interface
    activate_enable: Signal
    activate_write: data.View
    load_write: stream.Interface

    def __init__(
        self,
        bricks: int,
        pieces: int,
        together: int = 1,
        *,
        moved: int = 1,
        window: int = 1,
        neighbour_bits: int = PIECE_BITS,
    ) -> None:
        for name, count in (("together", together), ("moved", moved)):
            if count < 1 or count & (count - 1) or count > pieces:
                raise ValueError(f"{name} must be a power of two of at most {pieces} pieces, not {count}")
        if not 1 <= window <= BANKS:
            raise ValueError(f"window must be 1..{BANKS} bricks, not {window}")
        if pieces < 1 or pieces & (pieces - 1):
            raise ValueError(f"pieces must be a power of two, not {pieces}")
        if not 2 * BANKS <= bricks <= 1 << ADDRESS_BITS or bricks % BANKS:
            raise ValueError(f"bricks must be a multiple of 8 in 16..65536, not {bricks}")
        self._rows = bricks // BANKS
        self._pieces = pieces
        self._piece_bits = ceil_log2(pieces // moved)
        self._together = together
        self._moved = moved
        self._window = window
        self._neighbour_bits = neighbour_bits
        self._activate_layout = piece_write_layout(pieces, together)
        self._activate_bits = ceil_log2(pieces // together)
        super().__init__(
            {
                "read_enable": In(1),
                "read_address": In(ADDRESS_BITS),
                "read_data": Out(PIECE_BITS * pieces),
                **(
                    {"read_count": In(range(window)), "neighbours": Out(neighbour_bits * (window - 1))}
                    if window > 1
                    else {}
                ),
                "store_request": In(stream.Signature(unsigned(ADDRESS_BITS + self._piece_bits))),
                "store_response": Out(stream.Signature(unsigned(PIECE_BITS * moved))),
                "activate_enable": In(1),
                "activate_write": In(self._activate_layout),
                "load_write": In(stream.Signature(piece_write_layout(pieces, moved))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Banks, what arbitrates for them, and the two ways out."""
        m = Module()
        width = PIECE_BITS * self._pieces
        banks = []
        for bank in range(BANKS):
            memory = Memory(shape=width, depth=self._rows, init=[], attrs={"no_rw_check": "1"})
            m.submodules[f"bank_{bank}"] = memory
            banks.append((memory.read_port(), memory.write_port(granularity=PIECE_BITS)))
        self._write(m, [write for _, write in banks])
        self._read(m, [read for read, _ in banks])
        return m

    def _write(self, m: Module, ports: list[WritePort]) -> None:
        activate = Signal(self._activate_layout, reset_less=True)
        enable = Signal()
        m.d.sync += [activate.eq(self.activate_write), enable.eq(self.activate_enable)]
        load = self.load_write.payload
        written, groups = activate.address[self._activate_bits :], self._pieces // self._together
        group = activate.address[: self._activate_bits] if self._activate_bits else Const(0, 1)
        data_by_activate = activate.data.replicate(groups)
        first_piece = Cat(Const(0, ceil_log2(self._together)), group)
        pieces_by_activate = Const((1 << self._together) - 1, self._pieces) << first_piece
        pieces_by_load = self._loaded_pieces(load.address)
        written_bank = written[: ceil_log2(BANKS)]
        m.d.comb += self.load_write.ready.eq(~(enable & (written_bank == self._bank(load.address))))
        for bank, port in enumerate(ports):
            by_activate = Signal(name=f"activate_writes_{bank}")
            by_load = Signal(name=f"load_writes_{bank}")
            m.d.comb += [
                by_activate.eq(enable & (written_bank == bank)),
                by_load.eq(self.load_write.valid & (self._bank(load.address) == bank)),
                port.addr.eq(Mux(by_activate, written[ceil_log2(BANKS) :], self._row(load.address))),
                port.data.eq(
                    Mux(by_activate, data_by_activate, load.data.replicate(self._pieces // self._moved))
                ),
                port.en.eq(Mux(by_activate, pieces_by_activate, Mux(by_load, pieces_by_load, 0))),
            ]

    def _loaded_pieces(self, address: Value) -> Value:
        if self._moved == 1:
            return 1 << self._piece(address)
        first_piece = Cat(Const(0, ceil_log2(self._moved)), self._piece(address))
        return Const((1 << self._moved) - 1, self._pieces) << first_piece

    def _read(self, m: Module, ports: list[ReadPort]) -> None:
        taken = Signal(BANKS)
        row = Signal(range(self._rows))
        bank_1, bank_2 = Signal(range(BANKS)), Signal(range(BANKS))
        first_bank = self.read_address[: ceil_log2(BANKS)]
        m.d.sync += [
            row.eq(self.read_address[ceil_log2(BANKS) :]),
            bank_1.eq(first_bank),
            bank_2.eq(bank_1),
            taken.eq(Mux(self.read_enable, self._asked(m, first_bank), 0)),
        ]
        request = self.store_request
        room = self._answer_store(m, ports, request.valid & request.ready)
        m.d.comb += request.ready.eq(room & ~(taken >> self._bank(request.payload))[0])
        rows = self._rows_of_banks(row, bank_1)
        for bank, port in enumerate(ports):
            m.d.comb += port.addr.eq(Mux(taken[bank], rows[bank], self._row(request.payload)))
        brick = Signal(PIECE_BITS * self._pieces, reset_less=True)
        m.d.sync += brick.eq(Array(port.data for port in ports)[bank_2])
        m.d.comb += self.read_data.eq(brick)
        if self._window > 1:
            bits = self._neighbour_bits
            lows = [port.data[:bits] for port in ports]
            neighbours = Signal(bits * (self._window - 1), reset_less=True)
            for tap in range(1, self._window):
                chosen = Array(lows[(bank + tap) % BANKS] for bank in range(BANKS))[bank_2]
                m.d.sync += neighbours.word_select(tap - 1, bits).eq(chosen)
            m.d.comb += self.neighbours.eq(neighbours)

    def _asked(self, m: Module, first_bank: Value) -> Value:
        """A bit for each bank that the reader takes."""
        if self._window == 1:
            return 1 << first_bank
        wanted = Cat(1, *(tap <= self.read_count for tap in range(1, self._window)))
        turned = Signal(2 * BANKS, name="asked")
        m.d.comb += turned.eq(wanted << first_bank)
        return turned[:BANKS] | turned[BANKS:]

    def _rows_of_banks(self, row: Signal, first_bank: Signal) -> list[Value]:
        """Banks before that of the first brick have bricks of the row behind its own."""
        if self._window == 1:
            return [row] * BANKS
        return [Mux(bank < first_bank, row + 1, row) for bank in range(BANKS)]

    def _answer_store(self, m: Module, ports: list[ReadPort], request_taken: Value) -> Value:
        """From banks to `store_response`; returns whether one more request finds room in the queue."""
        m.submodules.store_queue = queue = StreamQueue(unsigned(PIECE_BITS * self._moved), _STORE_QUEUE_DEPTH)
        room = Signal(range(_STORE_QUEUE_DEPTH + 1), init=_STORE_QUEUE_DEPTH)
        response_taken = Signal()  # registered, as it comes late in its cycle
        wiring.connect(m, queue.o, wiring.flipped(self.store_response))
        valid = Signal(3)
        bank = Signal(range(BANKS))
        places = range(max(2, self._pieces // self._moved))
        piece_1, piece_2 = Signal(places, name="piece_1"), Signal(places, name="piece_2")
        brick = Signal(PIECE_BITS * self._pieces, reset_less=True)
        piece_bits = PIECE_BITS * self._moved
        piece = Signal(piece_bits, reset_less=True)
        m.d.sync += [
            response_taken.eq(self.store_response.valid & self.store_response.ready),
            room.eq(room + response_taken - request_taken),
            valid.eq((valid << 1) | request_taken),
            bank.eq(self._bank(self.store_request.payload)),
            piece_1.eq(self._piece(self.store_request.payload)),
            piece_2.eq(piece_1),
            brick.eq(Array(port.data for port in ports)[bank]),
            piece.eq(
                Array(brick.word_select(n, piece_bits) for n in range(self._pieces // self._moved))[piece_2]
            ),
        ]
        m.d.comb += [queue.i.valid.eq(valid[2]), queue.i.payload.eq(piece)]
        return room != 0

    def _piece(self, address: Value) -> Value:
        return address[: self._piece_bits] if self._piece_bits else Const(0, 1)

    def _bank(self, address: Value) -> Value:
        return address[self._piece_bits : self._piece_bits + ceil_log2(BANKS)]

    def _row(self, address: Value) -> Value:
        return address[self._piece_bits + ceil_log2(BANKS) :]
