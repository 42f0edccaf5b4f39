"""Which weights the rows take in which cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring

from ..chassis.tiles.weight_loading import weight_loading_members
from .config import CnnArrayConfig


def kernel_read_layout(config: CnnArrayConfig) -> data.StructLayout:
    """A lane of C pixels.

    reading: there is one.
    address: of its weights in the kernel buffers.
    ends: with rounds, it is the last one of a command with weights.
    """
    ends = {"ends": unsigned(1)} if config.has_rounds else {}
    return data.StructLayout({"reading": unsigned(1), "address": range(config.weight_words), **ends})


class KernelWalk(wiring.Component):
    """Walks the C lanes of a step's weights again and again, once for every C pixels, from its first read on.

    So a step lasts a multiple of C cycles, in all modes: the next one may start in the last cycle of a walk that no
    read follows, or later. The lanes of a step lie behind each other, and so do the steps of a block group; every tile
    of the group takes them from the group's start.

    Members: see `chassis.tiles.weight_loading.WeightLoading`.
        read: of this cycle, `kernel_read_layout`.
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

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        super().__init__(weight_loading_members(config, kernel_read_layout(config)))

    def elaborate(self, platform: object) -> Module:
        """A count of lanes, and of steps in units of their weights."""
        m = Module()
        lanes = self._config.columns
        walking, is_last_lane, ends = Signal(), Signal(), Signal()
        lane = Signal(range(lanes))
        present, following, group, beyond = (
            Signal(range(self._config.weight_words // lanes), name=name)
            for name in ("present", "following", "group", "beyond")
        )
        m.d.comb += [
            is_last_lane.eq(lane == lanes - 1),
            ends.eq(is_last_lane & self.step_ends),
            self.read.reading.eq(walking),
            self.read.address.eq(Cat(lane, present)),
            self.coming.eq(~walking | ends | (lane == lanes - 2)),
            beyond.eq(following + 1),
        ]
        m.d.sync += self.ready.eq(self.coming)
        with m.If(walking):
            m.d.sync += [lane.eq(lane + 1), walking.eq(~ends)]
        with m.If(self.step_taken):
            m.d.sync += [
                walking.eq(1),
                lane.eq(0),
                self.ready.eq(0),
                present.eq(following),
                following.eq(Mux(self.step_ends_tile & ~self.step_ends_blocks, group, beyond)),
            ]
            with m.If(self.step_ends_blocks):
                m.d.sync += group.eq(beyond)
        with m.If(self.start):
            first = self.command.weight_address[len(lane) :]
            m.d.sync += [following.eq(first), group.eq(first)]
        return m
