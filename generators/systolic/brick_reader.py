"""Reads bricks out of the unified buffer and puts padding where they leave the ifm."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.wide_brick_buffer import BRICK_READ_LATENCY
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.padding import PADDING_LATENCY, PaddingMask
from ..chassis.tiles.pixel_walk import WINDOW_READ
from ..chassis.tiles.window_slot import window_slot_layout
from .config import SystolicConfig
from .timing_constants import BRICK_LATENCY


class BrickReader(wiring.Component):
    """A brick a cycle, `BRICK_LATENCY` cycles after it was asked for, together with its slot.

    Members:
        command: held while bricks are read.
        reading, read, slot: see `PixelWalk`.
        enable, address, stored: read of the unified buffer.
        brick: R channels; `pad_value` throughout if it lies outside of the ifm.
        brick_slot: what it is for.
    """

    command: data.View
    reading: Signal
    read: data.View
    slot: data.View
    enable: Signal
    address: Signal
    stored: Signal
    brick: Signal
    brick_slot: data.View

    def __init__(self, config: SystolicConfig) -> None:
        self._rows = config.rows
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "reading": In(1),
                "read": In(WINDOW_READ),
                "slot": In(window_slot_layout(config)),
                "enable": Out(1),
                "address": Out(16),
                "stored": In(8 * config.rows),
                "brick": Out(8 * config.rows),
                "brick_slot": Out(window_slot_layout(config)),
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
            self.brick_slot.eq(delayed(m, self.slot, BRICK_LATENCY, "slot")),
        ]
        m.d.sync += [
            self.enable.eq(self.reading),
            self.address.eq(self.read.row + self.read.column),
        ]
        mask = delayed(m, padding.padding[0], 1 + BRICK_READ_LATENCY - PADDING_LATENCY, "mask")
        brick = Signal(8 * self._rows, reset_less=True)
        m.d.sync += brick.eq(Mux(mask, self.command.pad_value[:8].replicate(self._rows), self.stored))
        m.d.comb += self.brick.eq(brick)
        return m
