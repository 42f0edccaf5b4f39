"""The kernel buffers: a byte wide memory for each row of the array, all read at the same address."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..chassis.destination_port import BEAT_BITS, destination_write_signature
from ..chassis.tiles.commands import Destination
from .config import CnnArrayConfig

KERNEL_READ_LATENCY = 2
"""Cycles from an address to its word."""

_MEMORY: dict[str, Any] = {"ram_style": "block", "no_rw_check": "1"}


class KernelBuffers(wiring.Component):
    """Words of R weights in block RAM; WEIGHTS fills them, eight rows with each beat.

    Members:
        writes: WEIGHTS' port; takes the beats for `Destination.WEIGHT_STORE`. A word may be read in the next cycle.
        address: of a word.
        word: a byte for each row, `KERNEL_READ_LATENCY` cycles later.
    """

    writes: stream.Interface
    address: Signal
    word: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._words = config.weight_words
        self._beats = config.rows * 8 // BEAT_BITS
        super().__init__(
            {
                "writes": In(destination_write_signature()),
                "address": In(range(config.weight_words)),
                "word": Out(8 * config.rows),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The lowest bits of a beat's address say which rows."""
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=BEAT_BITS * self._beats, depth=self._words, init=[], attrs=_MEMORY
        )
        read, write = memory.read_port(), memory.write_port(granularity=BEAT_BITS)
        beat = self.writes.payload
        part_bits = (self._beats - 1).bit_length()
        chosen = self.writes.valid & (beat.destination == Destination.WEIGHT_STORE)
        word = Signal(BEAT_BITS * self._beats, reset_less=True)
        m.d.comb += [
            write.addr.eq(beat.address[part_bits:]),
            write.data.eq(beat.data.replicate(self._beats)),
            write.en.eq(chosen << beat.address[:part_bits] if part_bits else chosen),
            read.addr.eq(self.address),
            self.word.eq(word),
        ]
        m.d.sync += word.eq(read.data)
        return m
