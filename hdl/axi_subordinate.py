"""The AXI side of a memory: bursts of any legal kind in, requests out that the memory can serve without waiting."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .axi import (
    BOUNDARY_BYTES,
    MAXIMUM_BURST_BEATS,
    RESPONSE_BITS,
    AxiReadBus,
    AxiReadSignature,
    AxiWriteBus,
    AxiWriteSignature,
    ReadClient,
    ReadClientSignature,
    Response,
    is_error,
    read_beat_layout,
)
from .axi_writer import packed_beat_layout
from .burst_splitter import BurstSplitter
from .memory_client import WriteClient, WriteClientSignature
from .stream_queue import StreamQueue

_COUNT_BITS = MAXIMUM_BURST_BEATS.bit_length()
_BURST = data.StructLayout({"length": 8, "response": RESPONSE_BITS})


def refusal(burst: data.View, *, data_bits: int, memory_bits: int) -> Value:
    """The response a burst deserves: DECODE_ERROR beyond 2**`memory_bits` bytes, SLAVE_ERROR across 4 KiB, else OKAY.

    A burst that stays within 4 KiB and begins inside the memory ends inside.
    """
    shift = (data_bits // 8).bit_length() - 1
    boundary_bits = BOUNDARY_BYTES.bit_length() - 1
    last = burst.address[shift:boundary_bits] + burst.length
    crosses = last[boundary_bits - shift :].any()
    beyond = burst.address[memory_bits:].any() if memory_bits < len(burst.address) else Const(0)
    return Mux(
        beyond,
        Response.DECODE_ERROR.value,
        Mux(crosses, Response.SLAVE_ERROR.value, Response.OKAY.value),
    )


class AxiReadSubordinate(wiring.Component):
    """Reads: asks for beats when there is room for them, answers bursts in order, refuses those it has to.

    Bursts are cut at multiples of `request_beats`. Those that `refusal` names get their response in every
    beat, with zeros, and never reach the memory.

    Timing: a burst taken in cycle t has its first request offered in t + 4, provided that there is room. A beat from
    the memory in cycle t is on R, a register, in t + 3.

    Args:
        request_beats: longest request, a power of two.
        queue_beats: beats asked for that R has not taken, at least 2 requests; a power of two.
        outstanding: bursts between their address and their last beat, 2 or more.

    Members:
        bus: `AxiReadSignature`, flipped.
        client: `ReadClientSignature`.
    """

    bus: AxiReadBus
    client: ReadClient

    def __init__(
        self,
        *,
        address_bits: int,
        memory_bits: int,
        data_bits: int,
        request_beats: int,
        queue_beats: int,
        outstanding: int,
    ) -> None:
        _check_queue(request_beats, queue_beats)
        self._data_bits = data_bits
        self._memory_bits = memory_bits
        self._queue_beats = queue_beats
        self._splitter = BurstSplitter(
            address_bits=memory_bits, data_bits=data_bits, count_bits=_COUNT_BITS, burst_beats=request_beats
        )
        self._queue = StreamQueue(data_bits, queue_beats)
        self._bursts = StreamQueue(_BURST, outstanding)
        super().__init__(
            {
                "bus": In(AxiReadSignature(address_bits, data_bits)),
                "client": Out(ReadClientSignature(memory_bits, data_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """What is to be answered waits in `bursts`, beats from the memory in `queue`."""
        m = Module()
        m.submodules.splitter = splitter = self._splitter
        m.submodules.queue = queue = self._queue
        m.submodules.bursts = bursts = self._bursts
        response = refusal(self.bus.ar.payload, data_bits=self._data_bits, memory_bits=self._memory_bits)
        _accept(m, self.bus.ar, splitter, bursts, response)

        # Room that no request has claimed.
        room = Signal(range(self._queue_beats + 1), init=self._queue_beats)
        claimed = _offer(m, splitter.burst, self.client.request, room)
        moved = Signal()
        m.d.sync += room.eq(room + moved + claimed)
        m.d.comb += [
            queue.i.valid.eq(self.client.beats.valid),
            queue.i.payload.eq(self.client.beats.payload.data),
            moved.eq(queue.o.valid & queue.o.ready),
        ]

        beat = Signal(read_beat_layout(self._data_bits), reset_less=True)
        beat_valid = Signal()
        free = Signal()
        offered = Signal()
        sent = Signal(8)
        front = bursts.o.payload
        refused = is_error(front.response)
        last = sent == front.length
        m.d.comb += [
            self.bus.r.valid.eq(beat_valid),
            self.bus.r.payload.eq(beat),
            free.eq(~beat_valid | self.bus.r.ready),
            offered.eq(bursts.o.valid & (queue.o.valid | refused)),
            queue.o.ready.eq(free & bursts.o.valid & ~refused),
            bursts.o.ready.eq(free & offered & last),
        ]
        with m.If(free):
            m.d.sync += [
                beat_valid.eq(offered),
                beat.data.eq(Mux(refused, 0, queue.o.payload)),
                beat.response.eq(front.response),
                beat.last.eq(last),
            ]
            with m.If(offered):
                m.d.sync += sent.eq(Mux(last, 0, sent + 1))
        return m


class AxiWriteSubordinate(wiring.Component):
    """Writes: collects beats until a request is complete, answers bursts in order, refuses those it has to.

    Bursts are cut at multiples of `request_beats`. A burst is answered when the memory has written its last beat: the
    memory orders what is read from then on behind it. The beats of a burst that `refusal` names are swallowed.
    Bursts end with their length; `last` of W is not looked at.

    Timing: a burst taken in cycle t whose beats are here has its first request offered in t + 4; else a
    request is offered 2 cycles after its last beat was taken. B is offered 2 cycles after the memory has taken
    a burst's last beat.

    Args:
        request_beats: longest request, a power of two.
        queue_beats: beats that the memory has not taken, at least 2 requests; a power of two.
        outstanding: bursts between their address and their response, half of them with all of their beats, 4 or more.

    Members:
        bus: `AxiWriteSignature`, flipped; W is taken after AW.
        client: `WriteClientSignature`.
    """

    bus: AxiWriteBus
    client: WriteClient

    def __init__(
        self,
        *,
        address_bits: int,
        memory_bits: int,
        data_bits: int,
        request_beats: int,
        queue_beats: int,
        outstanding: int,
    ) -> None:
        _check_queue(request_beats, queue_beats)
        self._data_bits = data_bits
        self._memory_bits = memory_bits
        self._queue_beats = queue_beats
        self._outstanding = outstanding
        self._splitter = BurstSplitter(
            address_bits=memory_bits, data_bits=data_bits, count_bits=_COUNT_BITS, burst_beats=request_beats
        )
        self._queue = StreamQueue(packed_beat_layout(data_bits), queue_beats)
        self._bursts = StreamQueue(_BURST, outstanding // 2)
        self._answers = StreamQueue(_BURST, outstanding // 2)
        super().__init__(
            {
                "bus": In(AxiWriteSignature(address_bits, data_bits)),
                "client": Out(WriteClientSignature(memory_bits, data_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Bursts wait in `bursts` for their beats, then in `answers` for the memory."""
        m = Module()
        m.submodules.splitter = splitter = self._splitter
        m.submodules.queue = queue = self._queue
        m.submodules.bursts = bursts = self._bursts
        m.submodules.answers = answers = self._answers
        response = refusal(self.bus.aw.payload, data_bits=self._data_bits, memory_bits=self._memory_bits)
        _accept(m, self.bus.aw, splitter, bursts, response)

        received = Signal(8)
        front = bursts.o.payload
        arrived = Signal()
        complete = Signal()
        stored = Signal()
        m.d.comb += [
            self.bus.w.ready.eq(bursts.o.valid & queue.i.ready & answers.i.ready),
            arrived.eq(self.bus.w.valid & self.bus.w.ready),
            stored.eq(arrived & ~is_error(front.response)),
            complete.eq(arrived & (received == front.length)),
            queue.i.payload.data.eq(self.bus.w.payload.data),
            queue.i.payload.strobe.eq(self.bus.w.payload.strobe),
            queue.i.valid.eq(stored),
            bursts.o.ready.eq(complete),
            answers.i.payload.eq(front),
            answers.i.valid.eq(complete),
        ]
        with m.If(arrived):
            m.d.sync += received.eq(Mux(complete, 0, received + 1))

        # Beats that no request has claimed.
        available = Signal(range(self._queue_beats + 2))
        claimed = _offer(m, splitter.burst, self.client.request, available)
        m.d.sync += available.eq(available + stored + claimed)
        wiring.connect(m, queue.o, wiring.flipped(self.client.beats))
        self._answer(m)
        return m

    def _answer(self, m: Module) -> None:
        answers = self._answers
        front = answers.o.payload
        written = Signal(range((self._outstanding + 1) * MAXIMUM_BURST_BEATS))  # and not answered
        due = Signal()
        answered = Signal()
        m.d.comb += [
            self.bus.b.valid.eq(due),
            self.bus.b.payload.response.eq(front.response),
            answers.o.ready.eq(answered),
        ]
        m.d.sync += [
            due.eq(
                Mux(
                    due,
                    ~self.bus.b.ready,
                    answers.o.valid & ~answered & (is_error(front.response) | (written > front.length)),
                )
            ),
            answered.eq(due & self.bus.b.ready),
            written.eq(
                written
                + self.client.written
                + _minus_beats(front.length, answered & ~is_error(front.response))
            ),
        ]


def _check_queue(request_beats: int, queue_beats: int) -> None:
    if queue_beats < 2 * request_beats:
        raise ValueError(
            f"queue_beats must be at least 2 requests of {request_beats} beats, not {queue_beats}"
        )


def _accept(
    m: Module, address: stream.Interface, splitter: BurstSplitter, bursts: StreamQueue, response: Value
) -> None:
    """Every burst goes into `bursts` with its response, those that are served into `splitter` as well."""
    both = splitter.transfer.ready & bursts.i.ready
    m.d.comb += [
        address.ready.eq(both),
        splitter.transfer.valid.eq(address.valid & both & ~is_error(response)),
        splitter.transfer.payload.address.eq(address.payload.address),
        splitter.transfer.payload.beats.eq(address.payload.length + 1),
        bursts.i.valid.eq(address.valid & both),
        bursts.i.payload.length.eq(address.payload.length),
        bursts.i.payload.response.eq(response),
    ]


def _offer(m: Module, burst: stream.Interface, request: stream.Interface, amount: Signal) -> Value:
    """Hand bursts on when there is an `amount` for them, every 3 cycles; minus the beats claimed in this cycle."""
    enough = Signal()
    taken = Signal()
    m.d.comb += [
        request.valid.eq(enough),
        request.payload.eq(burst.payload),
        burst.ready.eq(taken),
    ]
    # `ready` comes late in its cycle: the burst that was taken is dealt with in the next one.
    m.d.sync += [
        taken.eq(enough & request.ready),
        enough.eq(burst.valid & ~taken & ~(enough & request.ready) & (amount > burst.payload.length)),
    ]
    return _minus_beats(burst.payload.length, taken)


def _minus_beats(length: Value, enable: Value) -> Value:
    """-(`length` + 1), as its complement without a carry, or 0."""
    return Mux(enable, ~Cat(length, Const(0, 1)).as_signed(), 0)
