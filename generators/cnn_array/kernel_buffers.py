"""The kernel buffers: a memory as wide as an operand for each output channel at once, all read at the same address."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..chassis.destination_port import destination_write_signature
from ..chassis.tiles.commands import Destination
from .config import CnnArrayConfig

KERNEL_READ_LATENCY = 2
"""Cycles from an address to its word."""

_MEMORY: dict[str, Any] = {"ram_style": "block", "no_rw_check": "1"}


class KernelBuffers(wiring.Component):
    """Words of R weights in block RAM; WEIGHTS fills them, with each beat as many rows as it holds.

    Members:
        writes: WEIGHTS' port; takes the beats for `Destination.WEIGHT_STORE`. A word may be read in the next cycle.
        address: of a word.
        word: an operand for each output channel, `KERNEL_READ_LATENCY` cycles later.
    """

    writes: stream.Interface
    address: Signal
    word: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._words = config.weight_words
        self._beats = config.weight_word_bytes * 8 // config.data_bits
        self._beat_bits = config.data_bits
        self._bits, self._stored_bits = config.element_bits, 8 * config.element_bytes
        super().__init__(
            {
                "writes": In(destination_write_signature(config.data_bits)),
                "address": In(range(config.weight_words)),
                "word": Out(config.element_bits * config.channel_units),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The lowest bits of a beat's address say which rows."""
        m = Module()
        bits = self._beat_bits // self._stored_bits * self._bits  # of a beat's that are kept
        m.submodules.memory = memory = Memory(
            shape=bits * self._beats, depth=self._words, init=[], attrs=_MEMORY
        )
        read, write = memory.read_port(), memory.write_port(granularity=bits)
        beat = self.writes.payload
        kept = Signal(bits)
        stored = [
            beat.data.word_select(n, self._stored_bits) for n in range(self._beat_bits // self._stored_bits)
        ]
        m.d.comb += kept.eq(Cat(operand[: self._bits] for operand in stored))
        part_bits = (self._beats - 1).bit_length()
        chosen = self.writes.valid & (beat.destination == Destination.WEIGHT_STORE)
        word = Signal(bits * self._beats, reset_less=True)
        m.d.comb += [
            write.addr.eq(beat.address[part_bits:]),
            write.data.eq(kept.replicate(self._beats)),
            write.en.eq(chosen << beat.address[:part_bits] if part_bits else chosen),
            read.addr.eq(self.address),
            self.word.eq(word),
        ]
        m.d.sync += word.eq(read.data)
        return m
