"""The write side of an AXI master: a stream of beats becomes bursts whose data never pauses."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .axi import RESPONSE_BITS, AxiWriteBus, AxiWriteSignature, burst_layout, is_error
from .burst_splitter import BurstSplitter, transfer_layout
from .stream_queue import StreamQueue

_LENGTHS = 4


def packed_beat_layout(data_bits: int) -> data.StructLayout:
    """A beat to be written: `data` and `strobe` (bit i: byte i is written)."""
    return data.StructLayout({"data": data_bits, "strobe": data_bits // 8})


class AxiWriter(wiring.Component):
    """Writes transfers: a burst's address is issued once all of its beats are here, so W never pauses.

    Beats wait in block RAM of `queue_beats`, which must hold at least two bursts so that one fills while one leaves.

    Timing: a transfer taken in cycle t whose data is here offers AW in t + 5. Otherwise AW is offered 3 cycles after
    the burst's last beat was taken. W is offered one cycle after AW, whether or not AW was accepted, and bursts follow
    each other on W without a gap while their data is here and fewer than `outstanding` lack their response.

    Members:
        transfer: `transfer_layout`; its beats follow on `beats`. Taken when the writer has cut up the one before.
        beats: `packed_beat_layout`.
        bus: `AxiWriteSignature`; B is always ready.
        stop: bursts whose address was issued are finished; everything else is dropped, beats that come as well.
        idle: no transfer, no beat, no response awaited; low from the cycle after a transfer is taken.
        failed: for one cycle, the cycle after a response that is an error, with `response`.
    """

    transfer: stream.Interface
    beats: stream.Interface
    bus: AxiWriteBus
    stop: Signal
    idle: Signal
    failed: Signal
    response: Signal

    def __init__(
        self,
        *,
        address_bits: int,
        data_bits: int,
        count_bits: int,
        burst_beats: int,
        queue_beats: int,
        outstanding: int = 4,
    ) -> None:
        if queue_beats < 2 * burst_beats:
            raise ValueError(
                f"queue_beats must be at least 2 bursts of {burst_beats} beats, not {queue_beats}"
            )
        if outstanding < 1:
            raise ValueError(f"outstanding must be at least 1, not {outstanding}")
        self._splitter = BurstSplitter(
            address_bits=address_bits, data_bits=data_bits, count_bits=count_bits, burst_beats=burst_beats
        )
        self._queue = StreamQueue(packed_beat_layout(data_bits), queue_beats)
        self._address_bits = address_bits
        self._burst_beats = burst_beats
        self._queue_beats = queue_beats
        self._outstanding = outstanding
        super().__init__(
            {
                "transfer": In(stream.Signature(transfer_layout(address_bits, count_bits))),
                "beats": In(stream.Signature(packed_beat_layout(data_bits))),
                "bus": Out(AxiWriteSignature(address_bits, data_bits)),
                "stop": In(1),
                "idle": Out(1),
                "failed": Out(1),
                "response": Out(RESPONSE_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Beats are counted as `available` until a burst claims them; W sends what was claimed."""
        m = Module()
        m.submodules.splitter = splitter = self._splitter
        m.submodules.queue = queue = self._queue
        m.submodules.lengths = lengths = StreamQueue(8, _LENGTHS)
        wiring.connect(m, wiring.flipped(self.transfer), splitter.transfer)
        wiring.connect(m, wiring.flipped(self.beats), queue.i)
        m.d.comb += splitter.stop.eq(self.stop)

        announced = Signal(burst_layout(self._address_bits), reset_less=True)
        announced_valid = Signal()
        awaited = Signal(range(self._outstanding + 1))
        available = Signal(range(self._queue_beats + 2))
        complete = Signal()  # all beats of the burst that is offered are here, and a place for its response
        claim = Signal()
        next_length = splitter.burst.payload.length
        # Decided a cycle before: comparing and counting would leave no time for the splitter's next step.
        m.d.sync += complete.eq(
            splitter.burst.valid
            & ~claim
            & lengths.i.ready
            & (awaited != self._outstanding)
            & (available > next_length)
        )
        m.d.comb += [
            self.bus.aw.payload.eq(announced),
            self.bus.aw.valid.eq(announced_valid),
            claim.eq(complete & ~self.stop & ~announced_valid),
            splitter.burst.ready.eq(claim | self.stop),
            lengths.i.payload.eq(next_length),
            lengths.i.valid.eq(claim),
        ]
        with m.If(claim):
            m.d.sync += [announced.eq(splitter.burst.payload), announced_valid.eq(1)]
        with m.Elif(self.bus.aw.ready):
            m.d.sync += announced_valid.eq(0)

        sending = Signal()
        left = Signal(8, reset_less=True)  # beats after the one on W
        sent = Signal()
        discard = Signal()
        m.d.comb += [
            self.bus.w.payload.data.eq(queue.o.payload.data),
            self.bus.w.payload.strobe.eq(queue.o.payload.strobe),
            self.bus.w.payload.last.eq(left == 0),
            self.bus.w.valid.eq(sending & queue.o.valid),
            sent.eq(self.bus.w.valid & self.bus.w.ready),
            lengths.o.ready.eq(~sending | (sent & (left == 0))),
            discard.eq(self.stop & ~sending & ~lengths.o.valid),
            queue.o.ready.eq((sending & self.bus.w.ready) | discard),
        ]
        with m.If(lengths.o.ready):
            m.d.sync += [sending.eq(lengths.o.valid), left.eq(lengths.o.payload)]
        with m.Elif(sent):
            m.d.sync += left.eq(left - 1)

        arrived = Signal()
        m.d.comb += arrived.eq(queue.i.valid & queue.i.ready)
        with m.If(discard):
            m.d.sync += available.eq(0)
        with m.Elif(claim):
            m.d.sync += available.eq(available + arrived - next_length - 1)
        with m.Else():
            m.d.sync += available.eq(available + arrived)

        answered = Signal()
        m.d.comb += [
            self.bus.b.ready.eq(1),
            answered.eq(self.bus.b.valid),
            self.idle.eq(splitter.idle & (queue.level == 0) & (awaited == 0) & ~announced_valid),
        ]
        m.d.sync += [
            awaited.eq(awaited + claim - answered),
            self.response.eq(self.bus.b.payload.response),
            self.failed.eq(answered & is_error(self.bus.b.payload.response)),
        ]
        return m
