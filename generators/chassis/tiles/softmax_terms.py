"""The channels of SOFTMAX's pixel, their maximum, and what each of them weighs."""

from typing import Any

from amaranth.hdl import Array, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..destination_port import destination_write_signature
from .activation_table import lanes_layout
from .commands import SOFTMAX_CHANNELS, Destination
from .drain_sequencer import element_layout
from .tile_config import TileConfig

TERM_LATENCY = 7
"""Cycles from a channel's read to its exponential."""

STEP = data.StructLayout(
    dict.fromkeys(("compare", "add", "sum_end", "scale", "brick_end", "end"), unsigned(1))
)
"""What becomes of the channel that is read: it is compared, added or scaled; and what it is the last of."""

_TABLE_BEATS = 128
_BLOCK_RAM: dict[str, Any] = {"ram_style": "block", "no_rw_check": 1}


class SoftmaxTerms(wiring.Component):
    """Keeps a pixel's values and gives one channel's exponential a cycle, `TERM_LATENCY` cycles after its read.

    With `step.compare` the channel takes part in the maximum; exponentials are those of the channels that are read
    after the last one of these, in the very next cycle or later.

    Cost: block RAM for the channels (2 KiB) and for the table (1 KiB).

    Members:
        writes: WEIGHTS' port; beats for `Destination.EXPONENTIAL_TABLE` are taken.
        values: the pixel's channels, `lanes` at once, in order; the element's `last` ends them.
        clear: forget the maximum.
        position, step: channel to read, and what becomes of it.
        exponential: of the channel, in Q0.31.
        arrived: its `step`.
    """

    writes: stream.Interface
    values: stream.Interface
    clear: Signal
    position: Signal
    step: data.View
    exponential: Signal
    arrived: data.View

    def __init__(self, config: TileConfig) -> None:
        self._lanes = config.lanes
        values = lanes_layout(config.lanes, element_layout(config))
        super().__init__(
            {
                "writes": In(destination_write_signature()),
                "values": In(stream.Signature(values, always_ready=True)),
                "clear": In(1),
                "position": In(range(SOFTMAX_CHANNELS)),
                "step": In(STEP),
                "exponential": Out(31),
                "arrived": Out(STEP),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A straight pipeline; the number in a signal's name is the stage that registers it."""
        m = Module()
        rows = SOFTMAX_CHANNELS // self._lanes
        m.submodules.channels = channels = Memory(
            shape=8 * self._lanes, depth=rows, init=[], attrs=_BLOCK_RAM
        )
        m.submodules.table = table = Memory(shape=64, depth=_TABLE_BEATS, init=[], attrs=_BLOCK_RAM)
        lane_bits = (self._lanes - 1).bit_length()

        row = Signal(range(rows))
        keep, channel_read = channels.write_port(), channels.read_port()
        with m.If(self.values.valid):
            m.d.sync += row.eq(Mux(self.values.payload.metadata.last, 0, row + 1))
        m.d.comb += [
            keep.en.eq(self.values.valid),
            keep.addr.eq(row),
            keep.data.eq(self.values.payload["values"]),
            channel_read.en.eq(1),
            channel_read.addr.eq(self.position[lane_bits:]),
        ]
        beat = self.writes.payload
        fill, term_read = table.write_port(), table.read_port()
        below_4 = Signal(8)
        m.d.comb += [
            fill.en.eq(self.writes.valid & (beat.destination == Destination.EXPONENTIAL_TABLE)),
            fill.addr.eq(beat.address),
            fill.data.eq(beat.data),
            term_read.en.eq(1),
            term_read.addr.eq(below_4[1:]),
        ]

        # A block RAM of ECP5 takes 5.6 ns to deliver: nothing but a register fits behind it.
        lane_1, lane_2 = (Signal(lane_bits, name=f"lane_{stage}") for stage in (1, 2))
        row_2 = Signal(8 * self._lanes)
        value_3 = Signal(signed(8))
        odd_5, odd_6 = (Signal(name=f"odd_{stage}") for stage in (5, 6))
        entries_6 = Signal(64)
        maximum = Signal(signed(8), init=-128)
        m.d.sync += [
            lane_1.eq(self.position[:lane_bits]),
            lane_2.eq(lane_1),
            row_2.eq(channel_read.data),
            value_3.eq(Array(row_2[8 * lane : 8 * (lane + 1)] for lane in range(self._lanes))[lane_2]),
            below_4.eq(maximum - value_3),
            odd_5.eq(below_4[0]),
            odd_6.eq(odd_5),
            entries_6.eq(term_read.data),
            self.exponential.eq(Mux(odd_6, entries_6[32:], entries_6[:32])),
        ]

        steps = [self.step]
        for stage in range(1, TERM_LATENCY + 1):
            delayed = Signal(STEP, name=f"step_{stage}")
            m.d.sync += delayed.eq(steps[-1])
            steps.append(delayed)
        m.d.comb += self.arrived.eq(steps[-1])
        with m.If(self.clear):
            m.d.sync += maximum.eq(-128)
        with m.Elif(steps[3].compare & (value_3 > maximum)):
            m.d.sync += maximum.eq(value_3)
        return m
