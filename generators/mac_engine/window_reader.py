"""Reads windows of bricks out of the unified buffer and puts padding where they leave the ifm."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.brick_buffer import BLANK_LATENCY, GATHER_LATENCY, Gather, GatherPort
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.padding import PADDING_LATENCY, PaddingMask
from ..chassis.tiles.pixel_walk import WINDOW_READ
from ..chassis.tiles.window_slot import WINDOW, window_slot_layout
from .config import MacEngineConfig
from .isa import COMPUTE

WINDOW_LATENCY = 1 + GATHER_LATENCY + 1
"""Cycles from a read to its window: address, buffer, padding."""


class WindowReader(wiring.Component):
    """A window a cycle, `WINDOW_LATENCY` cycles after it was asked for, together with its slot.

    Members:
        command: held while windows are read.
        reading, read, slot: see `PixelWalk`.
        gather: reads of the unified buffer.
        window: eight bricks; those outside of the ifm are `pad_value` throughout.
        window_slot: what they are for.
    """

    command: data.View
    reading: Signal
    read: data.View
    slot: data.View
    gather: Gather
    window: data.View
    window_slot: data.View

    def __init__(self, config: MacEngineConfig) -> None:
        super().__init__(
            {
                "command": In(COMPUTE.struct()),
                "reading": In(1),
                "read": In(WINDOW_READ),
                "slot": In(window_slot_layout(config)),
                "gather": Out(GatherPort()),
                "window": Out(WINDOW),
                "window_slot": Out(window_slot_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Padding is found out while the buffer is read."""
        m = Module()
        m.submodules.padding = padding = PaddingMask()
        m.d.comb += [
            padding.x.eq(self.read.x),
            padding.y.eq(self.read.y),
            padding.width.eq(self.command.ifm_width),
            padding.height.eq(self.command.ifm_height),
            padding.enable.eq(~self.slot.second_operand),
            self.gather.count.eq(self.command.window),
            self.window_slot.eq(delayed(m, self.slot, WINDOW_LATENCY, "slot")),
        ]
        m.d.sync += [
            self.gather.enable.eq(self.reading),
            self.gather.address.eq(self.read.row + self.read.column),
        ]
        # The request goes out in the cycle after the read.
        m.d.comb += [
            self.gather.blank.eq(delayed(m, padding.padding, 1 + BLANK_LATENCY - PADDING_LATENCY, "mask")),
            self.gather.fill.eq(self.command.pad_value),
        ]
        window = Signal(WINDOW, reset_less=True)
        m.d.sync += window.eq(self.gather.bricks)
        m.d.comb += self.window.eq(window)
        return m
