"""SOFTMAX over the channels of one pixel, by TensorFlow Lite's integer algorithm."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ....hdl.brick_buffer import HalfBrickWritePort
from ....hdl.requantize import SCALED_LATENCY
from ..destination_port import destination_write_signature
from .activation_table import lanes_layout
from .commands import BRICK_CHANNELS, SOFTMAX_CHANNELS
from .drain_sequencer import element_layout
from .softmax_reciprocal import RECIPROCAL_CYCLES, SoftmaxReciprocal, product_layout
from .softmax_terms import TERM_LATENCY, SoftmaxTerms
from .tile_config import TileConfig

_SCALE_LATENCY = 1 + SCALED_LATENCY
"""Cycles from an exponential to its product."""
_WRITE_LATENCY = TERM_LATENCY + _SCALE_LATENCY + 1
"""Cycles from the read of a brick's last channel to the brick's write."""

_RESULT = data.StructLayout({"valid": 1, "brick_end": 1, "end": 1})


def write_cycles(bricks: int) -> range:
    """Cycles of the writes of a pixel of `bricks` channel bricks, counted from the cycle of its last `values`."""
    channels = bricks * BRICK_CHANNELS
    scale = 1 + 2 * channels + TERM_LATENCY + RECIPROCAL_CYCLES
    first = scale + BRICK_CHANNELS - 1 + _WRITE_LATENCY
    return range(first, first + channels, BRICK_CHANNELS)


class SoftmaxUnit(wiring.Component):
    """Keeps the values of a pixel and writes their SOFTMAX; the same cycles whatever the values.

    Three walks over the channels, one a cycle: for the maximum, for the sum of the exponentials, and, with the
    reciprocal of the sum, for the results. Every product is made by a requantizer, which has nothing else to do
    meanwhile::

        values -> channels -> maximum - value -> table -> sum -> reciprocal (7 products)
                                                   |                  |
                                                   +----> product <---+ -> 8 bytes -> brick

    `write_cycles` tells when the bricks are written: 3 cycles a channel and about 113. Source: TensorFlow Lite
    ``reference/softmax.h``; `softmax_model.softmax` is the same in NumPy.

    Cost: block RAM for the channels (2 KiB) and for the table (1 KiB); no multipliers.

    Members:
        writes: WEIGHTS' port; beats for `Destination.EXPONENTIAL_TABLE` are taken.
        values: the pixel's channels, `lanes` at once, in order; the element's `last` ends them. Lanes beyond the
            channels hold anything.
        bricks_last: channel bricks of the pixel less one. lanes: channels of the last one, 1..8.
        channel_pitch: bricks from a brick of the ofm to the next. Hold all three from the first value to `done`.
        busy: from the last value to `done`: the requantizer belongs to this unit.
        product: for the requantizer, with a bias and a zero point of 0.
        scaled: the requantizer's, `SCALED_LATENCY` cycles after `product`.
        results: writes of whole bricks; lanes beyond the channels hold anything.
        done: with the last write.
    """

    writes: stream.Interface
    values: stream.Interface
    bricks_last: Signal
    lanes: Signal
    channel_pitch: Signal
    busy: Signal
    product: data.View
    scaled: Signal
    results: Any
    done: Signal

    def __init__(self, config: TileConfig) -> None:
        self._config = config
        values = lanes_layout(config.lanes, element_layout(config))
        super().__init__(
            {
                "writes": In(destination_write_signature()),
                "values": In(stream.Signature(values, always_ready=True)),
                "bricks_last": In(range(SOFTMAX_CHANNELS // BRICK_CHANNELS)),
                "lanes": In(range(BRICK_CHANNELS + 1)),
                "channel_pitch": In(16),
                "busy": Out(1),
                "product": Out(product_layout()),
                "scaled": In(signed(32)),
                "results": Out(HalfBrickWritePort()),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Three walks through `SoftmaxTerms`, `SoftmaxReciprocal` before the third."""
        m = Module()
        m.submodules.terms = terms = SoftmaxTerms(self._config)
        m.submodules.reciprocal = reciprocal = SoftmaxReciprocal()
        connect(m, flipped(self.writes), terms.writes)
        connect(m, flipped(self.values), terms.values)
        scaling = Signal()
        self._walks(m, terms, reciprocal, scaling)
        m.d.comb += [
            terms.clear.eq(~self.busy),
            reciprocal.clear.eq(~self.busy),
            reciprocal.exponential.eq(terms.exponential),
            reciprocal.add.eq(terms.arrived.add),
            reciprocal.start.eq(terms.arrived.sum_end),
            reciprocal.scaled.eq(self.scaled),
        ]
        m.d.sync += self.product.eq(reciprocal.product)
        with m.If(scaling):
            m.d.sync += [
                self.product.factor.eq(terms.exponential),
                self.product.multiplier.eq(reciprocal.multiplier),
                self.product.shift.eq(reciprocal.shift),
            ]
        self._results(m, terms.arrived)
        return m

    def _walks(self, m: Module, terms: SoftmaxTerms, reciprocal: SoftmaxReciprocal, scaling: Signal) -> None:
        position = terms.position
        step = terms.step
        in_last_brick = position[3:] == self.bricks_last
        is_channel = Signal()
        walk_end = Signal()
        counter = Signal.like(position)
        m.d.comb += [
            position.eq(counter),
            is_channel.eq(~in_last_brick | (position[:3] < self.lanes)),
            step.brick_end.eq(position[:3] == BRICK_CHANNELS - 1),
            walk_end.eq(in_last_brick & step.brick_end),
            step.end.eq(walk_end),
            self.busy.eq(1),
        ]

        def walk(following: str) -> None:
            m.d.sync += counter.eq(Mux(walk_end, 0, counter + 1))
            with m.If(walk_end):
                m.next = following

        with m.FSM():
            with m.State("COLLECT"):
                m.d.comb += self.busy.eq(0)
                with m.If(self.values.valid & self.values.payload.metadata.last):
                    m.next = "COMPARE"
            with m.State("COMPARE"):
                m.d.comb += step.compare.eq(is_channel)
                walk("ADD")
            with m.State("ADD"):
                m.d.comb += [step.add.eq(is_channel), step.sum_end.eq(walk_end)]
                walk("RECIPROCAL")
            with m.State("RECIPROCAL"), m.If(reciprocal.done):
                m.next = "SCALE"
            with m.State("SCALE"):
                m.d.comb += [step.scale.eq(1), scaling.eq(1)]
                walk("WRITE")
            with m.State("WRITE"):
                m.d.comb += scaling.eq(1)
                with m.If(self.done):
                    m.next = "COLLECT"

    def _results(self, m: Module, step: data.View) -> None:
        """Bytes from the products, eight of them a brick."""
        arrived = Signal(_RESULT)
        m.d.comb += [
            arrived.valid.eq(step.scale),
            arrived.brick_end.eq(step.scale & step.brick_end),
            arrived.end.eq(step.scale & step.end),
        ]
        for _ in range(_SCALE_LATENCY):
            arrived, before = Signal(_RESULT, name="arrived_delayed"), arrived
            m.d.sync += arrived.eq(before)
        # 0..256, of which 128 is taken; 256 saturates.
        byte = Mux(self.scaled[8], 0x7F, self.scaled[:8] ^ 0x80)
        with m.If(arrived.valid):
            m.d.sync += self.results.data.eq(Cat(self.results.data[8:], byte))
        m.d.comb += self.results.halves.eq(0b11)
        m.d.sync += [self.results.enable.eq(arrived.brick_end), self.done.eq(arrived.end)]

        element = self.values.payload.metadata
        is_first = Signal(init=1)
        with m.If(self.values.valid):
            m.d.sync += is_first.eq(element.last)
        with m.If(self.values.valid & is_first):
            m.d.sync += self.results.address.eq(element.address)
        with m.Elif(self.results.enable):
            m.d.sync += self.results.address.eq(self.results.address + self.channel_pitch)
