"""From the weight store to the cores' weight registers."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.tiles.delay_line import delayed
from .config import MacEngineConfig
from .isa import BRICK_CHANNELS, COMPUTE, WEIGHT_WORD_BYTES
from .weight_loader import weight_read_layout
from .weight_store import WeightPort, WeightReads
from .window_reader import WINDOW_LATENCY

_READ_DELAY = WINDOW_LATENCY - 2
"""So late is a word read that it arrives as the next step's first window leaves the registers."""

_ONES = 1 | 1 << BRICK_CHANNELS * 8
"""A word of two outputs' weights: 1 in lane 0, 0 in the others."""


class WeightFeed(wiring.Component):
    """Reads what the loader asks for, later by the time that windows take to the cores.

    A word that the loader reads in cycle t is in `word` in cycle t + `WINDOW_LATENCY`.

    Members:
        command: held while weights are read.
        read: see `WeightLoader`.
        weights: reads of the weight store.
        word: weights of two output channels.
        enables: for each core, which part of its weights they are, one bit a part.
    """

    command: data.View
    read: data.View
    weights: WeightReads
    word: Signal
    enables: data.View

    def __init__(self, config: MacEngineConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(COMPUTE.struct()),
                "read": In(weight_read_layout(config)),
                "weights": Out(WeightPort(config)),
                "word": Out(WEIGHT_WORD_BYTES * 8),
                "enables": Out(data.ArrayLayout(config.block_words, config.cores)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Cores on neighbouring pixels share their weights."""
        m = Module()
        asked = delayed(m, self.read, _READ_DELAY, "asked")
        answered = delayed(m, asked, 1, "answered")
        m.d.comb += self.weights.address.eq(asked.address)
        m.d.sync += self.word.eq(Mux(answered.ones, _ONES, self.weights.data))
        for index in range(self._config.cores):
            block = Signal.like(answered.block, name=f"block_{index}")
            if index:
                m.d.sync += block.eq(index >> self.command.pixel_cores_log2)
            wanted = answered.reading & (answered.block == block)
            m.d.sync += self.enables[index].eq(Mux(answered.ones, -1, Mux(wanted, 1 << answered.part, 0)))
        return m
