"""How ACTIVATE reads and writes a pixel whose sums have several accumulators, or whose results have several bytes."""

from collections.abc import Mapping

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .accumulator_port import FREEING_CYCLES
from .tile_config import TileConfig

MOST_TURNS = 6
"""Bytes of a scaled sum that is not clamped."""

ELEMENT_FIELDS = {"collects": unsigned(1), "first_place": unsigned(1), "last_place": unsigned(1)}
"""Of a read: it gives an accumulator of a sum, the first one, the last one."""


def turns_of(fields: Mapping[str, int]) -> int:
    """Reads of each pixel of a block: its accumulators, or its results' bytes if those are more."""
    places = fields.get("places", 0)
    return max(places, fields["ofm_bytes"]) if places else 1


class DrainTurns(wiring.Component):
    """The innermost of the loops of `DrainSequencer`: the reads of one pixel, all of the same eight channels.

    The first turns read its accumulators, in order. Where there are more turns than those, since the bytes of a result
    take more cycles to be written, the others read nothing new. All outputs but `freeing_pixels` are registers.

    Members:
        command: hold it from the cycle before `start` on.
        start: of the command; the first read comes two cycles later or more.
        read: a turn passes.
        ends_pixel: this turn is its pixel's last.
        moves: the next turn reads the accumulator behind this one's.
        element: of this turn, `ELEMENT_FIELDS`.
        freeing_pixels: pixels whose reads take at most `FREEING_CYCLES`.
    """

    command: data.View
    start: Signal
    read: Signal
    ends_pixel: Signal
    moves: Signal
    element: data.View
    freeing_pixels: Signal

    def __init__(self, config: TileConfig) -> None:
        super().__init__(
            {
                "command": In(config.activate.struct()),
                "start": In(1),
                "read": In(1),
                "ends_pixel": Out(1),
                "moves": Out(1),
                "element": Out(data.StructLayout(ELEMENT_FIELDS)),
                "freeing_pixels": Out(range(FREEING_CYCLES + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Everything about a turn is found while the one before it waits for its read."""
        m = Module()
        places, ofm_bytes = self.command.places, self.command.ofm_bytes
        last_place = Signal(range(3))
        last_turn = Signal(range(MOST_TURNS))
        turn, next_turn = Signal(range(MOST_TURNS)), Signal(range(MOST_TURNS))
        m.d.sync += [
            last_place.eq(Mux(places == 0, 0, places - 1)),
            last_turn.eq(Mux(places == 0, 0, Mux(places > ofm_bytes, places, ofm_bytes) - 1)),
        ]
        with m.Switch(last_turn):
            for turns in range(1, MOST_TURNS + 1):
                with m.Case(turns - 1):
                    m.d.comb += self.freeing_pixels.eq(FREEING_CYCLES // turns)
        m.d.comb += next_turn.eq(Mux(self.start | self.ends_pixel, 0, turn + 1))
        with m.If(self.start | self.read):
            m.d.sync += [
                turn.eq(next_turn),
                self.ends_pixel.eq(next_turn == last_turn),
                self.moves.eq(next_turn < last_place),
                self.element.collects.eq(next_turn <= last_place),
                self.element.first_place.eq(next_turn == 0),
                self.element.last_place.eq(next_turn == last_place),
            ]
        return m
