"""The weight FIFO: rows of weight tiles, from the weights' port to the array."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..chassis.decoder_port import DecoderPort, DecoderSignature
from ..chassis.tiles.delay_line import delayed
from .config import SystolicConfig
from .isa import WEIGHTS
from .timing_constants import ROW_LATENCY

READ_DELAY = ROW_LATENCY - 2
"""Cycles from `take` to the read of the memory: the row comes when the activations of its step would."""

_MEMORY: dict[str, Any] = {"ram_style": "block", "no_rw_check": "1"}


class WeightFifo(wiring.Component):
    """T tiles of R rows of C weights in block RAM; beats in, rows out, in order.

    It stands where the chassis has a decoder of weights: a burst is asked for only when all of it has a place, and the
    places of a row are given back together. A tile that is complete in cycle t may be taken from t + 1 on.

    Members:
        port: from the WEIGHTS unit. A command is finished once all of its beats are here.
        available: there is a whole tile to take.
        take: the next row is wanted.
        take_low: it has low bytes of int16.
        row, row_valid, row_low: it, `ROW_LATENCY` cycles later.
    """

    port: DecoderPort
    available: Signal
    take: Signal
    take_low: Signal
    row: Signal
    row_valid: Signal
    row_low: Signal

    def __init__(self, config: SystolicConfig) -> None:
        self._config = config
        super().__init__(
            {
                "port": In(DecoderSignature(WEIGHTS, config.weight_bits)),
                "available": Out(1),
                "take": In(1),
                "take_low": In(1),
                "row": Out(8 * config.columns),
                "row_valid": Out(1),
                "row_low": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Rows are written in beats, and read whole."""
        m = Module()
        config, port = self._config, self.port
        rows = config.weight_tiles * config.rows
        m.submodules.memory = memory = Memory(shape=8 * config.columns, depth=rows, init=[], attrs=_MEMORY)
        read, write = memory.read_port(), memory.write_port(granularity=config.weight_bits)
        part = Signal(range(max(2, config.row_beats)))
        level = Signal(range(rows + 1))
        completes = Signal()
        takes = Signal(ROW_LATENCY)
        taken = takes[READ_DELAY - 1]
        row = Signal(8 * config.columns, reset_less=True)
        m.d.comb += [
            write.data.eq(port.beats.payload.replicate(config.row_beats)),
            write.en.eq(port.beats.valid << part),
            completes.eq(port.beats.valid & (part == config.row_beats - 1)),
            port.freed.eq(taken),
            self.available.eq(level >= config.rows),
            self.row.eq(row),
            self.row_valid.eq(takes[-1]),
        ]
        if config.int16:
            m.d.comb += self.row_low.eq(delayed(m, self.take_low, ROW_LATENCY, "low"))
        m.d.sync += [
            takes.eq(Cat(self.take, takes)),
            level.eq(level + completes - self.take),
            row.eq(read.data),
        ]
        read_row, write_row = Signal(range(rows)), Signal(range(rows))
        m.d.comb += [read.addr.eq(read_row), write.addr.eq(write_row)]
        with m.If(taken):
            m.d.sync += read_row.eq(read_row + 1)
        with m.If(port.beats.valid):
            m.d.sync += part.eq(part + 1)
        with m.If(completes):
            m.d.sync += [part.eq(0), write_row.eq(write_row + 1)]

        # Beats of a command, and of those behind it, may come before its start.
        ahead = Signal(range(config.fifo_beats + 1))  # beats of commands that have not started
        left = Signal.like(port.command.beats)
        is_open = Signal()
        m.d.comb += port.finished.eq(is_open & (left == 0))
        with m.If(port.start):
            is_enough = ahead >= port.command.beats
            m.d.sync += [
                is_open.eq(1),
                left.eq(Mux(is_enough, 0, port.command.beats - ahead - port.beats.valid)),
                ahead.eq(Mux(is_enough, ahead - port.command.beats + port.beats.valid, 0)),
            ]
        with m.Elif(is_open & (left != 0)):
            m.d.sync += left.eq(left - port.beats.valid)
        with m.Else():
            m.d.sync += ahead.eq(ahead + port.beats.valid)
        with m.If(port.finished):
            m.d.sync += is_open.eq(0)
        return m
