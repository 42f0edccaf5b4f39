"""Reads bricks out of the unified buffer, and makes one of several that have few channels."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.wide_brick_buffer import BRICK_READ_LATENCY
from ..chassis.tiles.brick_reader import BRICK_LATENCY
from ..chassis.tiles.command_fields import PAD_BITS
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.padding import PADDING_LATENCY, PaddingMask
from ..chassis.tiles.pixel_walk import WINDOW_READ
from ..chassis.tiles.window_slot import window_slot_layout
from .config import CnnArrayConfig

PACKED_STEP = 4
"""Channels of an image whose pixels share a brick are a multiple of this."""


def _stored_bits(config: CnnArrayConfig) -> int:
    return 8 * config.element_bytes


def neighbour_members(config: CnnArrayConfig) -> dict[str, Any]:
    """How several bricks are read at once, seen from who reads."""
    bits = _stored_bits(config) * config.neighbour_channels
    return {"brick_count": Out(range(config.taps)), "neighbours": In(bits * (config.taps - 1))}


class TapReader(wiring.Component):
    """As `BrickReader`; in PACKED, lane `tap * packed_channels + channel` takes that channel of the brick `tap` pixels
    on.

    Members:
        command: held while bricks are read.
        reading, read, slot: see `PixelWalk`.
        enable, address, count, stored, neighbours: read of the unified buffer.
        brick: all its channels; `pad_value` throughout if it lies outside of the ifm.
        brick_slot: what it is for.
    """

    command: data.View
    reading: Signal
    read: data.View
    slot: data.View
    enable: Signal
    address: Signal
    count: Signal
    stored: Signal
    neighbours: Signal
    brick: Signal
    brick_slot: data.View

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        bits = 8 * config.brick_bytes
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "reading": In(1),
                "read": In(WINDOW_READ),
                "slot": In(window_slot_layout(config)),
                "enable": Out(1),
                "address": Out(16),
                "count": Out(range(config.taps)),
                "stored": In(bits),
                "neighbours": In(_stored_bits(config) * config.neighbour_channels * (config.taps - 1)),
                "brick": Out(bits),
                "brick_slot": Out(window_slot_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Padding is found out while the buffer is read."""
        m = Module()
        config = self._config
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
            self.count.eq(self.command.window - 1),
        ]
        mask = delayed(m, padding.padding[: config.taps], 1 + BRICK_READ_LATENCY - PADDING_LATENCY, "mask")
        bits = _stored_bits(config)
        pad, brick = Signal(signed(bits)), Signal(8 * config.brick_bytes, reset_less=True)
        m.d.comb += pad.eq(self.command.pad_value << config.element_bits - PAD_BITS)
        own = Signal(8 * config.brick_bytes)
        m.d.comb += own.eq(Mux(mask[0], pad.replicate(config.brick_channels), self.stored))
        with m.If(self.command.mode == Mode.PACKED):
            m.d.sync += brick.eq(self._packed(m, own, mask, pad))
        with m.Else():
            m.d.sync += brick.eq(own)
        m.d.comb += self.brick.eq(brick)
        return m

    def _packed(self, m: Module, own: Signal, mask: Value, pad: Signal) -> Value:
        """The bricks' channels behind each other; which lanes are whose depends on how many channels there are."""
        config = self._config
        channels, bits = config.neighbour_channels, _stored_bits(config)
        taps = [own[: bits * channels]]
        for tap in range(1, config.taps):
            neighbour = Signal(bits * channels, name=f"neighbour_{tap}")
            stored = self.neighbours.word_select(tap - 1, bits * channels)
            m.d.comb += neighbour.eq(Mux(mask[tap], pad.replicate(channels), stored))
            taps.append(neighbour)
        arrangements = []
        for count in range(PACKED_STEP, channels + 1, PACKED_STEP):
            packed = Cat(tap[: bits * count] for tap in taps)[: 8 * config.brick_bytes]
            arrangement = Signal(8 * config.brick_bytes, name=f"packed_{count}")
            m.d.comb += arrangement.eq(packed)
            arrangements.append(arrangement)
        if len(arrangements) == 1:
            return arrangements[0]
        return Array(arrangements)[(self.command.packed_channels >> 2) - 1]
