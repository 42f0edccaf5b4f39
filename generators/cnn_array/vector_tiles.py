"""MAXIMUM, ADD and MULTIPLY: eight channels of a brick a cycle past the array, into tiles of their own."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.destination_port import destination_write_signature
from ..chassis.tiles.commands import BRICK_CHANNELS, Mode
from ..chassis.tiles.compute_constants import constants_layout
from ..chassis.tiles.delay_line import delayed
from ..chassis.tiles.tile_memory import TOTALS_DELAY, TileMemory
from ..chassis.tiles.vector_path import VectorPath
from ..chassis.tiles.vector_unit import VECTOR_LATENCY
from ..chassis.tiles.window_slot import window_slot_layout
from .config import CnnArrayConfig
from .timing_constants import VECTOR_VISIT

VECTOR_CYCLES = VECTOR_VISIT + 2
"""Cycles from a brick until its tile may be asked for in the next one."""


class VectorTiles(wiring.Component):
    """The vector unit and the memory of its results.

    Members:
        command, constants: held from the first brick to the last one's result.
        brick, slot: all channels of a pixel and what they are for.
        enable: low if `slot` is not for the vector unit.
        table_writes: WEIGHTS' port, for the operand tables.
        drain_half, drain_pixel: read by ACTIVATE.
        values: eight channels, two cycles later.
    """

    command: data.View
    constants: data.View
    brick: Signal
    slot: data.View
    enable: Signal
    table_writes: stream.Interface
    drain_half: Signal
    drain_pixel: Signal
    values: data.View

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "constants": In(constants_layout(config)),
                "brick": In(config.element_bits * config.brick_channels),
                "slot": In(window_slot_layout(config)),
                "enable": In(1),
                "table_writes": In(destination_write_signature()),
                "drain_half": In(1),
                "drain_pixel": In(range(config.tile_pixels)),
                "values": Out(data.ArrayLayout(signed(config.sum_bits), BRICK_CHANNELS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The slot becomes a visit."""
        m = Module()
        m.submodules.path = path = VectorPath(self._config)
        m.submodules.memory = memory = TileMemory(self._config)
        wiring.connect(m, wiring.flipped(self.table_writes), path.writes)
        place = Cat(self.slot.accumulate & self.enable, self.slot.first, self.slot.half, self.slot.address)
        visit = delayed(m, place, VECTOR_VISIT, "visit")
        totals = delayed(m, path.result, VECTOR_VISIT + TOTALS_DELAY - VECTOR_LATENCY, "totals")
        m.d.comb += [
            path.command.eq(self.command),
            path.constants.eq(self.constants),
            path.brick.eq(self.brick),
            path.slot.eq(self.slot),
            Cat(memory.visit.valid, memory.visit.first, memory.visit.half, memory.visit.address).eq(visit),
            memory.totals.eq(totals),
            memory.maximum.eq(self.command.mode == Mode.MAXIMUM),
            memory.drain_half.eq(self.drain_half),
            memory.drain_address.eq(self.drain_pixel),
            self.values.eq(memory.values),
        ]
        return m
