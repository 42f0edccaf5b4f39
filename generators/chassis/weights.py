"""WEIGHTS: beats from memory straight to the memories of the compute core, or to the decoder in front of them."""

from collections.abc import Sequence

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.axi import ReadClient, ReadClientSignature, is_error
from ...hdl.burst_splitter import BurstSplitter
from .command import CommandLayout, Opcode
from .decoder_port import DecoderPort, DecoderSignature
from .destination_port import BEAT_BITS, DESTINATION_BITS, destination_write_signature
from .region_check import BEAT_COUNT_BITS, RegionCheck, regions_layout
from .register_map import ErrorCode
from .run_control import error_layout
from .unit_error import report, report_response

_FIELDS = ("region", "offset", "beats", "destination", "address", "words", "index")
_LARGEST_COUNT = 1 << DESTINATION_BITS
_LARGEST_DEPTH = 1 << 16


class WeightsUnit(wiring.Component):
    """Executes WEIGHTS commands, one at a time: one beat a cycle, nothing is stored on the way.

    The destination's address counts up from the command's and wraps to 0 after the destination's last beat.
    Beats for a destination that the core does not have go nowhere.
    A command with `words` other than 0 is coded: its beats go to the decoder, into whose queue they always fit.

    Timing, in cycles: `command.valid` from cycle t requests its first burst in t + 5, further ones every 2 cycles while
    the arbiter takes them. A beat in cycle b is on `write` in b. The last beat in cycle w gives `command.ready` in
    w + 1; if it is coded, that takes until the cycle after the decoder's `finished`. A command of no beats that is not
    coded is ready in t + 3. The decoder's `start` is in t + 2. A place that is freed in cycle t counts from t + 1 on.

    After an error or `stop` the unit keeps the rules of the bus and finishes the bursts that it has announced, but
    whether the command still ends has no meaning: the run is over, and the run control resets the unit.

    Members:
        command: WEIGHTS of the family's command set; taken at completion.
        regions: `regions_layout`; bases are multiples of 8, their low bits are ignored.
        read: client of the read arbiter.
        write: `destination_write`.
        decoder: `DecoderSignature`.
        stop: no new burst is asked for.
        busy: a command is in work.
        error: `error_layout`, valid for one cycle; `address` is the bus address of the transfer's first byte.
    """

    command: stream.Interface
    regions: data.View
    read: ReadClient
    write: stream.Interface
    decoder: DecoderPort
    stop: Signal
    busy: Signal
    error: data.View

    def __init__(
        self,
        layout: CommandLayout,
        depths: Sequence[int],
        *,
        address_bits: int,
        burst_beats: int,
        decoder_beats: int,
    ) -> None:
        """`layout` has the fields region, offset, beats, destination, address and words; `depths[d]` is the number of
        beats that destination d holds, `decoder_beats` of those that the decoder's queue holds.

        Raises:
            ValueError: `layout` is not WEIGHTS or lacks a field, there are not 1..8 depths or one is not in
                1..65536, or the decoder's queue does not hold a burst.
        """
        missing = set(_FIELDS) - {entry.name for entry in layout.all_fields}
        if layout.opcode is not Opcode.WEIGHTS or missing:
            raise ValueError(f"layout must be WEIGHTS with the fields {', '.join(_FIELDS)}, not {layout}")
        if not 1 <= len(depths) <= _LARGEST_COUNT or not all(
            1 <= depth <= _LARGEST_DEPTH for depth in depths
        ):
            raise ValueError(
                f"depths must be 1..{_LARGEST_COUNT} numbers in 1..{_LARGEST_DEPTH}, not {list(depths)}"
            )
        if decoder_beats < burst_beats:
            raise ValueError(f"decoder_beats must hold a burst of {burst_beats}, not {decoder_beats}")
        self._decoder_beats = decoder_beats
        self._depths = tuple(depths)
        self._address_bits = address_bits
        self._burst_beats = burst_beats
        super().__init__(
            {
                "command": In(stream.Signature(layout.struct())),
                "regions": In(regions_layout(address_bits)),
                "read": Out(ReadClientSignature(address_bits, BEAT_BITS)),
                "write": Out(destination_write_signature()),
                "decoder": Out(DecoderSignature(layout)),
                "stop": In(1),
                "busy": Out(1),
                "error": Out(error_layout(address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Check the region, then count the beats as they pass."""
        m = Module()
        m.submodules.check = check = RegionCheck(self._address_bits)
        m.submodules.splitter = splitter = BurstSplitter(
            address_bits=self._address_bits,
            data_bits=BEAT_BITS,
            count_bits=BEAT_COUNT_BITS,
            burst_beats=self._burst_beats,
        )
        command = self.command.payload
        request = self.read.request
        beats = self.read.beats
        burst = splitter.burst
        place = Signal(16)
        last_place = Signal(16)
        left = Signal.like(command.beats)
        is_coded, has_room = Signal(), Signal()
        room = Signal(range(self._decoder_beats + 1), init=self._decoder_beats)
        promised = Signal(range(self._burst_beats + 1))
        m.d.comb += [
            check.regions.eq(self.regions),
            check.region.eq(command.region),
            check.offset.eq(command.offset),
            check.size.eq(command.beats << 3),
            splitter.stop.eq(self.stop),
            splitter.transfer.payload.address.eq(check.address),
            splitter.transfer.payload.beats.eq(command.beats),
            request.payload.eq(burst.payload),
            request.valid.eq(burst.valid & has_room & ~self.stop),
            burst.ready.eq((request.ready & has_room) | self.stop),
            self.write.valid.eq(beats.valid & ~is_coded),
            self.write.payload.destination.eq(command.destination),
            self.write.payload.address.eq(place),
            self.write.payload.data.eq(beats.payload.data),
            self.decoder.command.eq(command),
            self.decoder.beats.valid.eq(beats.valid & is_coded),
            self.decoder.beats.payload.eq(beats.payload.data),
            has_room.eq(~is_coded | (room >= self._burst_beats)),
        ]
        with m.If(request.valid & request.ready & is_coded):
            m.d.comb += promised.eq(burst.payload.length + 1)
        m.d.sync += room.eq(room + self.decoder.freed - promised)
        with m.If(beats.valid):
            m.d.sync += [
                place.eq(Mux(place == last_place, 0, place + 1)),
                left.eq(left - 1),
            ]

        m.d.sync += self.error.valid.eq(0)
        with m.FSM() as state:
            m.d.comb += self.busy.eq(~state.ongoing("IDLE"))
            with m.State("IDLE"), m.If(self.command.valid):
                m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += [
                    place.eq(command.address),
                    last_place.eq(Array(depth - 1 for depth in self._depths)[command.destination]),
                    left.eq(command.beats),
                    is_coded.eq(command.words != 0),
                ]
                m.next = "START"
            with m.State("START"):
                with m.If(check.out_of_range):
                    code = ErrorCode.OUT_OF_REGION
                    report(m, self.error, code=code, index=command.index, address=check.address)
                    m.next = "FAILED"
                with m.Elif(is_coded):
                    m.d.comb += [splitter.transfer.valid.eq(1), self.decoder.start.eq(1)]
                    m.next = "DECODE"
                with m.Elif(left == 0):
                    m.next = "DONE"
                with m.Else():
                    m.d.comb += splitter.transfer.valid.eq(1)
                    m.next = "MOVE"
            with m.State("MOVE"), m.If(beats.valid & (left == 1)):
                m.next = "DONE"
            with m.State("DECODE"):
                with m.If(self.decoder.malformed):
                    code = ErrorCode.MALFORMED_WEIGHTS
                    report(m, self.error, code=code, index=command.index, address=check.address)
                    m.next = "FAILED"
                with m.Elif(self.decoder.finished):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.command.ready.eq(1)
                m.next = "IDLE"
            with m.State("FAILED"):
                pass  # until the reset

        with m.If(beats.valid & is_error(beats.payload.response)):
            report_response(
                m, self.error, response=beats.payload.response, index=command.index, address=check.address
            )
        return m
