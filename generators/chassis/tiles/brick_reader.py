"""Reads bricks out of a unified buffer of wide ones and puts padding where they leave the ifm."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ....hdl.wide_brick_buffer import BRICK_READ_LATENCY
from .command_fields import PAD_BITS
from .delay_line import delayed
from .padding import PADDING_LATENCY, PaddingMask
from .pixel_walk import WINDOW_READ
from .tile_config import TileConfig
from .window_slot import window_slot_layout

BRICK_LATENCY = 1 + BRICK_READ_LATENCY + 1
"""Cycles from a read to its brick in front of the core: address, buffer, padding."""


class BrickReader(wiring.Component):
    """A brick a cycle, `BRICK_LATENCY` cycles after it was asked for, together with its slot.

    Members:
        command: held while bricks are read.
        reading, read, slot: see `PixelWalk`.
        enable, address, stored: read of the unified buffer.
        brick: all its channels; `pad_value` throughout if it lies outside of the ifm.
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

    def __init__(self, config: TileConfig) -> None:
        self._bits, self._element_bits = 8 * config.brick_bytes, 8 * config.element_bytes
        self._pad_shift = config.element_bits - PAD_BITS
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "reading": In(1),
                "read": In(WINDOW_READ),
                "slot": In(window_slot_layout(config)),
                "enable": Out(1),
                "address": Out(16),
                "stored": In(self._bits),
                "brick": Out(self._bits),
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
        brick, pad = Signal(self._bits, reset_less=True), Signal(signed(self._element_bits))
        m.d.comb += pad.eq(self.command.pad_value << self._pad_shift)
        m.d.sync += brick.eq(Mux(mask, pad.replicate(self._bits // self._element_bits), self.stored))
        m.d.comb += self.brick.eq(brick)
        return m
