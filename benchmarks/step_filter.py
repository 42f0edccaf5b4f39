"""Gateware of a study (see `zero_skipping`): drops the reduction steps whose weights are all zero."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from celosia.generators.chassis.tiles.step_walk import step_layout
from celosia.generators.mac_engine.config import PRESETS

STEPS = 512
"""Steps whose flags are kept: those of the weight store's blocks, and some more."""

_BEAT_STEPS = 32
_FLAGS = data.StructLayout({"works": unsigned(1), "ends_tile": unsigned(1)})
"""works: the step has a weight other than zero. ends_tile: it is the last such step of its tile."""


class StepFilter(wiring.Component):
    """Passes on the steps of a tile that do something; a tile keeps at least one.

    It stands between the step walk and the pixel walk. A step that is dropped costs the step walk's two cycles, which
    hide behind the step that runs. The weights of dropped steps are not stored, so that the weight loader stays as it
    is. Flags come by WEIGHTS, 32 steps a beat, in the order of the steps of a COMPUTE; the tiles of a block group share
    them.

    Members:
        start: a COMPUTE starts.
        write: a beat of flags and its place.
        tile_is_last_of_blocks, tile_is_last: about the tile of the step on offer.
        i, o: steps.
    """

    start: Signal
    write: stream.Interface
    tile_is_last_of_blocks: Signal
    tile_is_last: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self) -> None:
        beat = data.StructLayout(
            {"address": range(STEPS // _BEAT_STEPS), "flags": data.ArrayLayout(_FLAGS, _BEAT_STEPS)}
        )
        super().__init__(
            {
                "start": In(1),
                "write": In(stream.Signature(beat, always_ready=True)),
                "tile_is_last_of_blocks": In(1),
                "tile_is_last": In(1),
                "i": In(stream.Signature(step_layout(PRESETS["u55-128"]))),
                "o": Out(stream.Signature(step_layout(PRESETS["u55-128"]))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The flags of the step on offer are read in the cycle after the step before it was taken."""
        m = Module()
        flags = data.ArrayLayout(_FLAGS, _BEAT_STEPS)
        m.submodules.memory = memory = Memory(shape=flags, depth=STEPS // _BEAT_STEPS, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.en.eq(self.write.valid),
            write.addr.eq(self.write.payload.address),
            write.data.eq(self.write.payload.flags),
        ]
        number, following, group = Signal(range(STEPS)), Signal(range(STEPS)), Signal(range(STEPS))
        is_first = Signal(init=1)
        own = Signal(_FLAGS)
        taken = Signal()
        step = self.i.payload
        m.d.comb += [
            taken.eq(self.i.valid & self.i.ready),
            following.eq(number),
            read.addr.eq(following // _BEAT_STEPS),
            own.eq(read.data[number % _BEAT_STEPS]),
            self.i.ready.eq(self.o.ready | ~own.works),
            self.o.valid.eq(self.i.valid & own.works),
            self.o.payload.eq(step),
            self.o.payload.first_of_tile.eq(is_first),
            self.o.payload.last_of_tile.eq(own.ends_tile),
            self.o.payload.last_of_blocks.eq(own.ends_tile & self.tile_is_last_of_blocks),
            self.o.payload.last.eq(own.ends_tile & self.tile_is_last),
        ]
        with m.If(taken):
            m.d.comb += following.eq(number + 1)
            m.d.sync += is_first.eq((is_first & ~own.works) | step.last_of_tile)
            with m.If(step.last_of_blocks):
                m.d.sync += group.eq(number + 1)
            with m.Elif(step.last_of_tile):
                m.d.comb += following.eq(group)
        with m.If(self.start):
            m.d.comb += following.eq(0)
            m.d.sync += group.eq(0)
        m.d.sync += number.eq(following)
        return m
