"""Everything of COMPUTE that decides: which window is read in which cycle, and which weights are loaded."""

from typing import cast

from amaranth.hdl import Cat, Module, Mux, Shape, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..counters import Cause
from .compute_constants import CONSTANTS_LATENCY, ComputeConstants, constants_layout
from .pixel_walk import WINDOW_READ, PixelWalk
from .step_walk import STEP_WALK_CYCLES, StepWalk
from .tile_config import TileConfig
from .tile_walk import TILE_WALK_CYCLES, TileWalk
from .weight_loading import PausingWeightLoading, WeightLoading
from .window_slot import window_slot_layout

_WALK_DELAY = CONSTANTS_LATENCY - 1

_HAND_OVER_CYCLES = 1  # of a step to the pixel walk

SETUP_CYCLES = _WALK_DELAY + TILE_WALK_CYCLES + STEP_WALK_CYCLES + _HAND_OVER_CYCLES
"""From `start` to the earliest start of the first step, whose first window is read one cycle later."""


class LoopSequencer(wiring.Component):
    """The loop nest, as four walkers behind each other that run ahead as far as they may.

    `loader` becomes part of it.

    Members:
        command: held from `start` until the command is complete.
        start: begin.
        half_free: there is an accumulator half for the next tile.
        half_freeing: there will be one in the next cycle.
        half: see `PixelWalk`.
        tile_starts: in this cycle, and needs a half.
        tile_ends: its last step starts in this cycle, and it will be handed over.
        reading, read, slot: the window of this cycle, if any; see `PixelWalk`.
        weight_read: the word of weights of this cycle, if any.
        constants: of the command.
        cause: `Cause` of this cycle while a command runs: ACTIVE for a read; IFM never.
    """

    command: data.View
    start: Signal
    half_free: Signal
    half_freeing: Signal
    half: Signal
    tile_starts: Signal
    tile_ends: Signal
    reading: Signal
    read: data.View
    slot: data.View
    weight_read: data.View
    constants: data.View
    cause: Signal

    def __init__(self, config: TileConfig, loader: WeightLoading) -> None:
        self._config = config
        self._loader = loader
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "start": In(1),
                "half_free": In(1),
                "half_freeing": In(1),
                "half": In(1),
                "tile_starts": Out(1),
                "tile_ends": Out(1),
                "reading": Out(1),
                "read": Out(WINDOW_READ),
                "slot": Out(window_slot_layout(config)),
                "weight_read": Out(loader.read.shape()),
                "constants": Out(constants_layout(config)),
                "cause": Out(Shape.cast(Cause)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Constants, tiles, steps, pixels, and the weights beside them."""
        m = Module()
        m.submodules.constants = constants = ComputeConstants(self._config)
        m.submodules.tile_walk = tile_walk = TileWalk(self._config)
        m.submodules.step_walk = step_walk = StepWalk(self._config)
        m.submodules.pixel_walk = pixel_walk = PixelWalk(self._config)
        m.submodules.weight_loader = loader = self._loader
        m.d.comb += [constants.command.eq(self.command), self.constants.eq(constants.constants)]
        for part in (tile_walk, step_walk, pixel_walk, loader):
            m.d.comb += [part.command.eq(self.command), part.constants.eq(constants.constants)]
        wiring.connect(m, tile_walk.o, step_walk.i)
        wiring.connect(m, step_walk.o, pixel_walk.i)

        starts = Signal(_WALK_DELAY)
        m.d.sync += starts.eq(Cat(self.start, starts))
        step, step_starts = pixel_walk.step, pixel_walk.starts
        m.d.comb += [
            tile_walk.start.eq(starts[-1]),
            loader.start.eq(self.start),
            loader.step_taken.eq(step_starts),
            loader.step_ends_tile.eq(step.last_of_tile),
            loader.step_ends_blocks.eq(step.last_of_blocks),
            loader.step_is_last.eq(step.last),
            loader.step_ends.eq(pixel_walk.step_ends),
            pixel_walk.weights_coming.eq(loader.coming),
            *(
                [pixel_walk.pausing.eq(cast("PausingWeightLoading", loader).pausing)]
                if self._config.can_pause
                else []
            ),
            pixel_walk.half_coming.eq(self.half_free | self.half_freeing),
            pixel_walk.half.eq(self.half),
            self.tile_starts.eq(step_starts & step.first_of_tile & ~self.command.accumulate),
            self.tile_ends.eq(step_starts & step.last_of_tile & ~self.command.partial),
            self.reading.eq(pixel_walk.reading),
            self.read.eq(pixel_walk.read),
            self.slot.eq(pixel_walk.slot),
            self.weight_read.eq(loader.read),
        ]

        # Why there is no read in a cycle is decided in the one before, when none started.
        reason = Signal(Shape.cast(Cause), init=Cause.DMA)
        m.d.sync += reason.eq(Cause.DMA)
        with m.If((step_walk.busy | pixel_walk.held) & ~loader.ready):
            m.d.sync += reason.eq(Cause.WEIGHTS)
        with m.Elif(pixel_walk.held & step.first_of_tile & ~self.half_free):
            m.d.sync += reason.eq(Cause.OFM)
        m.d.comb += self.cause.eq(Mux(self.reading, Cause.ACTIVE, reason))
        return m
