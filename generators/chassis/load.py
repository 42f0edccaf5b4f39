"""LOAD: rows of a feature map from memory to the unified buffer."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.axi import ReadClient, ReadClientSignature, is_error
from ...hdl.burst_splitter import BurstSplitter, check_burst_beats
from ...hdl.byte_unpacker import ByteUnpacker
from ...hdl.skid_buffer import SkidBuffer
from ...hdl.stream_queue import LARGEST_LUT_RAM, StreamQueue
from .brick_walk import BrickWalk, brick_place_layout, piece_address_bits
from .command import LOAD
from .region_check import BEAT_COUNT_BITS, regions_layout
from .register_map import ErrorCode
from .run_control import error_layout
from .transfer_plan import TransferPlan
from .unit_error import report, report_response

BEAT_BITS = 64
"""Of the port, unless told otherwise."""


def brick_write_layout(pieces: int = 1, beat_bits: int = BEAT_BITS) -> data.StructLayout:
    """A brick, or one of its `pieces`, for the buffer: its `address` and its `data`, a beat."""
    return data.StructLayout({"address": piece_address_bits(pieces), "data": beat_bits})


class LoadUnit(wiring.Component):
    """Executes LOAD commands, one at a time: reads packed NHWC bytes, writes bricks, one a cycle;
    of bricks wider than a beat of the port, a piece a cycle.

        bursts -> queue of beats (block RAM) -> ByteUnpacker -> bricks
                                                 ^ BrickWalk: address and bytes of each

    A burst is asked for only while the queue has room for a longest burst, so that beats are always taken. A place that
    is freed in cycle t counts from t + 2 on.

    Timing, in cycles: `command.valid` from cycle t, with p = bit_length(channels) + bit_length(rows) + 4: the
    plan is done in t + p, the first burst requested in t + p + 3. A beat in cycle b lets its brick be offered from
    b + 6 (b + 5 when the brick ends in the upper half of the unpacker's window). The last brick taken by the buffer in
    cycle w gives `command.ready` in w + 1. A command without bytes is ready in t + p + 1.

    After an error or `stop` the unit keeps the rules of the bus and finishes the bursts that it has announced, but
    whether the command still ends has no meaning: the run is over, and the run control resets the unit.

    Members:
        command: `LOAD.struct()`; taken at completion.
        regions: `regions_layout`.
        read: client of the read arbiter.
        bricks: `brick_write_layout`, to the buffer.
        stop: no new burst is asked for.
        busy: a command is in work.
        error: `error_layout`, valid for one cycle; `address` is the bus address of the transfer's first byte.
    """

    command: stream.Interface
    regions: data.View
    read: ReadClient
    bricks: stream.Interface
    stop: Signal
    busy: Signal
    error: data.View

    def __init__(
        self,
        *,
        address_bits: int,
        burst_beats: int,
        outstanding: int,
        pieces: int = 1,
        beat_bits: int = BEAT_BITS,
    ) -> None:
        self._pieces = pieces
        self._beat_bits = beat_bits
        check_burst_beats(burst_beats, beat_bits)
        self._address_bits = address_bits
        self._burst_beats = burst_beats
        wanted = max(burst_beats * max(2, outstanding), 2 * LARGEST_LUT_RAM)
        self._queue_beats = 1 << (wanted - 1).bit_length()
        super().__init__(
            {
                "command": In(stream.Signature(LOAD.struct())),
                "regions": In(regions_layout(address_bits)),
                "read": Out(ReadClientSignature(address_bits, beat_bits)),
                "bricks": Out(stream.Signature(brick_write_layout(pieces, beat_bits))),
                "stop": In(1),
                "busy": Out(1),
                "error": Out(error_layout(address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Plan, then let the bytes flow until the last brick is written."""
        m = Module()
        beat_bytes = self._beat_bits // 8
        m.submodules.plan = plan = TransferPlan(self._address_bits, beat_bytes)
        m.submodules.splitter = splitter = BurstSplitter(
            address_bits=self._address_bits,
            data_bits=self._beat_bits,
            count_bits=BEAT_COUNT_BITS,
            burst_beats=self._burst_beats,
        )
        m.submodules.queue = queue = StreamQueue(unsigned(self._beat_bits), self._queue_beats)
        m.submodules.unpacker = unpacker = ByteUnpacker(
            data.StructLayout({"address": piece_address_bits(self._pieces), "last": 1}), beat_bytes
        )
        m.submodules.walk = walk = BrickWalk(self._pieces, beat_bytes)
        # The walk runs ahead, so that it does not wait in the same cycle for what the unpacker waits for.
        m.submodules.places = places = SkidBuffer(brick_place_layout(self._pieces, beat_bytes))
        # Whether the buffer has a place comes late in its cycle, and must not reach the queue of beats.
        last_brick = data.StructLayout(
            {"brick": brick_write_layout(self._pieces, self._beat_bits), "last": 1}
        )
        m.submodules.writes = writes = SkidBuffer(last_brick)
        command = self.command.payload
        brick = unpacker.o.payload
        start = Signal()
        written = Signal()
        m.d.comb += [
            plan.command.eq(command),
            plan.regions.eq(self.regions),
            walk.command.eq(command),
            splitter.stop.eq(self.stop),
            splitter.transfer.payload.address.eq(plan.address),
            splitter.transfer.payload.beats.eq(plan.beats),
            splitter.transfer.valid.eq(start),
            unpacker.offset.eq(plan.address),
            unpacker.request.payload.bytes.eq(places.o.payload.bytes),
            unpacker.request.payload.tag.address.eq(places.o.payload.address),
            unpacker.request.payload.tag.last.eq(places.o.payload.last),
            unpacker.request.valid.eq(places.o.valid),
            places.o.ready.eq(unpacker.request.ready),
            writes.i.payload.brick.address.eq(brick.tag.address),
            writes.i.payload.brick.data.eq(brick.data),
            writes.i.payload.last.eq(brick.tag.last),
            writes.i.valid.eq(unpacker.o.valid),
            unpacker.o.ready.eq(writes.i.ready),
            self.bricks.payload.eq(writes.o.payload.brick),
            self.bricks.valid.eq(writes.o.valid),
            writes.o.ready.eq(self.bricks.ready),
            written.eq(writes.o.valid & self.bricks.ready & writes.o.payload.last),
        ]
        # A cycle later than the rest, out of a register: the first beat is still far away.
        m.d.sync += [unpacker.start.eq(start), walk.start.eq(start)]
        wiring.connect(m, walk.o, places.i)
        wiring.connect(m, queue.o, unpacker.i)
        self._elaborate_requests(m, splitter.burst, queue)

        m.d.sync += self.error.valid.eq(0)
        with m.FSM() as state:
            m.d.comb += self.busy.eq(~state.ongoing("IDLE"))
            with m.State("IDLE"), m.If(self.command.valid):
                m.d.comb += plan.start.eq(1)
                m.next = "PLAN"
            with m.State("PLAN"), m.If(plan.done):
                with m.If(plan.out_of_range):
                    code = ErrorCode.OUT_OF_REGION
                    report(m, self.error, code=code, index=command.index, address=plan.address)
                    m.next = "FAILED"
                with m.Elif(plan.empty):
                    m.next = "DONE"
                with m.Else():
                    m.d.comb += start.eq(1)
                    m.next = "MOVE"
            with m.State("MOVE"), m.If(written):
                m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.command.ready.eq(1)
                m.next = "IDLE"
            with m.State("FAILED"):
                pass  # until the reset

        beats = self.read.beats
        with m.If(beats.valid & is_error(beats.payload.response)):
            report_response(
                m, self.error, response=beats.payload.response, index=command.index, address=plan.address
            )
        return m

    def _elaborate_requests(self, m: Module, burst: stream.Interface, queue: StreamQueue) -> None:
        """`room` counts the queue's places that neither hold a beat nor are promised to one."""
        request = self.read.request
        beats = self.read.beats
        room = Signal(range(self._queue_beats + 1), init=self._queue_beats)
        enough = Signal()
        claimed, freed = Signal(), Signal()
        length = Signal.like(burst.payload.length)  # beats less one
        m.d.comb += [
            # The arbiter grants at most every other cycle, so waiting for the count of the last burst costs nothing.
            enough.eq((room >= self._burst_beats) & ~claimed),
            request.payload.eq(burst.payload),
            request.valid.eq(burst.valid & enough & ~self.stop),
            burst.ready.eq((request.ready & enough) | self.stop),
            queue.i.payload.eq(beats.payload.data),
            queue.i.valid.eq(beats.valid),
        ]
        # Both events come late in their cycle and are counted in the next.
        m.d.sync += [
            claimed.eq(request.valid & request.ready),
            length.eq(burst.payload.length),
            freed.eq(queue.o.valid & queue.o.ready),
            room.eq(room + freed - Mux(claimed, length + 1, 0)),
        ]
