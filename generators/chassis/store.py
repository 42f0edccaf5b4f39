"""STORE: rows of a feature map from the unified buffer to memory."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.axi import AxiWriteBus, AxiWriteSignature
from ...hdl.axi_writer import AxiWriter
from ...hdl.byte_packer import BytePacker
from ...hdl.skid_buffer import SkidBuffer
from ...hdl.stream_queue import LARGEST_LUT_RAM, StreamQueue
from .brick_walk import BrickWalk, brick_place_layout, piece_address_bits
from .command import STORE
from .region_check import BEAT_COUNT_BITS, regions_layout
from .register_map import ErrorCode
from .run_control import error_layout
from .transfer_plan import TransferPlan
from .unit_error import report, report_response

BEAT_BITS = 64
"""Of the port, unless told otherwise."""
_BRICKS_ON_THEIR_WAY = 16
"""Bricks asked for and not yet packed: more than the buffer's latency, so that it runs at full rate."""


def brick_request_layout(pieces: int = 1) -> data.StructLayout:
    """The `address` of a brick, or of one of its `pieces`, to read."""
    return data.StructLayout({"address": piece_address_bits(pieces)})


def brick_data_layout(beat_bits: int = BEAT_BITS) -> data.StructLayout:
    """The `data` of a brick or of a piece, a beat."""
    return data.StructLayout({"data": beat_bits})


class StoreUnit(wiring.Component):
    """Executes STORE commands, one at a time: reads bricks, one a cycle, writes packed NHWC bytes;
    of bricks wider than a beat of the port, a piece a cycle.

        BrickWalk -> bricks asked for -> buffer -> BytePacker -> AxiWriter (queue of beats, bursts)

    Timing, in cycles: `command.valid` from cycle t, with p = bit_length(channels) + bit_length(rows) + 4: the
    plan is done in t + p, the first brick asked for in t + p + 2. A brick that arrives in cycle b completes a beat
    that enters the writer in b + 1; AW follows 3 cycles after a burst's last beat, W one cycle later. The last
    response in cycle w gives `command.ready` in w + 2. A command without bytes is ready in t + p + 1.

    After an error or `stop` the unit keeps the rules of the bus and finishes the bursts that it has announced, but
    whether the command still ends has no meaning: the run is over, and the run control resets the unit.

    Members:
        command: `STORE.struct()`; taken at completion.
        regions: `regions_layout`.
        request: `brick_request_layout`, to the buffer.
        response: `brick_data_layout`, from the buffer, in the order of the requests.
        bus: `AxiWriteSignature`.
        stop: no new burst is announced, no more bricks are asked for.
        busy: a command is in work.
        bus_idle: every announced burst is answered.
        error: `error_layout`, valid for one cycle; `address` is the bus address of the transfer's first byte.
    """

    command: stream.Interface
    regions: data.View
    request: stream.Interface
    response: stream.Interface
    bus: AxiWriteBus
    stop: Signal
    busy: Signal
    bus_idle: Signal
    error: data.View

    def __init__(
        self, *, address_bits: int, burst_beats: int, pieces: int = 1, beat_bits: int = BEAT_BITS
    ) -> None:
        self._pieces = pieces
        self._beat_bytes = beat_bits // 8
        self._address_bits = address_bits
        self._writer = AxiWriter(
            address_bits=address_bits,
            data_bits=beat_bits,
            count_bits=BEAT_COUNT_BITS,
            burst_beats=burst_beats,
            queue_beats=max(4 * burst_beats, 2 * LARGEST_LUT_RAM),
        )
        super().__init__(
            {
                "command": In(stream.Signature(STORE.struct())),
                "regions": In(regions_layout(address_bits)),
                "request": Out(stream.Signature(brick_request_layout(pieces))),
                "response": In(stream.Signature(brick_data_layout(beat_bits))),
                "bus": Out(AxiWriteSignature(address_bits, beat_bits)),
                "stop": In(1),
                "busy": Out(1),
                "bus_idle": Out(1),
                "error": Out(error_layout(address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Plan, then let the bricks flow until the last write response."""
        m = Module()
        m.submodules.plan = plan = TransferPlan(self._address_bits, self._beat_bytes)
        m.submodules.walk = walk = BrickWalk(self._pieces, self._beat_bytes)
        # Whether the buffer takes a request depends on its address: too late for the counters of the walk.
        m.submodules.place = place = SkidBuffer(brick_place_layout(self._pieces, self._beat_bytes))
        piece = data.StructLayout({"bytes": range(self._beat_bytes + 1), "last": 1})
        m.submodules.pieces = pieces = StreamQueue(piece, _BRICKS_ON_THEIR_WAY)
        # The queue is LUT RAM, whose read and the packer's shift do not fit into one cycle. Bricks take longer.
        m.submodules.next_piece = next_piece = SkidBuffer(piece)
        m.submodules.packer = packer = BytePacker(self._beat_bytes)
        m.submodules.writer = writer = self._writer
        command = self.command.payload
        start = Signal()
        m.d.comb += [
            plan.command.eq(command),
            plan.regions.eq(self.regions),
            walk.command.eq(command),
            walk.start.eq(start),
            # A brick is asked for together with a note of how many of its bytes count.
            self.request.payload.address.eq(place.o.payload.address),
            self.request.valid.eq(place.o.valid & pieces.i.ready & ~self.stop),
            pieces.i.payload.bytes.eq(place.o.payload.bytes),
            pieces.i.payload.last.eq(place.o.payload.last),
            pieces.i.valid.eq(place.o.valid & self.request.ready & ~self.stop),
            place.o.ready.eq(pieces.i.ready & self.request.ready & ~self.stop),
            packer.offset.eq(plan.address),
            packer.i.payload.data.eq(self.response.payload.data),
            packer.i.payload.bytes.eq(next_piece.o.payload.bytes),
            packer.i.payload.last.eq(next_piece.o.payload.last),
            packer.i.valid.eq(self.response.valid & next_piece.o.valid),
            self.response.ready.eq(packer.i.ready & next_piece.o.valid),
            next_piece.o.ready.eq(packer.i.ready & self.response.valid),
            writer.transfer.payload.address.eq(plan.address),
            writer.transfer.payload.beats.eq(plan.beats),
            writer.transfer.valid.eq(start),
            writer.stop.eq(self.stop),
            self.bus_idle.eq(writer.idle),
        ]
        # A cycle later than the rest, out of a register: the first brick is still on its way.
        m.d.sync += packer.start.eq(start)
        wiring.connect(m, walk.o, place.i)
        wiring.connect(m, pieces.o, next_piece.i)
        wiring.connect(m, packer.o, writer.beats)
        wiring.connect(m, writer.bus, wiring.flipped(self.bus))

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
            with m.State("MOVE"), m.If(writer.idle):
                m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.command.ready.eq(1)
                m.next = "IDLE"
            with m.State("FAILED"):
                pass  # until the reset

        with m.If(writer.failed):
            report_response(
                m, self.error, response=writer.response, index=command.index, address=plan.address
            )
        return m
