"""WEIGHTS: beats from memory straight to the memories of the compute core, or to the decoder in front of them."""

from collections.abc import Sequence

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.axi import ReadClient, ReadClientSignature, is_error
from ...hdl.burst_splitter import BurstSplitter
from ...hdl.stream_queue import StreamQueue
from .command import CommandLayout, Opcode, Verb
from .decoder_port import DecoderPort, DecoderSignature
from .destination_port import BEAT_BITS, DESTINATION_BITS, destination_write_signature
from .oldest_command import waiting_layout
from .region_check import BEAT_COUNT_BITS, RegionCheck, regions_layout
from .register_map import ErrorCode
from .run_control import error_layout
from .unit_error import report, report_response

_FIELDS = ("region", "offset", "beats", "destination", "address", "words", "index")
_LARGEST_COUNT = 1 << DESTINATION_BITS
_LARGEST_DEPTH = 1 << 16

ACCEPTED_COMMANDS = 4
"""Commands that wait, their bursts requested, behind the oldest one: enough small ones to hide a memory's latency."""


class WeightsUnit(wiring.Component):
    """Executes WEIGHTS commands: one beat a cycle, nothing is stored on the way.

        command -> region check -> splitter -> bursts
                       |
                       +--> coming: whose beats come next --> destinations, decoder
                       +--> open: what completes next     --> tokens, decoder

    Commands are taken and their bursts requested while beats of earlier ones still come; they complete in order.
    The destination's address counts up from the command's and wraps to 0 after the destination's last beat.
    Beats for a destination that the core does not have go nowhere.
    A command with `words` other than 0 is coded: its beats go to the decoder, into whose queue they always fit.
    A command that is not coded waits for all coded ones before it if its destination is that of the last of them, for
    which the decoder still writes.

    Timing, in cycles: a command presented in cycle t is taken in s = t + 2, or when all bursts before it are
    requested, fewer than `ACCEPTED_COMMANDS` wait behind the oldest, and the decoder is out of its way. It requests
    its first burst in s + 3, further ones every 2 cycles while the arbiter takes them. A beat in cycle b is on `write`
    in b. It is the oldest from s + 2 on, or from the cycle after the completion of the one before it. It completes in
    the cycle after its last beat; if it is coded, in the one after the decoder's `finished`; if it has no beats, at
    once; but not before it is the oldest. The decoder's `start` is in the first cycle in which a coded command is
    the oldest. A place of its queue that is freed in cycle t counts from t + 1 on.

    After an error or `stop` the unit keeps the rules of the bus and finishes the bursts that it has announced, but
    whether a command still ends has no meaning: the run is over, and the run control resets the unit.

    Members:
        command: WEIGHTS of the family's command set; taken when its bursts can be requested.
        given: bit v: the command that completes in this cycle gives one token to verb v.
        oldest: the oldest command that was taken and is not complete, `waiting_layout`.
        regions: `regions_layout`; bases are multiples of 8, their low bits are ignored.
        read: client of the read arbiter.
        write: `destination_write`.
        decoder: `DecoderSignature`.
        stop: no new burst is asked for.
        busy: a command was taken and is not complete.
        error: `error_layout`, valid for one cycle; `address` is the bus address of the transfer's first byte.
    """

    command: stream.Interface
    given: Signal
    oldest: data.View
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
        freed_beats: int = 1,
        beat_bits: int = BEAT_BITS,
        destination_bits: int = BEAT_BITS,
    ) -> None:
        """`layout` has the fields region, offset, beats, destination, address and words; `depths[d]` is the number of
        beats that destination d holds, `decoder_beats` of those that the decoder's queue holds, `freed_beats` of those
        that leave it together. A beat of `beat_bits` puts its lowest `destination_bits` into a destination.

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
        self._coming_layout = data.StructLayout(
            {
                "destination": layout.struct()["destination"].shape,
                "place": layout.struct()["address"].shape,
                "beats": layout.struct()["beats"].shape,
                "is_coded": 1,
                "index": layout.struct()["index"].shape,
                "bus_address": address_bits,
            }
        )
        self._open_layout = data.StructLayout(
            {"command": layout.struct(), "is_coded": 1, "has_beats": 1, "bus_address": address_bits}
        )
        self._decoder_beats = decoder_beats
        self._freed_beats = freed_beats
        self._beat_bits = beat_bits
        self._depths = tuple(depths)
        self._address_bits = address_bits
        self._burst_beats = burst_beats
        super().__init__(
            {
                "command": In(stream.Signature(layout.struct())),
                "given": Out(len(Verb)),
                "oldest": Out(waiting_layout()),
                "regions": In(regions_layout(address_bits)),
                "read": Out(ReadClientSignature(address_bits, beat_bits)),
                "write": Out(destination_write_signature(destination_bits)),
                "decoder": Out(DecoderSignature(layout, beat_bits)),
                "stop": In(1),
                "busy": Out(1),
                "error": Out(error_layout(address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Requests, beats and completion, joined by two queues of taken commands."""
        m = Module()
        m.submodules.coming = coming = StreamQueue(self._coming_layout, ACCEPTED_COMMANDS)
        m.submodules.open = waiting = StreamQueue(self._open_layout, ACCEPTED_COMMANDS)
        decoded = Signal()
        m.d.sync += [self.error.valid.eq(0), decoded.eq(self.decoder.finished)]
        self._elaborate_requests(m, coming.i, waiting.i, decoded)
        arrived = self._elaborate_beats(m, coming.o)
        self._elaborate_completion(m, waiting.o, arrived, decoded)
        return m

    def _elaborate_requests(
        self, m: Module, coming: stream.Interface, waiting: stream.Interface, decoded: Signal
    ) -> None:
        """Check a command's region, put it into both queues and cut it into bursts."""
        m.submodules.check = check = RegionCheck(self._address_bits)
        m.submodules.splitter = splitter = BurstSplitter(
            address_bits=self._address_bits,
            data_bits=self._beat_bits,
            count_bits=BEAT_COUNT_BITS,
            burst_beats=self._burst_beats,
        )
        command = self.command.payload
        is_coded, has_beats, has_way = Signal(), Signal(), Signal()
        accepted = Signal()
        decoder_destination = Signal.like(command.destination)
        decoding = Signal(range(ACCEPTED_COMMANDS + 2))  # coded commands that are not complete
        m.d.comb += [
            check.regions.eq(self.regions),
            check.region.eq(command.region),
            check.offset.eq(command.offset),
            check.size.eq(command.beats << (self._beat_bits // 8).bit_length() - 1),
            splitter.stop.eq(self.stop),
            splitter.transfer.valid.eq(accepted & has_beats),
            splitter.transfer.payload.address.eq(check.address),
            splitter.transfer.payload.beats.eq(command.beats),
            coming.valid.eq(accepted & has_beats),
            coming.payload.destination.eq(command.destination),
            coming.payload.place.eq(command.address),
            coming.payload.beats.eq(command.beats),
            coming.payload.is_coded.eq(is_coded),
            coming.payload.index.eq(command.index),
            coming.payload.bus_address.eq(check.address),
            waiting.valid.eq(accepted),
            waiting.payload.command.eq(command),
            waiting.payload.is_coded.eq(is_coded),
            waiting.payload.has_beats.eq(has_beats),
            waiting.payload.bus_address.eq(check.address),
            self.command.ready.eq(accepted),
            has_way.eq(is_coded | (decoding == 0) | (command.destination != decoder_destination)),
        ]
        m.d.sync += [
            is_coded.eq(command.words != 0),
            has_beats.eq(command.beats != 0),
        ]
        with m.FSM(name="requests"):
            with m.State("IDLE"), m.If(self.command.valid):
                m.next = "CHECK"
            with m.State("CHECK"):
                m.next = "START"
            with m.State("START"):
                with m.If(check.out_of_range):
                    code = ErrorCode.OUT_OF_REGION
                    report(m, self.error, code=code, index=command.index, address=check.address)
                    m.next = "FAILED"
                with m.Elif(splitter.idle & coming.ready & waiting.ready & has_way):
                    m.d.comb += accepted.eq(1)
                    m.next = "IDLE"
            with m.State("FAILED"):
                pass  # until the reset

        with m.If(accepted & is_coded):
            m.d.sync += decoder_destination.eq(command.destination)
        m.d.sync += decoding.eq(decoding + (accepted & is_coded) - decoded)

        request = self.read.request
        burst = splitter.burst
        requests_coded, has_room = Signal(), Signal()
        claimed = Signal()
        length = Signal.like(burst.payload.length)  # beats less one
        room = Signal(range(self._decoder_beats + 1), init=self._decoder_beats)
        m.d.comb += [
            # The arbiter grants at most every other cycle, so waiting for the count of the last burst costs nothing.
            has_room.eq(~requests_coded | ((room >= self._burst_beats) & ~claimed)),
            request.payload.eq(burst.payload),
            request.valid.eq(burst.valid & has_room & ~self.stop),
            burst.ready.eq((request.ready & has_room) | self.stop),
        ]
        with m.If(accepted):
            m.d.sync += requests_coded.eq(is_coded)
        # A grant comes late in its cycle and is counted in the next.
        m.d.sync += [
            claimed.eq(request.valid & request.ready & requests_coded),
            length.eq(burst.payload.length),
        ]
        with m.If(claimed):
            freed = room - length if self._freed_beats == 1 else room - length + (self._freed_beats - 1)
            m.d.sync += room.eq(Mux(self.decoder.freed, freed, room - length - 1))
        with m.Elif(self.decoder.freed):
            m.d.sync += room.eq(room + self._freed_beats)

    def _elaborate_beats(self, m: Module, coming: stream.Interface) -> Signal:
        """Count every command's beats to where they go; the result: the last beat of one that is not coded."""
        beats = self.read.beats
        command = Signal(self._coming_layout, reset_less=True)
        expects = Signal()  # beats of `command`
        place, last_place = Signal(16), Signal(16)
        left = Signal.like(command.beats)
        is_final = Signal()
        arrived = Signal()
        m.d.comb += [
            self.write.valid.eq(beats.valid & ~command.is_coded),
            self.write.payload.destination.eq(command.destination),
            self.write.payload.address.eq(place),
            self.write.payload.data.eq(beats.payload.data),
            self.decoder.beats.valid.eq(beats.valid & command.is_coded),
            self.decoder.beats.payload.eq(beats.payload.data),
            arrived.eq(beats.valid & is_final & ~command.is_coded),
            coming.ready.eq(~expects | (beats.valid & is_final)),
        ]
        with m.If(beats.valid):
            m.d.sync += [
                place.eq(Mux(place == last_place, 0, place + 1)),
                left.eq(left - 1),
                is_final.eq(left == 2),
            ]
        with m.If(coming.ready):
            following = coming.payload
            m.d.sync += [
                expects.eq(coming.valid),
                command.eq(following),
                place.eq(following.place),
                last_place.eq(Array(depth - 1 for depth in self._depths)[following.destination]),
                left.eq(following.beats),
                is_final.eq(following.beats == 1),
            ]
        with m.If(beats.valid & is_error(beats.payload.response)):
            report_response(
                m,
                self.error,
                response=beats.payload.response,
                index=command.index,
                address=command.bus_address,
            )
        return arrived

    def _elaborate_completion(
        self, m: Module, waiting: stream.Interface, arrived: Signal, decoded: Signal
    ) -> None:
        """Complete the oldest command once all of it is in its destination."""
        oldest = Signal(self._open_layout, reset_less=True)
        valid, started, failed = Signal(), Signal(), Signal()
        arrivals = Signal(
            range(ACCEPTED_COMMANDS + 2)
        )  # commands whose last beat came, and that are not complete
        completes = Signal()
        m.d.comb += [
            completes.eq(valid & Mux(oldest.is_coded, decoded, ~oldest.has_beats | (arrivals != 0))),
            self.given.eq(Mux(completes, oldest.command.signal, 0)),
            waiting.ready.eq(~valid | completes),
            self.decoder.command.eq(oldest.command),
            self.decoder.start.eq(valid & oldest.is_coded & ~started),
            self.oldest.valid.eq(valid),
            self.oldest.index.eq(oldest.command.index),
            self.busy.eq(valid | waiting.valid),
        ]
        m.d.sync += [
            started.eq(valid),
            arrivals.eq(arrivals + arrived - (completes & ~oldest.is_coded & oldest.has_beats)),
        ]
        with m.If(waiting.ready):
            m.d.sync += [valid.eq(waiting.valid), oldest.eq(waiting.payload), started.eq(0)]
        with m.If(valid & self.decoder.malformed & ~failed):
            m.d.sync += failed.eq(1)
            code = ErrorCode.MALFORMED_WEIGHTS
            report(m, self.error, code=code, index=oldest.command.index, address=oldest.bus_address)
