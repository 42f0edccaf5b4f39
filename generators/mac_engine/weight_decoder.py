"""Decodes the streams of `weight_code` at up to 16 weights a cycle."""

from amaranth.hdl import Array, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.stream_queue import StreamQueue
from ..chassis.decoder_port import DecoderPort, DecoderSignature
from .bit_window import BitWindow
from .config import MacEngineConfig
from .isa import WEIGHTS
from .lane_expander import LaneExpander
from .vector_decoder import (
    ESCAPE_WINDOW_BITS,
    RECORD_WINDOW_BITS,
    VECTOR_STEPS,
    VectorDecoder,
)
from .weight_code import ESCAPES, EXPANSION_CYCLES, LIVE_LANES, MAXIMUM_PLANES
from .weight_store import decoded_word_signature

_BEAT_BITS = 64
_SMALLEST_QUEUE = 64


def decoder_beats(config: MacEngineConfig) -> int:
    """Beats of the decoder's queue: all that may be in flight, so that a slow memory's latency is hidden."""
    wanted = max(config.burst_beats * max(2, config.outstanding_reads), _SMALLEST_QUEUE)
    return 1 << (wanted - 1).bit_length()


class WeightDecoder(wiring.Component):
    """From the beats of a coded WEIGHTS to words of the weight store.

        beats -> queue -> BitWindow -> VectorDecoder -> LaneExpander -> words

    Every cycle takes one record, or four of its further escapes, if all its bits are there and the expander is
    ready for another vector: up to 16 weights, and more where lanes are known to be zero.

    Timing: see `weight_decoder_timing`, which predicts every cycle.

    Members:
        port: from the WEIGHTS unit, the other side of `DecoderSignature`. After `malformed`, which is also raised for
            illegal fields, nothing happens until the next reset.
        words: to the weight store, in order.
    """

    port: DecoderPort
    words: stream.Interface

    def __init__(self, config: MacEngineConfig) -> None:
        self._config = config
        super().__init__(
            {"port": In(DecoderSignature(WEIGHTS)), "words": Out(decoded_word_signature(config))}
        )

    def elaborate(self, platform: object) -> Module:
        """Decides what is taken in a cycle."""
        m = Module()
        port, command = self.port, self.port.command
        m.submodules.queue = queue = StreamQueue(unsigned(_BEAT_BITS), decoder_beats(self._config))
        m.submodules.window = window = BitWindow(ESCAPE_WINDOW_BITS, RECORD_WINDOW_BITS)
        m.submodules.vectors = vectors = VectorDecoder()
        m.submodules.expander = expander = LaneExpander(len(command.words))
        wiring.connect(m, vectors.vectors, expander.vectors)

        steps_left = Signal(len(command.vectors) + 1)
        beats_left = Signal.like(command.beats)
        fetching = Signal()  # some of them are left; beats behind them stay in the queue
        pause = Signal(range(max(EXPANSION_CYCLES.values())))
        further = Signal.like(vectors.escapes)  # escapes of the vector that come after those of the next move
        in_escapes = Signal()
        # Registers of the decoder's state, because more than half of it hangs on the two kinds of steps.
        may_step, may_escape = Signal(), Signal()
        step, escape_step = vectors.step, vectors.escape_step
        further_bits = Signal.like(vectors.left_bits)  # of those of them that the move after that takes
        more = Signal()  # there are any
        escapes = Mux(more, further, Mux(in_escapes, vectors.escapes, vectors.next_escapes))
        m.d.comb += [
            queue.i.payload.eq(port.beats.payload),
            queue.i.valid.eq(port.beats.valid),
            self.words.valid.eq(expander.o.valid),
            self.words.payload.data.eq(expander.o.payload),
            window.beats.payload.eq(queue.o.payload),
            window.beats.valid.eq(queue.o.valid & fetching),
            queue.o.ready.eq(window.beats.ready & fetching),
            port.freed.eq(queue.o.valid & queue.o.ready),
            vectors.command.eq(command),
            vectors.start.eq(port.start),
            vectors.escape_window.eq(window.near),
            vectors.escape_rest.eq(window.near_rest),
            vectors.record_window.eq(window.far),
            vectors.record_rest.eq(window.far_rest),
            vectors.left.eq(escapes - ESCAPES),
            expander.start.eq(port.start),
            expander.words.eq(command.words),
            expander.live_lanes.eq(command.live_lanes),
            window.clear.eq(port.start),
            window.distance.eq(Mux(in_escapes, vectors.early_bits, vectors.next_early_bits)),
            window.first_length.eq(command.zero_vectors),
            window.next_length.eq(
                Mux(more, further_bits, Mux(in_escapes, vectors.bits, vectors.next_early_bits))
            ),
            window.next_length_rest.eq(Mux(more | in_escapes, 0, vectors.next_other_bits)),
            step.eq(window.enough & may_step),
            escape_step.eq(window.enough & may_escape),
            window.take.eq(window.enough & (may_step | may_escape)),
        ]
        next_in_escapes, pause_ends = Signal(), Signal()
        last_pause = Array(EXPANSION_CYCLES.get(lanes, 1) - 1 for lanes in range(16))[command.live_lanes]
        m.d.comb += [
            next_in_escapes.eq(Mux(window.take, more, in_escapes)),
            pause_ends.eq(Mux(step, last_pause == 0, pause <= 1)),
        ]
        m.d.sync += [
            beats_left.eq(beats_left - port.freed),
            in_escapes.eq(next_in_escapes),
            may_step.eq(0),
            may_escape.eq(0),
        ]
        with m.If(port.freed & (beats_left == 1)):
            m.d.sync += fetching.eq(0)
        with m.If(pause != 0):
            m.d.sync += pause.eq(pause - 1)
        with m.If(window.take):
            m.d.sync += [
                further.eq(vectors.left),
                further_bits.eq(vectors.left_bits),
                more.eq(escapes > ESCAPES),
            ]
        with m.If(step):
            m.d.sync += [steps_left.eq(steps_left - 1), pause.eq(last_pause)]
        address = self.words.payload.address
        with m.If(self.words.valid):
            m.d.sync += address.eq(Mux(address == self._config.weight_words - 1, 0, address + 1))
        with m.If(port.start):
            m.d.sync += [
                address.eq(command.address >> 1),
                steps_left.eq(command.vectors + VECTOR_STEPS),
                beats_left.eq(command.beats),
                fetching.eq(command.beats != 0),
                in_escapes.eq(0),
                more.eq(0),
                pause.eq(0),
            ]
        legal = Signal()
        legal_lanes = Array(lanes in LIVE_LANES for lanes in range(16))[command.live_lanes]
        planes = command.unary_planes + command.remainder_bits
        m.d.sync += legal.eq(  # the command is there before it starts
            legal_lanes & (command.unary_planes != 0) & (planes <= MAXIMUM_PLANES) & (command.vectors != 0)
        )

        with m.FSM():
            with m.State("IDLE"), m.If(port.start):
                m.d.sync += may_step.eq(1)
                m.next = "DECODE"
            with m.State("DECODE"):
                with m.If(~legal | (~window.enough & ~fetching)):
                    m.next = "MALFORMED"
                with m.Elif(step & (steps_left == 1)):
                    m.next = "DRAIN"
                with m.Else():
                    m.d.sync += [may_step.eq(~next_in_escapes & pause_ends), may_escape.eq(next_in_escapes)]
            with m.State("DRAIN"), m.If(~vectors.vectors.valid & ~expander.busy & ~expander.o.valid):
                with m.If(~fetching & (window.level < _BEAT_BITS) & (expander.left == 0)):
                    m.d.comb += port.finished.eq(1)
                    m.next = "IDLE"
                with m.Else():
                    m.next = "MALFORMED"
            with m.State("MALFORMED"):
                m.d.comb += port.malformed.eq(1)
        return m
