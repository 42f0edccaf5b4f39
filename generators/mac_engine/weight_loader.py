"""Reads the weight store ahead of the steps of COMPUTE."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring

from ..chassis.tiles.weight_loading import weight_loading_members
from .config import MacEngineConfig

_ADDRESSES = ("following", "resumed", "group_address")


def weight_read_layout(config: MacEngineConfig) -> data.StructLayout:
    """A word to read, and which part of which output block's weights it holds.

    reading: there is one.
    address: in the weight store.
    block, part: of the step's output blocks, and of that block's words.
    ones: instead, every output channel's lane 0 is to be given weight 1 and the others 0.
    """
    return data.StructLayout(
        {
            "reading": unsigned(1),
            "address": range(config.weight_words),
            "block": range(max(2, config.cores)),
            "part": range(config.block_words),
            "ones": unsigned(1),
        }
    )


class WeightLoader(wiring.Component):
    """Loads the weights of one step while the step before it runs, one word a cycle.

    The first step's words are read from the cycle after `start` on, those of the next from the cycle after a step
    was taken. Modes without weights load the unit weights in the cycle after `start`, and all steps share them.

    Members:
        command, constants: held from `start` to completion; `constants` are settled one cycle after `start`.
        start: load the first step's weights.
        step_taken: the step whose weights are ready starts.
        step_ends_tile, step_ends_blocks, step_is_last: about that step, as in `step_layout`.
        step_ends: of no use here: a step's weights are loaded whole before it starts.
        read: the word of this cycle, `weight_read_layout`.
        ready: the next step's weights are loaded, or their last word is read in this cycle.
        coming: so it will be in the next cycle, unless a step is taken or `start` comes.
    """

    command: data.View
    constants: data.View
    start: Signal
    step_taken: Signal
    step_ends_tile: Signal
    step_ends_blocks: Signal
    step_is_last: Signal
    step_ends: Signal
    read: data.View
    ready: Signal
    coming: Signal

    def __init__(self, config: MacEngineConfig) -> None:
        self._config = config
        super().__init__(weight_loading_members(config, weight_read_layout(config)))

    def elaborate(self, platform: object) -> Module:
        """A ring address, the place within the step, and where the block group began."""
        m = Module()
        constants, read = self.constants, self.read
        loading = Signal()
        last_word = (self._config.block_words << self.command.block_cores_log2) - 1
        words_left = Signal(range(self._config.cores * self._config.block_words))
        following, resumed, group_address = (
            Signal(range(self._config.weight_words), name=name) for name in _ADDRESSES
        )
        part_ends = read.part == self._config.block_words - 1
        m.d.comb += [
            read.reading.eq(loading & constants.reads_weights),
            read.ones.eq(loading & ~constants.reads_weights),
            following.eq(Mux(read.address == self._config.weight_words - 1, 0, read.address + 1)),
            resumed.eq(Mux(read.reading, following, read.address)),
            self.coming.eq(Mux(loading, (words_left <= 1) | read.ones, self.ready)),
        ]
        with m.If(loading):
            m.d.sync += [
                read.address.eq(resumed),
                read.part.eq(read.part + 1),
                read.block.eq(read.block + part_ends),
                words_left.eq(words_left - 1),
                loading.eq((words_left != 0) & ~read.ones),
            ]
        m.d.sync += self.ready.eq(self.coming)
        with m.If(self.step_taken & constants.reads_weights):
            m.d.sync += [
                read.block.eq(0),
                read.part.eq(0),
                words_left.eq(last_word),
                loading.eq(~self.step_is_last),
                self.ready.eq(0),
                read.address.eq(Mux(self.step_ends_tile & ~self.step_ends_blocks, group_address, resumed)),
            ]
            with m.If(self.step_ends_blocks):
                m.d.sync += group_address.eq(resumed)
        with m.If(self.start):
            m.d.sync += [
                read.block.eq(0),
                read.part.eq(0),
                words_left.eq(last_word),
                loading.eq(1),
                self.ready.eq(0),
                read.address.eq(self.command.weight_address),
                group_address.eq(self.command.weight_address),
            ]
        return m
